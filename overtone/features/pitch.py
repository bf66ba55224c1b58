"""Waveform -> pitch track with voicing."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from overtone.features.active_span import max_filter, span_of
from overtone.features.spectrum import (
    HOP_SAMPLES,
    HOPS_PER_LONGEST_WINDOW,
    SAMPLE_RATE_HZ,
    HalfRate,
    PowerSpectrum,
    frames,
    hops,
)

LOW_HZ, HIGH_HZ = 65.0, 600.0
WINDOW_SAMPLES = 512  # at half rate: 64 ms, four periods of the lowest pitch
FFT_SAMPLES = 640  # window + longest lag: the autocorrelation does not wrap around
LOWEST_BIN, HIGHEST_BIN = 3, 200  # 37.5 Hz: below is no voice; 2.5 kHz: harmonics above add noise, not certainty
SHORTEST_LAG = math.ceil(SAMPLE_RATE_HZ / HIGH_HZ)  # 27
LONGEST_LAG = math.ceil(SAMPLE_RATE_HZ / LOW_HZ)  # 247
OCTAVE_COST = 0.02
VOICING_THRESHOLD = 0.5
SILENCE_THRESHOLD_DB = 28.0  # below the loudest frame
FAINTEST_DB = -80.0


class Pitch(nn.Module):
    """Waveform `(batch, samples)` -> pitch in Hz (0 where unvoiced) and periodicity in [0, 1], each `(batch, frames)`.

    Both are 0 where nothing is audible.

    The autocorrelation of each windowed frame, divided by that of the window, at its best lag between 65 and 600 Hz.

    Source: Boersma (1993), "Accurate short-term analysis of the fundamental frequency ..."; no path search: the
    correlation of neighbouring frames is averaged instead.
    """

    window: Tensor
    lag_of_power: Tensor
    octave_cost: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.half_rate = HalfRate()
        self.power = PowerSpectrum(FFT_SAMPLES, range(LOWEST_BIN, HIGHEST_BIN + 1))
        # One lag more on either side, for the parabola through the peak.
        lags = torch.arange(SHORTEST_LAG - 1, LONGEST_LAG + 2)
        bins = torch.tensor(self.power.bins, dtype=torch.float64)
        window = torch.hann_window(2 * WINDOW_SAMPLES, periodic=True, dtype=torch.float64)
        correlation = torch.fft.irfft(torch.fft.rfft(window, 4 * WINDOW_SAMPLES).abs().square())
        of_window = (correlation / correlation[0])[lags]
        lag_of_power = (math.pi * bins[:, None] * lags / FFT_SAMPLES).cos() / of_window
        self.register_buffer("window", window[::2].float(), persistent=False)
        self.register_buffer("lag_of_power", lag_of_power.float(), persistent=False)
        cost = OCTAVE_COST * (lags[1:-1].double() * LOW_HZ / SAMPLE_RATE_HZ).log2()
        self.register_buffer("octave_cost", cost.float(), persistent=False)

    def correlation(self, cut: Tensor) -> Tensor:
        """Normalised autocorrelation `(batch, frames, lags)` at lags SHORTEST_LAG - 1 ... LONGEST_LAG + 1.

        Args:
            cut: hops of the frames `(batch, frames + 3, HOP_SAMPLES)`.
        """
        half = self.half_rate(cut.flatten(1)).unflatten(1, (cut.shape[1], HOP_SAMPLES // 2))
        windowed = frames(half, HOPS_PER_LONGEST_WINDOW) * self.window
        power = self.power(*functional.pad(windowed, (0, FFT_SAMPLES - WINDOW_SAMPLES)).chunk(2, dim=-1))
        return (power @ self.lag_of_power) / power.sum(-1, keepdim=True).clamp(min=1e-9)

    def forward(self, waveform: Tensor, loudness_db: Tensor) -> tuple[Tensor, Tensor]:
        """Pitch track and periodicity.

        Args:
            waveform: `(batch, samples)` at 16 kHz, of mean 0.
            loudness_db: `(batch, frames)`; what is far below the loudest has no pitch.
        """
        audible = loudness_db > (loudness_db.amax(-1, keepdim=True) - SILENCE_THRESHOLD_DB).clamp(min=FAINTEST_DB)
        # Most recordings begin and end with silence: half of the time of this front end would go into it.
        # One frame more on either side, as each is smoothed with its neighbours.
        span = span_of(max_filter(audible.to(torch.float32), 1, 1) > 0)
        around = torch.cat([span, span[-1:] + torch.arange(1, HOPS_PER_LONGEST_WINDOW, device=span.device)])
        correlation = self.correlation(hops(waveform).index_select(1, around))
        left, centre, right = correlation[..., :-2], correlation[..., 1:-1], correlation[..., 2:]
        # Peaks are compared by the top of their parabola: between two lags a high harmonic loses much at either.
        slope = left - right
        shift = (slope / (centre + centre - left - right).clamp(min=1e-6)).clamp(-1, 1)
        cost = centre + 0.125 * slope * shift - self.octave_cost
        padded = functional.pad(cost, (0, 0, 1, 1))
        smooth = cost + cost + padded[:, :-2] + padded[:, 2:]
        best = smooth.argmax(dim=-1, keepdim=True)
        left = correlation.gather(-1, best).squeeze(-1)
        centre = correlation.gather(-1, best + 1).squeeze(-1)
        right = correlation.gather(-1, best + 2).squeeze(-1)
        bend = (left - 2 * centre + right).clamp(max=-1e-6)
        shift = (0.5 * (left - right) / bend).clamp(-0.5, 0.5)
        lag = best.squeeze(-1) + SHORTEST_LAG + shift
        periodicity = centre.clamp(0, 1)
        pitch_hz = torch.where(periodicity > VOICING_THRESHOLD, SAMPLE_RATE_HZ / lag, 0.0)
        # Among all frames again; what lies outside the span is not audible.
        place = (torch.arange(audible.shape[1], device=span.device) - span[0]).clamp(min=0)
        place = torch.minimum(place, span[-1] - span[0])
        return pitch_hz.index_select(1, place) * audible, periodicity.index_select(1, place) * audible
