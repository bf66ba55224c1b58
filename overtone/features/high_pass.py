"""High-pass filter: removes rumble and the fundamental of mains hum, below any voice.

What is removed is computed at a low rate, as few samples describe it: the waveform is reduced to 250 samples per
second, filtered there, interpolated to 16 kHz, and subtracted. All filters are symmetric, so nothing is delayed.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from overtone.features.spectrum import SAMPLE_RATE_HZ

CUTOFF_HZ = 60.0  # half the amplitude; at 65 Hz, the lowest pitch that is measured, 0.9 of it
BLOCK_SAMPLES = 64
LOW_RATE_HZ = SAMPLE_RATE_HZ / BLOCK_SAMPLES
BLOCKS_PER_SIDE = 4  # of the filter between the rates: flat up to 60 Hz, without aliases below that
TAPS_PER_SIDE = 22  # of the filter at the low rate
KAISER_BETA = 4.0  # 45 dB


class HighPass(nn.Module):
    """Waveform `(batch, samples)` at 16 kHz -> the same without frequencies below 55 Hz, `(batch, samples)`.

    Beyond the ends of the waveform there is silence.

    Source: interpolated FIR filters, Neuvo, Dong & Mitra (1984).
    """

    reduce: Tensor
    diagonal: Tensor
    low_pass: Tensor
    interpolate: Tensor

    def __init__(self) -> None:
        super().__init__()
        count = 2 * BLOCKS_PER_SIDE
        reach = BLOCKS_PER_SIDE * BLOCK_SAMPLES
        offset = torch.arange(-reach, reach, dtype=torch.float64)
        window = torch.hann_window(2 * reach, periodic=True, dtype=torch.float64)
        between = window * torch.sinc(offset / BLOCK_SAMPLES)  # half of the low rate
        # A value at the low rate depends on 8 blocks, and a block on 8 values.
        reduce = (between / between.sum()).unflatten(0, (count, BLOCK_SAMPLES)).T
        interpolate = between.unflatten(0, (count, BLOCK_SAMPLES)).flip(0)
        tap = torch.arange(-TAPS_PER_SIDE, TAPS_PER_SIDE + 1, dtype=torch.float64)
        kaiser = torch.kaiser_window(len(tap), periodic=False, beta=KAISER_BETA, dtype=torch.float64)
        low_pass = kaiser * torch.sinc(2 * CUTOFF_HZ / LOW_RATE_HZ * tap)
        self.register_buffer("reduce", reduce.float().contiguous(), persistent=False)
        self.register_buffer("diagonal", torch.eye(count).flatten()[None, None], persistent=False)
        self.register_buffer("low_pass", (low_pass / low_pass.sum()).float()[None, None], persistent=False)
        # Every sample is interpolated with weights that sum to 1: a constant offset is removed entirely.
        self.register_buffer("interpolate", (interpolate / interpolate.sum(0)).float().contiguous(), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """The high-passed waveform.

        Args:
            waveform: `(batch, samples)` at 16 kHz.
        """
        return waveform - self._slow_part(waveform)

    def _slow_part(self, waveform: Tensor) -> Tensor:
        """Frequencies below the cutoff, `(batch, samples)`."""
        samples, side = waveform.shape[1], BLOCKS_PER_SIDE
        blocks = samples // BLOCK_SAMPLES + 1
        padding = side * BLOCK_SAMPLES
        padded = functional.pad(waveform, (padding, padding + BLOCK_SAMPLES - samples % BLOCK_SAMPLES))
        # The part of each block in each of its 8 values; along the diagonal, the parts of one value.
        parts = padded.unflatten(1, (blocks + 2 * side, BLOCK_SAMPLES)) @ self.reduce
        low = functional.conv1d(parts.flatten(1)[:, None], self.diagonal, stride=2 * side)  # (batch, 1, blocks + 1)
        low = functional.conv1d(functional.pad(low, (TAPS_PER_SIDE + side - 1,) * 2), self.low_pass)[:, 0]
        values = torch.stack([low[:, k : k + blocks] for k in range(2 * side)], dim=-1)
        return (values @ self.interpolate).flatten(1)[:, :samples]
