"""Audio input: any recording -> mono at 16 kHz, as one waveform or as a stream of blocks; speech detection; windows.

`decode.read` decodes files, bytes and file objects, `decode.from_array` converts samples; both return a `Waveform` or
raise an `AudioError`. `blocks.blocks` yields the same audio in blocks, with constant memory; `blocks.StreamResampler`
receives it in chunks, as a microphone delivers them, and `recording_buffer` stores them.

`source` opens a file; before it is decoded, `containers` finds the recordings in it, usually one, and checks that each
is complete and of a supported format: `chunks` in WAV, AIFF and the like, `flac` and `mp3`, which correct lengths, and
`ffmpeg_formats` in the formats that libsndfile does not support, which `pyav_reader` decodes. `byte_streams` are the
parts of a file that decoders receive, `frames` reads them, and `consecutive` reads several recordings as one.
`discovery` finds the audio files of a folder. `vad` detects speech; `windows` splits a
recording into overlapping windows and merges their results.
"""
