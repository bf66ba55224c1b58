"""WAVEFORM -> MEL, PITCH, LOUDNESS, TEMPO. One layer per file, all without trained weights.

To add a feature: write one file with one `nn.Module` made of operations that ONNX knows with dynamic batch and time,
add its output to `Features` and its call to `FrontEnd` (both in `front_end.py`), and hold it against an oracle in a
test of the same name.
"""
