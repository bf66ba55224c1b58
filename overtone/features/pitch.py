"""Waveform -> pitch track with voicing."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from overtone.features.spectrum import SAMPLE_RATE_HZ, PowerSpectrum, frames

LOW_HZ, HIGH_HZ = 65.0, 600.0
WINDOW_SAMPLES = 1024  # 64 ms: four periods of the lowest pitch
FFT_SAMPLES = 1280  # window + longest lag: the autocorrelation does not wrap around
BANDWIDTH_HZ = 2500.0  # harmonics above add cost and noise, not certainty
SHORTEST_LAG = math.ceil(SAMPLE_RATE_HZ / HIGH_HZ)  # 27
LONGEST_LAG = math.ceil(SAMPLE_RATE_HZ / LOW_HZ)  # 247
OCTAVE_COST = 0.02
VOICING_THRESHOLD = 0.5
SILENCE_THRESHOLD_DB = 28.0


class Pitch(nn.Module):
    """Waveform `(batch, samples)` -> pitch in Hz (0 where unvoiced) and periodicity in [0, 1], each `(batch, frames)`.

    The autocorrelation of each windowed frame, divided by that of the window, at its best lag between 65 and 600 Hz.

    Source: Boersma (1993), "Accurate short-term analysis of the fundamental frequency ..."; no path search: the
    correlation of neighbouring frames is averaged instead.
    """

    lag_of_power: Tensor
    mean_window: Tensor
    window_correlation: Tensor
    octave_cost: Tensor

    def __init__(self) -> None:
        super().__init__()
        bins = int(BANDWIDTH_HZ * FFT_SAMPLES / SAMPLE_RATE_HZ) + 1
        self.power = PowerSpectrum(WINDOW_SAMPLES, FFT_SAMPLES, bins)
        # One lag more on either side, for the parabola through the peak; lag 0 first.
        lags = torch.cat([torch.zeros(1), torch.arange(SHORTEST_LAG - 1, LONGEST_LAG + 2)]).double()
        angle = 2 * math.pi * torch.arange(bins, dtype=torch.float64)[:, None] * lags / FFT_SAMPLES
        weight = torch.full((bins, 1), 2.0, dtype=torch.float64)
        weight[0] = 0  # a constant offset has no pitch
        self.register_buffer("lag_of_power", (weight * angle.cos()).float(), persistent=False)
        window = torch.hann_window(WINDOW_SAMPLES, periodic=True, dtype=torch.float64)
        self.register_buffer("mean_window", (window / window.sum()).float(), persistent=False)
        spectrum = torch.fft.rfft(window, 2 * WINDOW_SAMPLES)
        correlation = torch.fft.irfft(spectrum.abs().square())
        correlation = (correlation / correlation[0])[lags.long()]
        cost = OCTAVE_COST * (lags[2:-1] * LOW_HZ / SAMPLE_RATE_HZ).log2()
        self.register_buffer("window_correlation", correlation.float(), persistent=False)
        self.register_buffer("octave_cost", cost.float(), persistent=False)

    def correlation(self, waveform: Tensor) -> Tensor:
        """Normalised autocorrelation `(batch, frames, lags)` at lags SHORTEST_LAG - 1 ... LONGEST_LAG + 1."""
        framed = frames(waveform, WINDOW_SAMPLES)
        # A constant offset has no pitch; it would leak through the window into the lowest bins.
        raw = self.power(framed - (framed @ self.mean_window)[..., None]) @ self.lag_of_power
        return raw[..., 1:] / (raw[..., :1].clamp(min=1e-9) * self.window_correlation[1:])

    def forward(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        """Pitch track and periodicity.

        Args:
            waveform: `(batch, samples)` at 16 kHz.
        """
        correlation = self.correlation(waveform)
        left, centre, right = correlation[..., :-2], correlation[..., 1:-1], correlation[..., 2:]
        # Peaks are compared by the top of their parabola: between two lags a high harmonic loses much at either.
        rise = 0.125 * (left - right).square() / (2 * centre - left - right).clamp(min=1e-6)
        top = torch.where((centre >= left) & (centre >= right), centre + rise, centre)
        cost = top - self.octave_cost
        padded = functional.pad(cost, (0, 0, 1, 1))
        smooth = 0.25 * padded[:, :-2] + 0.5 * cost + 0.25 * padded[:, 2:]
        best = smooth.argmax(dim=-1, keepdim=True)
        left = correlation.gather(-1, best).squeeze(-1)
        centre = correlation.gather(-1, best + 1).squeeze(-1)
        right = correlation.gather(-1, best + 2).squeeze(-1)
        bend = (left - 2 * centre + right).clamp(max=-1e-6)
        shift = (0.5 * (left - right) / bend).clamp(-0.5, 0.5)
        lag = best.squeeze(-1) + SHORTEST_LAG + shift
        periodicity = centre.clamp(0, 1)
        loudness = waveform_level_db(waveform)
        audible = loudness > loudness.amax(-1, keepdim=True) - SILENCE_THRESHOLD_DB
        voiced = (periodicity > VOICING_THRESHOLD) & audible & (loudness > -80)
        return torch.where(voiced, SAMPLE_RATE_HZ / lag, 0.0), periodicity


def waveform_level_db(waveform: Tensor) -> Tensor:
    """Plain level of each pitch frame in dB re full scale `(batch, frames)`."""
    power = frames(waveform, WINDOW_SAMPLES).square().mean(-1)
    return 10 / math.log(10) * power.clamp(min=1e-10).log()
