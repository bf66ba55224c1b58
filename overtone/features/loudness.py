"""Waveform -> loudness track in dB."""

import math

import torch
from torch import Tensor, nn

from overtone.features.spectrum import frames

WINDOW_SAMPLES = 1024  # 64 ms, the physical window of Praat's intensity at its default minimum pitch of 100 Hz
KAISER_BETA = 2 * math.pi**2 + 0.5
POWER_FLOOR = 1e-9  # -90 dB re full scale
SILENCE_BELOW_PEAK_DB = 25.0
FLOOR_DB = 10 * math.log10(POWER_FLOOR)


class Loudness(nn.Module):
    """Waveform `(batch, samples)` -> loudness in dB re full scale `(batch, frames)`, never below -90.

    Source: Praat, "Sound: To Intensity...": the mean square under a Kaiser window. (Praat adds 94 dB: re 20 uPa.)
    """

    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        window = torch.kaiser_window(WINDOW_SAMPLES, periodic=True, beta=KAISER_BETA, dtype=torch.float64)
        self.register_buffer("window", (window / window.sum()).float(), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Loudness track.

        Args:
            waveform: `(batch, samples)` at 16 kHz.
        """
        framed = frames(waveform, WINDOW_SAMPLES)
        # Praat takes the plain mean of each frame away first: a constant offset is not loud.
        centred = framed - framed.mean(-1, keepdim=True)
        power = centred.square() @ self.window
        return 10 / math.log(10) * power.clamp(min=POWER_FLOOR).log()


def active_frames(loudness_db: Tensor) -> Tensor:
    """Where sound is at most 25 dB below the loudest frame and above the floor, bool `(batch, frames)`.

    Source: the silence threshold of de Jong & Wempe (2009).

    Args:
        loudness_db: `(batch, frames)`.
    """
    peak = loudness_db.amax(dim=-1, keepdim=True)
    return (loudness_db > peak - SILENCE_BELOW_PEAK_DB) & (loudness_db > FLOOR_DB + 1)
