"""Loudness: waveform -> level per frame in dB."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from overtone.features.spectrum import HOP_SAMPLES, hops

WINDOW_SAMPLES = 1024  # 64 ms, the physical window of Praat's intensity at its default minimum pitch of 100 Hz
KAISER_BETA = 2 * math.pi**2 + 0.5
POWER_FLOOR = 1e-9  # -90 dB re full scale
SILENCE_BELOW_PEAK_DB = 25.0
FLOOR_DB = 10 * math.log10(POWER_FLOOR)


class Loudness(nn.Module):
    """Waveform `(batch, samples)` -> loudness in dB re full scale `(batch, frames)`, never below -90.

    Source: Praat, "Sound: To Intensity...": the mean square under a Kaiser window. (Praat adds 94 dB: re 20 uPa.)
    """

    weights: Tensor
    positions: Tensor

    def __init__(self) -> None:
        super().__init__()
        window = torch.kaiser_window(WINDOW_SAMPLES, periodic=True, beta=KAISER_BETA, dtype=torch.float64)
        weights = torch.stack([window / window.sum(), torch.full_like(window, 1 / WINDOW_SAMPLES)], dim=-1)
        # (samples of a hop, hops of the window and both weights): a frame is the sum over its hops.
        by_hop = weights.unflatten(0, (-1, HOP_SAMPLES)).permute(1, 0, 2)
        self.register_buffer("weights", by_hop.flatten(1).float().contiguous(), persistent=False)
        # The partial sum that a frame takes from each of its hops, per weight: from the first hop the first one, ...
        positions = torch.eye(by_hop.shape[1])[..., None] * torch.eye(2)[:, None, None]
        self.register_buffer("positions", positions.flatten(1)[:, None], persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the loudness track.

        Args:
            waveform: `(batch, samples)` at 16 kHz, of mean 0.
        """
        hop_blocks = hops(waveform)
        weighted, mean = self._means(hop_blocks)
        square, _ = self._means(hop_blocks * hop_blocks)
        # Praat subtracts the unweighted mean of each frame first: a slow drift is not loud.
        power = square - 2 * mean * weighted + mean * mean
        return 10 / math.log(10) * power.clamp(min=POWER_FLOOR).log()

    def _means(self, hop_blocks: Tensor) -> tuple[Tensor, Tensor]:
        """Return the Kaiser-weighted and the unweighted mean of each frame, from hops `(batch, hops, HOP_SAMPLES)`."""
        sums = hop_blocks @ self.weights
        weighted, mean = functional.conv1d(sums.flatten(1)[:, None], self.positions, stride=sums.shape[-1]).unbind(1)
        return weighted, mean


def active_frames(loudness_db: Tensor) -> Tensor:
    """Return the frames at most 25 dB below the loudest one and above the floor, bool `(batch, frames)`.

    Source: the silence threshold of de Jong & Wempe (2009).

    Args:
        loudness_db: `(batch, frames)`.
    """
    peak = loudness_db.amax(dim=-1, keepdim=True)
    return (loudness_db > peak - SILENCE_BELOW_PEAK_DB) & (loudness_db > FLOOR_DB + 1)
