"""File -> waveform: whatever was recorded becomes mono sound at 16 kHz.

`read` takes files, bytes and file objects, `from_array` takes samples; both end in a `Waveform` or an `AudioError`.
`container` looks at a file from outside, before it is decoded: is it whole, is it a kind that is read here?
"""
