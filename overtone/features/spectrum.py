"""Frames and their power spectrum, the basis of mel and pitch.

Frames are assembled from whole hops and the Fourier transform is a matrix product, so that both can be exported to any
ONNX runtime with dynamic batch and time. A frame is centred on its time: frame t contains the samples around t * hop,
and silence beyond the ends.
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
    """Return the waveform split into hops, with two hops of silence at each end: `(batch, frames + 3, HOP_SAMPLES)`.

    Args:
        waveform: `(batch, samples)`; there are `samples // HOP_SAMPLES + 1` frames.
    """
    padded = functional.pad(waveform, (2 * HOP_SAMPLES, 2 * HOP_SAMPLES - waveform.shape[1] % HOP_SAMPLES))
    return padded.unflatten(1, (waveform.shape[1] // HOP_SAMPLES + HOPS_PER_LONGEST_WINDOW, HOP_SAMPLES))


def frames(hop_blocks: Tensor, per_window: int) -> Tensor:
    """Return frames assembled from hops: frame t is centred between hops t + 1 and t + 2.

    Args:
        hop_blocks: `(batch, frames + 3, samples of a hop)`, as from `hops`.
        per_window: hops per frame: two or four.

    Returns:
        `(batch, frames, per_window * samples of a hop)`.
    """
    first = (HOPS_PER_LONGEST_WINDOW - per_window) // 2
    count = hop_blocks.shape[1] - HOPS_PER_LONGEST_WINDOW + 1
    return torch.cat([hop_blocks[:, first + i : first + i + count] for i in range(per_window)], dim=-1)


class HalfRate(nn.Module):
    """Waveform `(batch, samples)` -> the same at half the sampling rate, `(batch, samples // 2)`.

    Flat up to 2.3 kHz, with aliases below that attenuated by 50 dB: enough for pitch.
    """

    taps: Tensor

    def __init__(self) -> None:
        super().__init__()
        offset = torch.arange(HALF_BAND_TAPS, dtype=torch.float64) - HALF_BAND_TAPS // 2
        window = torch.kaiser_window(HALF_BAND_TAPS, periodic=False, beta=HALF_BAND_BETA, dtype=torch.float64)
        self.register_buffer("taps", (window * torch.sinc(offset / 2) / 2).float()[None, None], persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Return every second sample of the low-passed waveform."""
        padded = functional.pad(waveform, (HALF_BAND_TAPS // 2, HALF_BAND_TAPS // 2 - 1))
        return functional.conv1d(padded[:, None], self.taps, stride=2)[:, 0]


class PowerSpectrum(nn.Module):
    """Windowed frames -> power `(batch, frames, bins)` at multiples of the sampling rate / `fft_samples`.

    The first steps of a fast Fourier transform, then matrix products for the rest of each of them: half the arithmetic
    of folding the frames at their middle, and no reversed memory access, which would cost as much.

    Each step separates the bins. Even bins depend on the sum of both halves of a frame, which is the frame of the next
    step. Odd bins depend on the difference of the halves. Its quarters a, b, c and d are combined as a - ic and
    (b - id)(1 - i) / sqrt(2): every second odd bin (1, 9, 17 ...) depends on their sum, the others (5, 13, 21 ...) on
    their difference. The bins in between (3, 7, 11 ...) mirror those beyond the middle and have the same power.

    Source: Duhamel & Hollmann (1984), "'Split radix' FFT algorithm".

    Args:
        fft_samples: length of the frames; a multiple of 2 ** (`steps` + 2).
        bins: which multiples, from 1 to `fft_samples` / 2 - 1.
        steps: how often the frames are halved.

    Attributes:
        bins: the multiples in the order of their power in the output.
    """

    def __init__(self, fft_samples: int, bins: range, steps: int = 2) -> None:
        super().__init__()
        self.bins: list[int] = []
        self.odd = nn.ModuleList()
        length, spacing = fft_samples, 1
        for _ in range(steps):
            self.odd.extend(self._waves(range(first, length, 8), length, spacing, bins) for first in (1, 5))
            length, spacing = length // 2, 2 * spacing
        self.even = self._waves(range(1, length // 2), length, spacing, bins)

    def _waves(self, candidates: range, length: int, spacing: int, bins: range) -> "ComplexWaves":
        """Return the waves of a step that produce one of the bins, and append these bins to `self.bins`."""
        bin_of_wave = {wave: spacing * min(wave, length - wave) for wave in candidates}
        selected = [wave for wave in candidates if bin_of_wave[wave] in bins]
        self.bins += [bin_of_wave[wave] for wave in selected]
        return ComplexWaves(length, selected, is_complex=candidates.step > 1)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the power of each frame.

        Args:
            first: first half of the frames `(batch, frames, fft_samples / 2)`.
            second: second half, likewise.
        """
        powers = []
        for sum_waves, difference_waves in zip(self.odd[::2], self.odd[1::2], strict=True):
            a, b, c, d = (first - second).chunk(4, dim=-1)
            straight, rotated = torch.cat([a, c], dim=-1), torch.cat([b - d, b + d], dim=-1) * math.sqrt(0.5)
            powers += [sum_waves(straight + rotated), difference_waves(straight - rotated)]
            even = first + second
            first, second = even.chunk(2, dim=-1)
        return torch.cat([*powers, self.even(even)], dim=-1)


class ComplexWaves(nn.Module):
    """Values -> power of their products with complex waves, `(batch, frames, waves)`.

    Args:
        length: period of wave 1 in samples.
        waves: number of periods of each wave in `length` samples.
        is_complex: whether the values are `length` / 8 complex numbers x - iy, first all x and then all y; else they
            are `length` real numbers.
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
        """Return the power.

        Args:
            values: `(batch, frames, values of a frame)`.
        """
        real, imaginary = values @ self.cosine, values @ self.sine
        return real * real + imaginary * imaginary
