"""Waveform -> where somebody speaks, and where nobody does: silence, noise, hum and music are not given an emotion.

detector = SpeechDetector()                                                    # of `overtone.audio.detector`
probabilities = np.concatenate([detector.push(samples), detector.close()])     # one per chunk of 32 ms
spoken = speech_steps(probabilities, steps)                                    # bool, per step of 0.1 s
"""

import numpy as np

from overtone.audio.detector import CHUNK_SAMPLES
from overtone.audio.windows import STEP_S, STEP_SAMPLES

SPEECH_FROM = 0.5
SPEECH_UNTIL = 0.35  # within speech: it ends where the probability falls below
SHORTEST_CHUNKS = 3  # 0.1 s, half a syllable; less is a click
MARGIN_STEPS = 1  # the network hears the first consonant late, and the last breath not at all
PAUSE_STEPS = round(0.5 / STEP_S)  # a shorter pause is part of the speech


def speech_steps(probabilities: np.ndarray, steps: int) -> np.ndarray:
    """Steps in which somebody speaks, bool `(steps,)`.

    A stretch of speech begins where the probability is high and ends where it is low. Clicks are left out; pauses of
    less than half a second, before and after it too, are part of the speech.

    Args:
        probabilities: of speech `(chunks,)`, as a `SpeechDetector` gives them.
        steps: of the recording.
    """
    spoken = np.zeros(steps, bool)
    for first, end in runs(_held(probabilities)):
        if end - first >= SHORTEST_CHUNKS:
            begins, ends = first * CHUNK_SAMPLES // STEP_SAMPLES, -(-end * CHUNK_SAMPLES // STEP_SAMPLES)
            spoken[max(0, begins - MARGIN_STEPS) : ends + MARGIN_STEPS] = True
    for first, end in runs(~spoken) if spoken.any() else ():
        if end - first < PAUSE_STEPS:
            spoken[first:end] = True
    return spoken


def runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Where a mask `(n,)` is true: first position of each run and the one after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _held(probabilities: np.ndarray) -> np.ndarray:
    """Whether the last probability that was high or low was high, bool `(chunks,)`."""
    high, low = probabilities >= SPEECH_FROM, probabilities < SPEECH_UNTIL
    decided = np.where(high | low, np.arange(len(probabilities)), 0)
    return high[np.maximum.accumulate(decided)] if len(decided) else high
