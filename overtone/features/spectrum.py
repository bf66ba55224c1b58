"""Waveform -> frames -> power spectrum: the ground that mel and pitch stand on.

Frames are put together from whole hops and the Fourier transform is a matrix product, so that both export to any ONNX
runtime with dynamic batch and time. A frame is centred on its time: frame t sees samples around t * hop, and silence
beyond the ends.
"""

import math
from collections.abc import Sequence

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
    """Frames, windowed -> power `(batch, frames, bins)` at multiples of the sampling rate by `fft_samples`.

    The first steps of a fast Fourier transform, then matrix products for what each of them leaves: half the arithmetic
    of folding the frames at their middle, and nothing runs backwards through memory, which would cost as much.

    A step parts the bins. Even ones hear the sum of both halves of a frame, which the next step takes for a frame. Odd
    ones hear the difference, whose quarters a, b, c and d come together as a - ic and (b - id)(1 - i) / sqrt(2): every
    second odd bin (1, 9, 17 ...) hears their sum, and the others (5, 13, 21 ...) their difference. In between (3, 7, 11
    ...) lie the mirrors of those beyond the middle, of the same power.

    Source: Duhamel & Hollmann (1984), "'Split radix' FFT algorithm".

    Args:
        fft_samples: length of the frames; a multiple of 2 ** (`steps` + 2).
        bins: which multiples, from 1 to `fft_samples` / 2 - 1.
        steps: how often the frames are halved.

    Attributes:
        bins: those multiples in the order in which their power comes.
    """

    def __init__(self, fft_samples: int, bins: range, steps: int = 2) -> None:
        super().__init__()
        self.bins: list[int] = []
        self.odd = nn.ModuleList()
        length, apart = fft_samples, 1
        for _ in range(steps):
            self.odd.extend(self._waves(range(first, length, 8), length, apart, bins) for first in (1, 5))
            length, apart = length // 2, 2 * apart
        self.even = self._waves(range(1, length // 2), length, apart, bins)

    def _waves(self, among: range, length: int, apart: int, bins: range) -> "Waves":
        """The waves among those of a step that stand for one of the bins, which are noted."""
        stands_for = {wave: apart * min(wave, length - wave) for wave in among}
        wanted = [wave for wave in among if stands_for[wave] in bins]
        self.bins += [stands_for[wave] for wave in wanted]
        return Waves(length, wanted, is_complex=among.step > 1)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Power of each frame.

        Args:
            first: first half of the frames `(batch, frames, fft_samples / 2)`.
            second: second half, likewise.
        """
        found = []
        for both, other in zip(self.odd[::2], self.odd[1::2], strict=True):
            a, b, c, d = (first - second).chunk(4, dim=-1)
            straight, turned = torch.cat([a, c], dim=-1), torch.cat([b - d, b + d], dim=-1) * math.sqrt(0.5)
            found += [both(straight + turned), other(straight - turned)]
            even = first + second
            first, second = even.chunk(2, dim=-1)
        return torch.cat([*found, self.even(even)], dim=-1)


class Waves(nn.Module):
    """Values -> power of their products with complex waves, `(batch, frames, waves)`.

    Args:
        length: in how many samples wave 1 turns once.
        waves: how often each wave turns in so many samples.
        is_complex: whether values are an eighth of `length` complex numbers, x - iy, as x and then y; else they are
            `length` real ones.
    """

    cosine: Tensor
    sine: Tensor

    def __init__(self, length: int, waves: Sequence[int], *, is_complex: bool) -> None:
        super().__init__()
        offset = torch.arange(length // 8 if is_complex else length, dtype=torch.float64)
        angle = 2 * math.pi * offset[:, None] * torch.tensor(waves, dtype=torch.float64) / length
        cosine, sine = angle.cos(), angle.sin()
        if is_complex:
            cosine, sine = torch.cat([cosine, -sine]), torch.cat([sine, cosine])
        self.register_buffer("cosine", cosine.float(), persistent=False)
        self.register_buffer("sine", sine.float(), persistent=False)

    def forward(self, values: Tensor) -> Tensor:
        """Power.

        Args:
            values: `(batch, frames, values of a frame)`.
        """
        real, imaginary = values @ self.cosine, values @ self.sine
        return real * real + imaginary * imaginary
