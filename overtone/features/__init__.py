"""Feature extraction: waveform -> log-mel spectrogram, pitch, loudness, tempo. One untrained layer per file.

To add a feature, write a file with one `nn.Module` whose operations ONNX supports with dynamic batch and time, add its
output to `Features` and its call to `FrontEnd` (both in `front_end.py`), and compare it with a reference implementation
in a test of the same name.
"""
