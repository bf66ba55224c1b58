"""Pitch: waveform -> fundamental frequency and periodicity per frame."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from overtone.features.active_span import batch_span, max_filter
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
MIN_BIN, MAX_BIN = 3, 200  # 37.5 Hz: below any voice; 2.5 kHz: higher harmonics add noise, not certainty
MIN_LAG = math.ceil(SAMPLE_RATE_HZ / HIGH_HZ)  # 27
MAX_LAG = math.ceil(SAMPLE_RATE_HZ / LOW_HZ)  # 247
OCTAVE_COST = 0.02
VOICING_THRESHOLD = 0.5
SILENCE_THRESHOLD_DB = 28.0  # below the loudest frame
MIN_LEVEL_DB = -80.0


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
        self.power = PowerSpectrum(FFT_SAMPLES, range(MIN_BIN, MAX_BIN + 1))
        # One more lag on each side, for the parabola through the peak.
        lags = torch.arange(MIN_LAG - 1, MAX_LAG + 2)
        bins = torch.tensor(self.power.bins, dtype=torch.float64)
        window = torch.hann_window(2 * WINDOW_SAMPLES, periodic=True, dtype=torch.float64)
        correlation = torch.fft.irfft(torch.fft.rfft(window, 4 * WINDOW_SAMPLES).abs().square())
        window_correlation = (correlation / correlation[0])[lags]
        lag_of_power = (math.pi * bins[:, None] * lags / FFT_SAMPLES).cos() / window_correlation
        self.register_buffer("window", window[::2].float(), persistent=False)
        self.register_buffer("lag_of_power", lag_of_power.float(), persistent=False)
        cost = OCTAVE_COST * (lags[1:-1].double() * LOW_HZ / SAMPLE_RATE_HZ).log2()
        self.register_buffer("octave_cost", cost.float(), persistent=False)

    def correlation(self, hop_blocks: Tensor) -> Tensor:
        """Return the normalised autocorrelation `(batch, frames, lags)` at lags MIN_LAG - 1 ... MAX_LAG + 1.

        Args:
            hop_blocks: hops of the frames `(batch, frames + 3, HOP_SAMPLES)`.
        """
        half = self.half_rate(hop_blocks.flatten(1)).unflatten(1, (hop_blocks.shape[1], HOP_SAMPLES // 2))
        windowed = frames(half, HOPS_PER_LONGEST_WINDOW) * self.window
        power = self.power(*functional.pad(windowed, (0, FFT_SAMPLES - WINDOW_SAMPLES)).chunk(2, dim=-1))
        return (power @ self.lag_of_power) / power.sum(-1, keepdim=True).clamp(min=1e-9)

    def forward(self, waveform: Tensor, loudness_db: Tensor) -> tuple[Tensor, Tensor]:
        """Return the pitch track and the periodicity.

        Args:
            waveform: `(batch, samples)` at 16 kHz, of mean 0.
            loudness_db: `(batch, frames)`; frames far below the loudest one have no pitch.
        """
        audible = loudness_db > (loudness_db.amax(-1, keepdim=True) - SILENCE_THRESHOLD_DB).clamp(min=MIN_LEVEL_DB)
        # Most recordings start and end with silence, which would take half of the time of this front end.
        # One more frame on each side, as each is smoothed with its neighbours.
        span = batch_span(max_filter(audible.to(torch.float32), 1, 1) > 0)
        hop_span = torch.cat([span, span[-1:] + torch.arange(1, HOPS_PER_LONGEST_WINDOW, device=span.device)])
        correlation = self.correlation(hops(waveform).index_select(1, hop_span))
        left, centre, right = correlation[..., :-2], correlation[..., 1:-1], correlation[..., 2:]
        # Peaks are compared by the maximum of their parabola: a high harmonic between two lags is much lower at both.
        slope = left - right
        shift = (slope / (centre + centre - left - right).clamp(min=1e-6)).clamp(-1, 1)
        cost = centre + 0.125 * slope * shift - self.octave_cost
        padded = functional.pad(cost, (0, 0, 1, 1))
        smooth = cost + cost + padded[:, :-2] + padded[:, 2:]
        best = smooth.argmax(dim=-1, keepdim=True)
        left = correlation.gather(-1, best).squeeze(-1)
        centre = correlation.gather(-1, best + 1).squeeze(-1)
        right = correlation.gather(-1, best + 2).squeeze(-1)
        curvature = (left - 2 * centre + right).clamp(max=-1e-6)
        shift = (0.5 * (left - right) / curvature).clamp(-0.5, 0.5)
        lag = best.squeeze(-1) + MIN_LAG + shift
        periodicity = centre.clamp(0, 1)
        pitch_hz = torch.where(periodicity > VOICING_THRESHOLD, SAMPLE_RATE_HZ / lag, 0.0)
        # Back to all frames; frames outside the span are not audible.
        position = (torch.arange(audible.shape[1], device=span.device) - span[0]).clamp(min=0)
        position = torch.minimum(position, span[-1] - span[0])
        return pitch_hz.index_select(1, position) * audible, periodicity.index_select(1, position) * audible
