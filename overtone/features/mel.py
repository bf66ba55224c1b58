"""Waveform -> log-mel picture."""

import torch
from torch import Tensor, nn

from overtone.features.spectrum import HOP_SAMPLES, SAMPLE_RATE_HZ, PowerSpectrum, hops

WINDOW_SAMPLES = 2 * HOP_SAMPLES
BANDS = 64
POWER_FLOOR = 1e-7
LOW_HZ, HIGH_HZ = 0.0, SAMPLE_RATE_HZ / 2
LINEAR_HZ_PER_MEL, LINEAR_LIMIT_HZ = 200 / 3, 1000.0
LOG_STEP = torch.tensor(6.4, dtype=torch.float64).log() / 27


def mel_of_hz(hz: Tensor) -> Tensor:
    """Mel values: linear below 1 kHz, logarithmic above.

    Source: Slaney, Auditory Toolbox (1998); the default of librosa.
    """
    linear = hz / LINEAR_HZ_PER_MEL
    log = LINEAR_LIMIT_HZ / LINEAR_HZ_PER_MEL + (hz.clamp(min=1e-3) / LINEAR_LIMIT_HZ).log() / LOG_STEP
    return torch.where(hz < LINEAR_LIMIT_HZ, linear, log)


def hz_of_mel(mel: Tensor) -> Tensor:
    """Inverse of `mel_of_hz`, in Hz."""
    limit = LINEAR_LIMIT_HZ / LINEAR_HZ_PER_MEL
    return torch.where(mel < limit, mel * LINEAR_HZ_PER_MEL, LINEAR_LIMIT_HZ * ((mel - limit) * LOG_STEP).exp())


def mel_filters(bands: int = BANDS, fft_samples: int = WINDOW_SAMPLES) -> Tensor:
    """Triangular filters of equal area, float64 `(fft_samples // 2 + 1, bands)`.

    Source: Slaney, Auditory Toolbox (1998).
    """
    limits = mel_of_hz(torch.tensor([LOW_HZ, HIGH_HZ], dtype=torch.float64))
    steps = torch.linspace(0, 1, bands + 2, dtype=torch.float64)
    edges_hz = hz_of_mel(limits[0] + steps * (limits[1] - limits[0]))
    bins_hz = torch.linspace(0, SAMPLE_RATE_HZ / 2, fft_samples // 2 + 1, dtype=torch.float64)
    low, centre, high = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising = (bins_hz[:, None] - low) / (centre - low)
    falling = (high - bins_hz[:, None]) / (high - centre)
    return torch.minimum(rising, falling).clamp(min=0) * (2 / (high - low))


class LogMel(nn.Module):
    """Waveform `(batch, samples)` -> natural log of mel power `(batch, frames, BANDS)`, at least log(POWER_FLOOR)."""

    rising: Tensor
    falling: Tensor
    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        window = torch.hann_window(WINDOW_SAMPLES, periodic=True, dtype=torch.float64).float()
        for name, half in zip(("rising", "falling"), window.chunk(2), strict=True):
            self.register_buffer(name, half.clone(), persistent=False)
        # Without 0 Hz and 8 kHz, which no filter hears.
        self.power = PowerSpectrum(WINDOW_SAMPLES, range(1, WINDOW_SAMPLES // 2), steps=3)
        self.register_buffer("filters", mel_filters()[self.power.bins].float(), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Log-mel picture.

        Args:
            waveform: `(batch, samples)` at 16 kHz.
        """
        cut = hops(waveform)  # a frame is two of them
        power = self.power((cut * self.rising)[:, 1:-2], (cut * self.falling)[:, 2:-1])
        return (power @ self.filters).clamp(min=POWER_FLOOR).log()
