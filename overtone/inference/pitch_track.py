"""Waveform -> pitch contour: the candidates of each frame from its autocorrelation, and the best path through them.

The graph of a model measures the pitch too, for its branches, but each frame almost on its own: its track jumps by an
octave and back. This is the contour that predictions and timelines show; its path makes such jumps expensive.

Source: Boersma (1993), "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
sampled sound", with its constants unless a comment says otherwise.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from overtone.datatypes import SAMPLE_RATE_HZ, FloatArray, IntArray

LOW_HZ, HIGH_HZ = 65.0, 600.0
HOP_SAMPLES = 256  # 16 ms, as in the graph
HOPS_PER_WINDOW = 3  # 48 ms: three periods of the lowest pitch
WINDOW_SAMPLES = HOPS_PER_WINDOW * HOP_SAMPLES
FFT_SAMPLES = 1024  # at least window + longest lag: the autocorrelation does not wrap around
MIN_BIN = 3  # 47 Hz: rumble below any voice would make the autocorrelation high at all lags (not in the paper)
MIN_LAG, MAX_LAG = int(SAMPLE_RATE_HZ / HIGH_HZ), int(np.ceil(SAMPLE_RATE_HZ / LOW_HZ))
CANDIDATES = 6  # with a pitch, per frame; the paper has up to 14, which hardly changes the paths
VOICING_THRESHOLD, OCTAVE_COST = 0.45, 0.01
SILENT_LEVEL = 0.03 / (1 + VOICING_THRESHOLD)  # with the silence threshold of 0.03
COST_SCALE = 0.01 * SAMPLE_RATE_HZ / HOP_SAMPLES  # the paper has the following costs for frames 10 ms apart
OCTAVE_JUMP_COST, VOICING_CHANGE_COST = 0.35 * COST_SCALE, 0.14 * COST_SCALE
NO_CANDIDATE = -1e9  # strength
BLOCK_FRAMES = 32  # that are transformed at once; larger blocks leave the cache of the processor


class _Candidates(NamedTuple):
    """Possible pitches of consecutive frames; the first candidate of each frame is that it is unvoiced.

    Attributes:
        log_hz: binary logarithm of the pitch, `(frames, 1 + CANDIDATES)`; 0 without a candidate, and of the first.
        strength: likewise; `NO_CANDIDATE` without a candidate.
    """

    log_hz: FloatArray
    strength: FloatArray


def track_pitch(samples: FloatArray, frames: int) -> FloatArray:
    """The pitch of each frame in Hz, `(frames,)`, between 65 and 600; 0 where unvoiced.

    Args:
        samples: `(samples,)` at 16 kHz.
        frames: number of frames, one every `HOP_SAMPLES`; the first sample is in the middle of the first frame.
    """
    pitch_hz = np.zeros(frames)
    missing = max(0, frames * HOP_SAMPLES - len(samples))
    padded = np.pad(samples - samples.mean(), (WINDOW_SAMPLES // 2, WINDOW_SAMPLES + missing))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)[::HOP_SAMPLES][:frames]
    unvoiced = VOICING_THRESHOLD + np.maximum(0, 2 - _levels(padded, frames) / SILENT_LEVEL)
    # Above, no pitch can be stronger than being unvoiced, whatever the frames around it are.
    audible = unvoiced < VOICING_THRESHOLD + 1
    for first, end in np.flatnonzero(np.diff(audible, prepend=False, append=False)).reshape(-1, 2).tolist():
        starts = range(first, end, BLOCK_FRAMES)
        blocks = [_find_candidates(windows[start : min(start + BLOCK_FRAMES, end)]) for start in starts]
        log_hz, strength = map(np.concatenate, zip(*blocks, strict=True))
        strength[:, 0] = unvoiced[first:end]
        chosen = _best_path(_Candidates(log_hz, strength))
        pitch_hz[first:end] = np.where(chosen > 0, 2 ** log_hz[np.arange(end - first), chosen], 0)
    return pitch_hz


def _levels(padded: FloatArray, frames: int) -> FloatArray:
    """The peak of each frame, relative to that of all frames, `(frames,)` in [0, 1]; 0 in digital silence."""
    half_hop = HOP_SAMPLES // 2
    half_hops = np.abs(padded[: len(padded) // half_hop * half_hop]).reshape(-1, half_hop).max(1)
    peaks = np.lib.stride_tricks.sliding_window_view(half_hops, 2 * HOPS_PER_WINDOW)[::2][:frames].max(1)
    levels: FloatArray = peaks / max(peaks.max(initial=0), 1e-9)
    return levels


@cache
def _window() -> tuple[FloatArray, FloatArray]:
    """The Hann window of a frame, and its normalised autocorrelation at the lags MIN_LAG - 1 ... MAX_LAG + 1."""
    window = np.sin(np.pi * (np.arange(WINDOW_SAMPLES) + 0.5) / WINDOW_SAMPLES) ** 2
    power = np.abs(np.fft.rfft(window, FFT_SAMPLES)) ** 2
    correlation = np.fft.irfft(power)
    return window, correlation[MIN_LAG - 1 : MAX_LAG + 2] / correlation[0]


def _find_candidates(windows: FloatArray) -> _Candidates:
    """The strongest peaks of the autocorrelation of each frame; the strength of being unvoiced is not set.

    Args:
        windows: the samples of the frames, `(frames, WINDOW_SAMPLES)`.
    """
    shape, window_correlation = _window()
    spectrum = np.fft.rfft(windows * shape, FFT_SAMPLES)
    power = spectrum.real**2 + spectrum.imag**2
    power[:, :MIN_BIN] = 0
    correlation = np.fft.irfft(power)
    energy = np.maximum(correlation[:, :1], 1e-12)
    correlation = correlation[:, MIN_LAG - 1 : MAX_LAG + 2] / (energy * window_correlation)
    left, centre, right = correlation[:, :-2], correlation[:, 1:-1], correlation[:, 2:]
    frame, column = np.nonzero((centre > left) & (centre >= right) & (centre > VOICING_THRESHOLD / 2))
    left, centre, right = left[frame, column], centre[frame, column], right[frame, column]
    shift = 0.5 * (right - left) / (2 * centre - left - right)  # of the top of the parabola through the three
    height = centre + 0.25 * (right - left) * shift
    log_hz = np.log2(SAMPLE_RATE_HZ / (MIN_LAG + column + shift))
    strength = np.minimum(height, 1 / height) - OCTAVE_COST * (np.log2(LOW_HZ) - log_hz)
    inside = (log_hz >= np.log2(LOW_HZ)) & (log_hz <= np.log2(HIGH_HZ))
    return _strongest(len(windows), frame[inside], log_hz[inside], strength[inside])


def _strongest(frames: int, frame: IntArray, log_hz: FloatArray, strength: FloatArray) -> _Candidates:
    """The `CANDIDATES` strongest of all candidates of each frame.

    Args:
        frames: number of frames.
        frame: that of each candidate, in ascending order, `(candidates,)`.
        log_hz: of each candidate, likewise.
        strength: of each candidate, likewise.
    """
    order = np.lexsort((-strength, frame))
    rank = np.arange(len(frame)) - np.searchsorted(frame, frame)
    order, row, column = order[rank < CANDIDATES], frame[rank < CANDIDATES], 1 + rank[rank < CANDIDATES]
    table = _Candidates(np.zeros((frames, 1 + CANDIDATES)), np.full((frames, 1 + CANDIDATES), NO_CANDIDATE))
    table.log_hz[row, column], table.strength[row, column] = log_hz[order], strength[order]
    return table


def _best_path(candidates: _Candidates) -> IntArray:
    """The candidate of each frame, `(frames,)`, on the path of the greatest strength less costs; Viterbi's algorithm.

    The frames before and after these are unvoiced.
    """
    log_hz, strength = candidates
    cost = OCTAVE_JUMP_COST * np.abs(log_hz[1:, np.newaxis] - log_hz[:-1, :, np.newaxis])
    cost[:, 0, :] = cost[:, :, 0] = VOICING_CHANGE_COST
    cost[:, 0, 0] = 0
    voicing_cost = np.where(np.arange(1 + CANDIDATES) > 0, VOICING_CHANGE_COST, 0)
    total = strength[0] - voicing_cost
    before = np.zeros(log_hz.shape, int)
    columns = np.arange(1 + CANDIDATES)
    for frame in range(1, len(log_hz)):
        sums = total[:, np.newaxis] - cost[frame - 1]
        before[frame] = sums.argmax(0)
        total = sums[before[frame], columns] + strength[frame]
    path = np.zeros(len(log_hz), int)
    path[-1] = (total - voicing_cost).argmax()
    for frame in range(len(log_hz) - 1, 0, -1):
        path[frame - 1] = before[frame, path[frame]]
    return path
