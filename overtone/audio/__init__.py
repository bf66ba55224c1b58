"""Audio input: any recording -> mono at 16 kHz, as one waveform or as a stream of blocks; speech detection; windows.

`decode.read` decodes files, bytes and file objects, `decode.from_array` converts samples; both return a `Waveform` or
raise an `AudioError`. `blocks.blocks` yields the same audio in blocks, with constant memory; `blocks.StreamResampler`
receives it in chunks, as a microphone delivers them, and `recording_buffer` stores them.

`source` opens a file; before it is decoded, `containers` checks that it is complete and of a supported format.
`ffmpeg_formats` does so for the formats that libsndfile does not support, and `pyav_reader` decodes those. `mp3` adds
the missing length of an MP3. `discovery` finds the audio files of a folder. `vad` detects speech; `windows` splits a
recording into overlapping windows and merges their results.
"""
