"""Tempo in beats per minute from the log-mel spectrogram, as defined in the paper.

Beat tempo means little in speech; `speech_rate.py` has a more meaningful measure.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from overtone.features.spectrum import FRAME_RATE_HZ

LOW_BPM, HIGH_BPM = 30.0, 320.0
PRIOR_BPM, PRIOR_OCTAVES = 120.0, 1.0
MIN_LAG = math.floor(60 * FRAME_RATE_HZ / HIGH_BPM)  # 11 frames
MAX_LAG = math.ceil(60 * FRAME_RATE_HZ / LOW_BPM)  # 125 frames
DYNAMIC_RANGE = 80 / 10 * math.log(10)  # 80 dB, in natural log of power


class Tempo(nn.Module):
    """Log-mel `(batch, frames, bands)` -> tempo in beats per minute `(batch,)`.

    The autocorrelation of the onset strength (mean rise of the mel bands), weighted by a log-normal prior around
    120 bpm, at its best lag.

    Source: Ellis (2007), "Beat tracking by dynamic programming"; the defaults of librosa.
    """

    prior: Tensor

    def __init__(self) -> None:
        super().__init__()
        lags = torch.arange(MIN_LAG, MAX_LAG + 1, dtype=torch.float64)
        octaves = (60 * FRAME_RATE_HZ / lags / PRIOR_BPM).log2() / PRIOR_OCTAVES
        self.register_buffer("prior", (-0.5 * octaves.square()).float(), persistent=False)

    def forward(self, log_mel: Tensor) -> Tensor:
        """Return the tempo of each clip.

        Args:
            log_mel: natural log of mel power `(batch, frames, bands)`.
        """
        loud = torch.maximum(log_mel, log_mel.amax(dim=(1, 2), keepdim=True) - DYNAMIC_RANGE)
        onset = (loud[:, 1:] - loud[:, :-1]).clamp(min=0).mean(-1)
        onset = onset - onset.mean(-1, keepdim=True)
        correlation = (_lagged(onset) @ onset[..., None]).squeeze(-1)
        correlation = correlation / correlation[:, :1].clamp(min=1e-9)
        strength = (1e6 * correlation[:, MIN_LAG : MAX_LAG + 1].clamp(min=0)).log1p() + self.prior
        best = strength.argmax(-1, keepdim=True) + MIN_LAG
        left, centre, right = (correlation.gather(-1, best + step).squeeze(-1) for step in (-1, 0, 1))
        shift = (0.5 * (left - right) / (left - 2 * centre + right).clamp(max=-1e-6)).clamp(-0.5, 0.5)
        return 60 * FRAME_RATE_HZ / (best.squeeze(-1) + shift)


def _lagged(track: Tensor) -> Tensor:
    """Return a track at every lag from 0 to `MAX_LAG + 1`, 0 after its end: `(batch, lags, frames)`.

    Concatenated copies of the track are split into rows one frame longer than a copy: each row starts a frame later.
    """
    lags = MAX_LAG + 2
    padded = functional.pad(track, (0, lags))
    length = track.shape[1] + lags
    copies = padded[:, None].expand(-1, lags + 1, -1).flatten(1)
    return copies[:, : lags * (length + 1)].unflatten(1, (lags, length + 1))[..., : track.shape[1]]
