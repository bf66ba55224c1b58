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
HOPS_PER_LONGEST_WINDOW = 4
HALF_BAND_TAPS, HALF_BAND_BETA = 15, 4.5


def hops(waveform: Tensor) -> Tensor:
    """The waveform cut in hops, with silence of two hops at either end: `(batch, frames + 3, HOP_SAMPLES)`.

    Args:
        waveform: `(batch, samples)`; there are `samples // HOP_SAMPLES + 1` frames.
    """
    padded = functional.pad(waveform, (2 * HOP_SAMPLES, 2 * HOP_SAMPLES - waveform.shape[1] % HOP_SAMPLES))
    return padded.unflatten(1, (waveform.shape[1] // HOP_SAMPLES + HOPS_PER_LONGEST_WINDOW, HOP_SAMPLES))


def frames(cut: Tensor, per_window: int) -> Tensor:
    """Frames put together from hops: frame t is centred between hops t + 1 and t + 2.

    Args:
        cut: `(batch, frames + 3, samples of a hop)`, as from `hops`.
        per_window: hops of a frame: two or four.

    Returns:
        `(batch, frames, per_window * samples of a hop)`.
    """
    first = (HOPS_PER_LONGEST_WINDOW - per_window) // 2
    count = cut.shape[1] - HOPS_PER_LONGEST_WINDOW + 1
    return torch.cat([cut[:, first + i : first + i + count] for i in range(per_window)], dim=-1)


class HalfRate(nn.Module):
    """Waveform `(batch, samples)` -> the same at half the rate, `(batch, samples // 2)`.

    Flat to 2.3 kHz, and what would fold back below that is 50 dB down: enough for pitch.
    """

    taps: Tensor

    def __init__(self) -> None:
        super().__init__()
        offset = torch.arange(HALF_BAND_TAPS, dtype=torch.float64) - HALF_BAND_TAPS // 2
        window = torch.kaiser_window(HALF_BAND_TAPS, periodic=False, beta=HALF_BAND_BETA, dtype=torch.float64)
        self.register_buffer("taps", (window * torch.sinc(offset / 2) / 2).float()[None, None], persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Every second sample, low-passed."""
        padded = functional.pad(waveform, (HALF_BAND_TAPS // 2, HALF_BAND_TAPS // 2 - 1))
        return functional.conv1d(padded[:, None], self.taps, stride=2)[:, 0]


class PowerSpectrum(nn.Module):
    """Frames -> power `(batch, frames, bins)` at multiples of the sampling rate by `fft_samples`.

    The window is even around the middle of the frame, so the cosine part needs only the sum of both halves and the
    sine part only their difference: half the arithmetic of a plain Fourier matrix.

    Args:
        window_samples: length of the frames; a periodic Hann window of that length is applied.
        fft_samples: length of the transform (frames are thought to be padded with zeros up to it).
        bins: which multiples.
    """

    cosine: Tensor
    sine: Tensor

    def __init__(self, window_samples: int, fft_samples: int, bins: range) -> None:
        super().__init__()
        self.half_window = window_samples // 2
        offset = torch.arange(self.half_window, dtype=torch.float64)
        window = torch.hann_window(window_samples, periodic=True, dtype=torch.float64)[self.half_window :]
        angle = 2 * math.pi * offset[:, None] * torch.tensor(bins, dtype=torch.float64) / fft_samples
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
        return real * real + imaginary * imaginary


class TwoHopPower(nn.Module):
    """Hops -> power of frames of two hops under a Hann window, at even multiples of the frame rate, and at odd ones.

    The first step of a fast Fourier transform: even bins hear the sum of both halves of a frame, odd bins their
    difference. Of either half, the cosine part hears what is even around its middle, and the sine part what is odd, or
    the other way round: a quarter of the arithmetic of a plain Fourier matrix.
    """

    rising: Tensor
    falling: Tensor
    even_cosine: Tensor
    even_sine: Tensor
    odd_cosine: Tensor
    odd_sine: Tensor

    def __init__(self) -> None:
        super().__init__()
        offset = torch.arange(HOP_SAMPLES, dtype=torch.float64)
        falling = 0.5 + 0.5 * (math.pi * offset / HOP_SAMPLES).cos()
        self.register_buffer("falling", falling.float(), persistent=False)
        self.register_buffer("rising", (1 - falling).float(), persistent=False)
        bins = torch.arange(HOP_SAMPLES + 1, dtype=torch.float64)
        angle = math.pi * offset[: HOP_SAMPLES // 2 + 1, None] * bins / HOP_SAMPLES
        for name, wave in (("cosine", angle.cos().float()), ("sine", angle.sin().float())):
            self.register_buffer(f"even_{name}", wave[:, ::2].contiguous(), persistent=False)
            self.register_buffer(f"odd_{name}", wave[:, 1::2].contiguous(), persistent=False)

    def forward(self, cut: Tensor) -> tuple[Tensor, Tensor]:
        """Power at even bins `(batch, frames, HOP_SAMPLES / 2 + 1)` and at odd ones `(batch, frames, HOP_SAMPLES / 2)`.

        Args:
            cut: hops of the frames `(batch, frames + 3, HOP_SAMPLES)`, as from `hops`.
        """
        before, after = (cut * self.rising)[:, 1:-2], (cut * self.falling)[:, 2:-1]
        same, opposite = _folded(after + before)
        even = (same @ self.even_cosine).square() + (opposite @ self.even_sine).square()
        same, opposite = _folded(after - before)
        return even, (opposite @ self.odd_cosine).square() + (same @ self.odd_sine).square()


def _folded(hop: Tensor) -> tuple[Tensor, Tensor]:
    """Sum and difference of what lies as far before the middle of a hop as behind it, both first sample to middle."""
    middle = HOP_SAMPLES // 2
    mirrored = functional.pad(hop[..., middle + 1 :].flip(-1), (1, 1))  # the first sample and the middle are alone
    return hop[..., : middle + 1] + mirrored, hop[..., : middle + 1] - mirrored
