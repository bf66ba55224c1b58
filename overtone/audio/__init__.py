"""File -> waveform -> windows: whatever was recorded becomes mono sound at 16 kHz, as a whole or block by block.

`read` takes files, bytes and file objects, `from_array` takes samples; both end in a `Waveform` or an `AudioError`.
`blocks` gives the same sound piece by piece, in flat memory; `StreamResampler` takes it in chunks, as a microphone gives it, and
`recording_buffer` keeps them.
`opened` opens a source; `container` looks at a file from outside, before it is decoded: is it whole, is it a kind that
is read here? `foreign` does so for what libsndfile does not read, and `track` decodes that. `speech` tells where
somebody speaks; `windows` cuts a recording and stitches what was heard together.
"""
