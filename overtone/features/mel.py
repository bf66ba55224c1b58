"""Log-mel spectrogram: waveform -> log power per frame and mel band."""

import torch
from torch import Tensor, nn

from overtone.features.spectrum import HOP_SAMPLES, SAMPLE_RATE_HZ, PowerSpectrum, hops

WINDOW_SAMPLES = 2 * HOP_SAMPLES
BANDS = 64
POWER_FLOOR = 1e-7
LOW_HZ, HIGH_HZ = 0.0, SAMPLE_RATE_HZ / 2
LINEAR_HZ_PER_MEL, LINEAR_LIMIT_HZ = 200 / 3, 1000.0
LOG_STEP = torch.tensor(6.4, dtype=torch.float64).log() / 27


def hz_to_mel(hz: Tensor) -> Tensor:
    """Return mel values: linear below 1 kHz, logarithmic above.

    Source: Slaney, Auditory Toolbox (1998); the default of librosa.
    """
    linear = hz / LINEAR_HZ_PER_MEL
    log = LINEAR_LIMIT_HZ / LINEAR_HZ_PER_MEL + (hz.clamp(min=1e-3) / LINEAR_LIMIT_HZ).log() / LOG_STEP
    return torch.where(hz < LINEAR_LIMIT_HZ, linear, log)


def mel_to_hz(mel: Tensor) -> Tensor:
    """Return the inverse of `hz_to_mel`, in Hz."""
    limit = LINEAR_LIMIT_HZ / LINEAR_HZ_PER_MEL
    return torch.where(mel < limit, mel * LINEAR_HZ_PER_MEL, LINEAR_LIMIT_HZ * ((mel - limit) * LOG_STEP).exp())


def mel_filters(bands: int = BANDS, fft_samples: int = WINDOW_SAMPLES) -> Tensor:
    """Return triangular filters of equal area, float64 `(fft_samples // 2 + 1, bands)`.

    Source: Slaney, Auditory Toolbox (1998).
    """
    limits = hz_to_mel(torch.tensor([LOW_HZ, HIGH_HZ], dtype=torch.float64))
    steps = torch.linspace(0, 1, bands + 2, dtype=torch.float64)
    edges_hz = mel_to_hz(limits[0] + steps * (limits[1] - limits[0]))
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
        # Without 0 Hz and 8 kHz, which are outside all filters.
        self.power = PowerSpectrum(WINDOW_SAMPLES, range(1, WINDOW_SAMPLES // 2), steps=3)
        self.register_buffer("filters", mel_filters()[self.power.bins].float(), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the log-mel spectrogram.

        Args:
            waveform: `(batch, samples)` at 16 kHz.
        """
        hop_blocks = hops(waveform)  # a frame consists of two hops
        power = self.power((hop_blocks * self.rising)[:, 1:-2], (hop_blocks * self.falling)[:, 2:-1])
        return (power @ self.filters).clamp(min=POWER_FLOOR).log()
