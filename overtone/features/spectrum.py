"""Waveform -> frames -> power spectrum: the ground that mel and pitch stand on.

Frames are put together from whole hops and the Fourier transform is a matrix product, so that both export to any ONNX
runtime with dynamic batch and time. A frame is centred on its time: frame t sees samples around t * hop, and silence
beyond the ends.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

SAMPLE_RATE_HZ = 16_000
HOP_SAMPLES = 256
FRAME_RATE_HZ = SAMPLE_RATE_HZ / HOP_SAMPLES
LONGEST_WINDOW_SAMPLES = 1024


def frames(waveform: Tensor, window_samples: int) -> Tensor:
    """Frames `(batch, samples // HOP_SAMPLES + 1, window_samples)` centred every `HOP_SAMPLES`.

    Args:
        waveform: `(batch, samples)`.
        window_samples: length of a frame, a multiple of twice the hop, at most `LONGEST_WINDOW_SAMPLES`.
    """
    # Every window cuts the same hops, so that the exporter sees one and the same number of frames everywhere.
    padding = LONGEST_WINDOW_SAMPLES // 2
    padded = functional.pad(waveform, (padding, padding))[:, None]
    identity = torch.eye(HOP_SAMPLES, device=waveform.device)[:, None]
    hops = functional.conv1d(padded, identity, stride=HOP_SAMPLES).transpose(1, 2)
    most, per_window = LONGEST_WINDOW_SAMPLES // HOP_SAMPLES, window_samples // HOP_SAMPLES
    first = (most - per_window) // 2
    count = hops.shape[1] - most + 1
    return torch.cat([hops[:, first + i : first + i + count] for i in range(per_window)], dim=-1)


class PowerSpectrum(nn.Module):
    """Frames -> power `(batch, frames, bins)` at the first `bins` multiples of `16000 / fft_samples` Hz.

    The window is even around the middle of the frame, so the cosine part needs only the sum of both halves and the
    sine part only their difference: half the arithmetic of a plain Fourier matrix.

    Args:
        window_samples: length of the frames; a periodic Hann window of that length is applied.
        fft_samples: length of the transform (frames are thought to be padded with zeros up to it).
        bins: number of frequencies, counted from 0 Hz.
    """

    cosine: Tensor
    sine: Tensor

    def __init__(self, window_samples: int, fft_samples: int, bins: int) -> None:
        super().__init__()
        self.half_window = window_samples // 2
        offset = torch.arange(self.half_window, dtype=torch.float64)
        window = torch.hann_window(window_samples, periodic=True, dtype=torch.float64)[self.half_window :]
        angle = 2 * math.pi * offset[:, None] * torch.arange(bins, dtype=torch.float64) / fft_samples
        self.register_buffer("cosine", (window[:, None] * angle.cos()).float(), persistent=False)
        self.register_buffer("sine", (window[:, None] * angle.sin()).float(), persistent=False)

    def forward(self, framed: Tensor) -> Tensor:
        """Power of each frame.

        Args:
            framed: `(batch, frames, window_samples)`.
        """
        later = framed[..., self.half_window :]
        # x[c-1], x[c-2], ...; the sample before them all (x[c-half]) has window weight 0.
        earlier = torch.flip(framed[..., 1 : self.half_window], dims=[-1])
        earlier = functional.pad(earlier, (1, 0))
        real = (later + earlier) @ self.cosine
        imaginary = (later - earlier) @ self.sine
        return real.square() + imaginary.square()
