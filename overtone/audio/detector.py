"""Chunks of 32 ms -> how likely somebody speaks in each: Silero VAD 5 on onnxruntime.

    detector = SpeechDetector()
    probabilities = np.concatenate([detector.push(samples), detector.close()])

Source: Silero VAD 5 (MIT), a small recurrent network that hears chunk after chunk. `examples/make_speech_detector.py`
made the file of it: the same weights in a graph that takes many chunks at once.
"""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime

MODEL = Path(__file__).parent.parent / "bundled" / "speech.onnx"

CHUNK_SAMPLES = 512
CONTEXT_SAMPLES = 64  # of the chunk before, heard again with each
STATE_SHAPE = (2, 1, 128)
CHUNKS_AT_ONCE = 128  # more are no faster, and a few megabytes each
AUDIBLE = 3e-4  # -70 dB re full scale. After a long digital silence the network takes seconds to hear speech again


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
            probabilities[some] = self._heard(chunks[some])
        return probabilities

    def close(self) -> np.ndarray:
        """Probability in the last chunk, which is not whole; float32 `(0 or 1,)`."""
        return self.push(np.zeros(-len(self._rest) % CHUNK_SAMPLES, np.float32))

    def _heard(self, chunks: np.ndarray) -> np.ndarray:
        """Probability of each chunk `(chunks,)`: 0 where nothing is audible, which the network does not hear at all."""
        audible = chunks.std(1) > AUDIBLE
        probabilities = np.zeros(len(chunks), np.float32)
        if audible.any():
            heard = chunks[audible]
            before = np.vstack([self._context, heard[:-1, -CONTEXT_SAMPLES:]])
            inputs = {"chunks": np.hstack([before, heard]), "state": self._state}
            probabilities[audible], self._state = _network().run(["probabilities", "next_state"], inputs)
            self._context = heard[-1, -CONTEXT_SAMPLES:]
        return probabilities
