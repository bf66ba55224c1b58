"""Changes of the pitch contour: two independent ways to give a clip another contour with the same formants and timing.

`move_periods` (TD-PSOLA) moves the periods of the voice, `warp_pitch` plays the voiced parts faster or slower and
restores timing and spectral envelope. Their artefacts differ, so that a change of the prediction under both is one of
the pitch.
"""

import numpy as np

from overtone.datatypes import SAMPLE_RATE_HZ, Float32Array, FloatArray, IntArray
from overtone.inference.explaining.stft import HOP_SAMPLES, istft, stft
from overtone.inference.explaining.stretching import copy_pieces

MIN_RATIO, MAX_RATIO = 0.5, 2.0  # beyond these, the measured pitch is an octave error rather than a voice
REFINEMENT = 0.15  # of a period: how far a mark may move from where the pitch predicts it
MIN_PERIODS = 3  # of a voiced part that is changed
LIFTER_SAMPLES = 24  # 1.5 ms: of the cepstrum, the envelope without the harmonics of voices up to 600 Hz
RAMP_SAMPLES = 80


def flat_contour(pitch_hz: FloatArray) -> FloatArray:
    """Return a contour that is the median of the voiced frames, `(frames,)`, 0 in unvoiced frames.

    Args:
        pitch_hz: `(frames,)`, 0 in unvoiced frames.
    """
    is_voiced = pitch_hz > 0
    median_hz = float(np.median(pitch_hz[is_voiced])) if is_voiced.any() else 0.0
    near = np.clip(median_hz / np.where(is_voiced, pitch_hz, 1), MIN_RATIO, MAX_RATIO) * pitch_hz
    flat: FloatArray = np.where(is_voiced, near, 0.0)
    return flat


def move_periods(samples: FloatArray, pitch_hz: FloatArray, target_hz: FloatArray, hop_samples: int) -> Float32Array:
    """Return the clip with another contour, float32 `(samples,)`; unvoiced parts stay as they are.

    Args:
        samples: the clip.
        pitch_hz: its contour, `(frames,)`, 0 in unvoiced frames.
        target_hz: the other one, likewise.
        hop_samples: distance between frames.

    Source: Moulines and Charpentier, "Pitch-synchronous waveform processing techniques", 1990 (TD-PSOLA).
    """
    result = samples.astype(float)
    frames = np.arange(len(pitch_hz)) * hop_samples
    for first, end in voiced_parts(pitch_hz):
        start, stop = first * hop_samples, min((end - 1) * hop_samples, len(samples))
        if stop - start < MIN_PERIODS * SAMPLE_RATE_HZ / pitch_hz[first:end].min():
            continue
        times = np.arange(start, stop)
        periods = SAMPLE_RATE_HZ / np.interp(times, frames[first:end], pitch_hz[first:end])
        marks = _mark_periods(samples, start, periods)
        if len(marks) < MIN_PERIODS:
            continue
        targets = SAMPLE_RATE_HZ / np.interp(times, frames[first:end], target_hz[first:end])
        moved = _overlap_periods(samples, marks, marks[0] + _walk(targets[marks[0] - start :], marks[-1] - marks[0]))
        weights = _ramps(marks[-1] - marks[0])
        part = slice(marks[0], marks[-1])
        result[part] += weights * (moved - samples[part])
    return result.astype(np.float32)


def warp_pitch(samples: FloatArray, pitch_hz: FloatArray, target_hz: FloatArray, hop_samples: int) -> Float32Array:
    """Return the clip with another contour, float32 `(samples,)`; arguments as of `move_periods`.

    The clip is played at a varying speed, which changes the pitch; pieces of it are put back to their time
    (`copy_pieces`), and the spectral envelope of each frame is made that of the clip again.
    """
    frames = np.arange(len(pitch_hz)) * hop_samples
    is_voiced = pitch_hz > 0
    ratios = np.where(is_voiced, target_hz / np.where(is_voiced, pitch_hz, 1), 1.0)
    speeds = np.exp(np.interp(np.arange(len(samples)), frames, np.log(np.clip(ratios, MIN_RATIO, MAX_RATIO))))
    played_at = np.concatenate([[0.0], np.cumsum(1 / speeds)])  # the time of each sample in the played clip
    played_times = np.arange(int(played_at[-1]) + 1)
    played = np.interp(
        np.interp(played_times, played_at[:-1], np.arange(len(samples))), np.arange(len(samples)), samples
    )
    restored = copy_pieces(played, played_at[:-1])
    return _with_envelope(restored, samples)


