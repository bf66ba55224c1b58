"""Voice activity detection: waveform -> probability of speech per 32 ms chunk -> speech mask per 0.1 s step.

    detector = SpeechDetector()
    probabilities = np.concatenate([detector.push(samples), detector.close()])     # one per 32 ms chunk
    is_speech = speech_steps(probabilities, steps)                                 # bool, one per 0.1 s step

Source: Silero VAD 5 (MIT), a small recurrent network that hears chunk after chunk. `tools/make_speech_detector.py`
made the file of it: the same weights in a graph that takes many chunks at once.
"""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime

from overtone.audio.windows import STEP_S, STEP_SAMPLES

MODEL = Path(__file__).parent.parent / "bundled" / "speech.onnx"

CHUNK_SAMPLES = 512
CONTEXT_SAMPLES = 64  # of the chunk before, heard again with each
STATE_SHAPE = (2, 1, 128)
CHUNKS_AT_ONCE = 128  # more are no faster, and a few megabytes each
MIN_RMS = 3e-4  # -70 dB re full scale. After a long digital silence the network takes seconds to hear speech again
SPEECH_ONSET = 0.5
SPEECH_OFFSET = 0.35  # within speech: it ends where the probability falls below
SHORTEST_CHUNKS = 3  # 0.1 s, half a syllable; less is a click
MARGIN_STEPS = 1  # the network hears the first consonant late, and the last breath not at all
PAUSE_STEPS = round(0.5 / STEP_S)  # a shorter pause is part of the speech


@cache
def _network() -> onnxruntime.InferenceSession:
    """The network, loaded once; what it remembers is handed to it and back, so that all detectors can share it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    onnxruntime.disable_telemetry_events()
    return onnxruntime.InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])


@dataclass
class SpeechDetector:
    """Hears one recording from its beginning to its end, in pieces of any size."""

    _rest: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))
    _context: np.ndarray = field(default_factory=lambda: np.zeros(CONTEXT_SAMPLES, np.float32))
    _state: np.ndarray = field(default_factory=lambda: np.zeros(STATE_SHAPE, np.float32))

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Probability of speech in each chunk that is whole by now, float32 `(chunks,)` in [0, 1].

        Args:
            samples: float32 `(samples,)` at 16 kHz, what follows on those before.
        """
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) // CHUNK_SAMPLES * CHUNK_SAMPLES
        self._rest = samples[whole:]
        chunks = samples[:whole].reshape(-1, CHUNK_SAMPLES)
        probabilities = np.zeros(len(chunks), np.float32)
        for first in range(0, len(chunks), CHUNKS_AT_ONCE):
            some = slice(first, first + CHUNKS_AT_ONCE)
            probabilities[some] = self._detect(chunks[some])
        return probabilities

    def close(self) -> np.ndarray:
        """Probability in the last chunk, which is not whole; float32 `(0 or 1,)`."""
        return self.push(np.zeros(-len(self._rest) % CHUNK_SAMPLES, np.float32))

    def _detect(self, chunks: np.ndarray) -> np.ndarray:
        """Probability of each chunk `(chunks,)`: 0 where nothing is audible, which the network does not hear at all."""
        audible = chunks.std(1) > MIN_RMS
        probabilities = np.zeros(len(chunks), np.float32)
        if audible.any():
            heard = chunks[audible]
            before = np.vstack([self._context, heard[:-1, -CONTEXT_SAMPLES:]])
            inputs = {"chunks": np.hstack([before, heard]), "state": self._state}
            probabilities[audible], self._state = _network().run(["probabilities", "next_state"], inputs)
            self._context = heard[-1, -CONTEXT_SAMPLES:]
        return probabilities


def speech_steps(probabilities: np.ndarray, steps: int) -> np.ndarray:
    """Steps in which somebody speaks, bool `(steps,)`.

    A stretch of speech begins where the probability is high and ends where it is low. Clicks are left out; pauses of
    less than half a second, before and after it too, are part of the speech.

    Args:
        probabilities: of speech `(chunks,)`, as a `SpeechDetector` gives them.
        steps: of the recording.
    """
    spoken = np.zeros(steps, bool)
    for first, end in runs(_hysteresis(probabilities)):
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


def _hysteresis(probabilities: np.ndarray) -> np.ndarray:
    """Whether the last probability that was high or low was high, bool `(chunks,)`."""
    high, low = probabilities >= SPEECH_ONSET, probabilities < SPEECH_OFFSET
    decided = np.where(high | low, np.arange(len(probabilities)), 0)
    return high[np.maximum.accumulate(decided)] if len(decided) else high