def voiced_parts(pitch_hz: FloatArray) -> list[tuple[int, int]]:
    """Return the first frame of each voiced part and the one after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (pitch_hz > 0).astype(int), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _mark_periods(samples: FloatArray, start: int, periods: FloatArray) -> IntArray:
    """Return one sample per period of a voiced part, each where the waveform resembles the period before best.

    Args:
        samples: the clip.
        start: first sample of the part.
        periods: length of the period at each sample of the part.
    """
    stop = start + len(periods)
    middle = start + len(periods) // 2
    half = int(periods[middle - start] / 2)
    anchor = max(0, middle - half) + int(np.argmax(np.abs(samples[max(0, middle - half) : middle + half])))
    anchor = min(max(anchor, start), stop - 1)
    marks = [anchor]
    for direction in (1, -1):
        mark = anchor
        while True:
            period = round(periods[mark - start])
            following = _refine(samples, mark, mark + direction * period, period)
            if not start <= following < stop:
                break
            marks.append(following)
            mark = following
    return np.array(sorted(set(marks)))


def _refine(samples: FloatArray, mark: int, guess: int, period: int) -> int:
    """Return the sample near `guess` around which the waveform correlates best with that around `mark`."""
    reach = max(1, int(REFINEMENT * period))
    first = guess - reach - period // 2
    region = samples[max(0, first) : guess + reach + period // 2 + 1]
    template = samples[max(0, mark - period // 2) : mark + period // 2 + 1]
    if first < 0 or len(region) < len(template) + 2 * reach or mark < period // 2:
        return guess
    return guess - reach + int(np.argmax(np.correlate(region, template, mode="valid")[: 2 * reach + 1]))


def _walk(periods: FloatArray, length: int) -> IntArray:
    """Return positions from 0 to `length`, each a local period after the one before."""
    positions, position = [0.0], 0.0
    while position <= length:
        position += periods[min(int(position), len(periods) - 1)]
        positions.append(position)
    return np.round(positions).astype(int)


def _overlap_periods(samples: FloatArray, marks: IntArray, targets: IntArray) -> FloatArray:
    """Return the samples from the first to the last mark, with the nearest period of the clip at each target."""
    padded = np.pad(samples, SAMPLE_RATE_HZ // 20)
    offset = SAMPLE_RATE_HZ // 20 - marks[0]
    total, weight = np.zeros(len(padded)), np.zeros(len(padded))
    lengths = np.minimum(np.diff(marks), SAMPLE_RATE_HZ // 50)
    nearest = np.abs(targets[:, None] - marks[None, :]).argmin(1)
    for target, index in zip(targets.tolist(), nearest.tolist(), strict=True):
        before, after = int(lengths[max(0, index - 1)]), int(lengths[min(index, len(lengths) - 1)])
        window = np.concatenate([np.arange(before) / before, 1 - np.arange(after) / after])
        source, place = marks[index] + SAMPLE_RATE_HZ // 20, target + offset
        if place - before < 0 or place + after > len(padded):
            continue
        total[place - before : place + after] += window * padded[source - before : source + after]
        weight[place - before : place + after] += window
    length = marks[-1] - marks[0]
    kept = slice(SAMPLE_RATE_HZ // 20, SAMPLE_RATE_HZ // 20 + length)
    return total[kept] / np.maximum(weight[kept], 0.3)


def _ramps(length: int) -> FloatArray:
    """Return weights that rise to 1 at the start and fall from 1 at the end, `(length,)`."""
    distance = np.minimum(np.arange(length), np.arange(length)[::-1])
    return np.minimum(1.0, (distance + 1) / RAMP_SAMPLES)


def _with_envelope(samples: FloatArray, model: FloatArray) -> Float32Array:
    """Return `samples` with the spectral envelope of each frame of `model`, float32 `(samples,)`."""
    spectrogram = stft(samples)
    gains = np.exp(_log_envelopes(np.abs(stft(model))) - _log_envelopes(np.abs(spectrogram)))
    return istft(spectrogram * np.clip(gains, 0.1, 10), len(samples), hop_samples=HOP_SAMPLES)


def _log_envelopes(magnitudes: FloatArray) -> FloatArray:
    """Return the logarithm of the spectral envelope of each frame, `(frames, bins)`, by liftering the cepstrum."""
    logs = np.log(np.maximum(magnitudes, 1e-4 * magnitudes.max() + 1e-12))
    cepstra = np.fft.irfft(logs, axis=1)
    cepstra[:, LIFTER_SAMPLES : cepstra.shape[1] - LIFTER_SAMPLES + 1] = 0
    envelopes: FloatArray = np.fft.rfft(cepstra, axis=1).real
    return envelopes
