"""Voice activity detection: waveform -> probability of speech per 32 ms chunk -> speech mask per 0.1 s step.

    detector = VoiceActivityDetector()
    probabilities = np.concatenate([detector.push(samples), detector.close()])     # one per 32 ms chunk
    is_speech = speech_steps(probabilities, steps)                                 # bool, one per 0.1 s step

Source: Silero VAD 5 (MIT), a small recurrent network. The file `overtone/bundled/speech.onnx` contains the same weights
in a graph that processes many chunks at once; `tools/make_vad_model.py` builds it.
"""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime

from overtone.audio.windows import STEP_S, STEP_SAMPLES
from overtone.datatypes import SAMPLE_RATE_HZ

VAD_MODEL = Path(__file__).parent.parent / "bundled" / "speech.onnx"

CHUNK_SAMPLES = 512
CHUNK_S = CHUNK_SAMPLES / SAMPLE_RATE_HZ
CONTEXT_SAMPLES = 64  # end of the previous chunk, an input with each chunk
STATE_SHAPE = (2, 1, 128)
CHUNKS_PER_CALL = 128  # more are not faster, and need a few megabytes each
MIN_RMS = 3e-4  # -70 dB re full scale. After a long digital silence the network takes seconds to detect speech again
SPEECH_ONSET = 0.5
SPEECH_OFFSET = 0.35  # a speech segment ends where the probability falls below
MIN_SPEECH_CHUNKS = 3  # 0.1 s, half a syllable; less is a click
MARGIN_STEPS = 1  # the network detects the first consonant late, and the last breath not at all
MIN_PAUSE_STEPS = round(0.5 / STEP_S)  # a shorter pause is part of the speech


@dataclass
class VoiceActivityDetector:
    """Detects speech in one recording, which is pushed from start to end in pieces of any size."""

    _rest: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))
    _context: np.ndarray = field(default_factory=lambda: np.zeros(CONTEXT_SAMPLES, np.float32))
    _state: np.ndarray = field(default_factory=lambda: np.zeros(STATE_SHAPE, np.float32))

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Return the probability of speech in each complete chunk, float32 `(chunks,)` in [0, 1].

        Args:
            samples: the next samples of the recording, float32 `(samples,)` at 16 kHz.
        """
        samples = np.concatenate([self._rest, samples])
        complete = len(samples) // CHUNK_SAMPLES * CHUNK_SAMPLES
        self._rest = samples[complete:]
        chunks = samples[:complete].reshape(-1, CHUNK_SAMPLES)
        probabilities = np.zeros(len(chunks), np.float32)
        for first in range(0, len(chunks), CHUNKS_PER_CALL):
            batch = slice(first, first + CHUNKS_PER_CALL)
            probabilities[batch] = self._detect(chunks[batch])
        return probabilities

    def close(self) -> np.ndarray:
        """Return the probability of speech in the last, incomplete chunk, float32 `(0 or 1,)`."""
        return self.push(np.zeros(-len(self._rest) % CHUNK_SAMPLES, np.float32))

    def _detect(self, chunks: np.ndarray) -> np.ndarray:
        """Return the probability of each chunk `(chunks,)`: 0 for silent ones, which the network does not receive."""
        is_audible = chunks.std(1) > MIN_RMS
        probabilities = np.zeros(len(chunks), np.float32)
        if is_audible.any():
            audible = chunks[is_audible]
            contexts = np.vstack([self._context, audible[:-1, -CONTEXT_SAMPLES:]])
            inputs = {"chunks": np.hstack([contexts, audible]), "state": self._state}
            probabilities[is_audible], self._state = _vad_model().run(["probabilities", "next_state"], inputs)
            self._context = audible[-1, -CONTEXT_SAMPLES:]
        return probabilities


def measure_speech(samples: np.ndarray) -> float:
    """Return the duration of the speech in a clip in seconds, without margins and pauses.

    Args:
        samples: the whole clip, float32 `(samples,)` at 16 kHz.
    """
    detector = VoiceActivityDetector()
    probabilities = np.concatenate([detector.push(samples), detector.close()])
    return min(float(speech_chunks(probabilities).sum()) * CHUNK_S, len(samples) / SAMPLE_RATE_HZ)


def speech_chunks(probabilities: np.ndarray) -> np.ndarray:
    """Return the chunks with speech, bool `(chunks,)`; it starts at a high probability, and ends at a low one.

    Args:
        probabilities: of speech `(chunks,)`, from a `VoiceActivityDetector`.
    """
    is_speech = _hysteresis(probabilities)
    for first, end in runs(is_speech):
        if end - first < MIN_SPEECH_CHUNKS:
            is_speech[first:end] = False
    return is_speech


def speech_steps(probabilities: np.ndarray, steps: int) -> np.ndarray:
    """Return the steps with speech, bool `(steps,)`: the speech of `speech_chunks` with a margin on both sides.

    Pauses of less than half a second, also at the start and the end of the recording, are part of the speech.

    Args:
        probabilities: of speech `(chunks,)`, from a `VoiceActivityDetector`.
        steps: number of steps of the recording.
    """
    is_speech = np.zeros(steps, bool)
    for first, end in runs(speech_chunks(probabilities)):
        first_step, end_step = first * CHUNK_SAMPLES // STEP_SAMPLES, -(-end * CHUNK_SAMPLES // STEP_SAMPLES)
        is_speech[max(0, first_step - MARGIN_STEPS) : end_step + MARGIN_STEPS] = True
    for first, end in runs(~is_speech) if is_speech.any() else ():
        if end - first < MIN_PAUSE_STEPS:
            is_speech[first:end] = True
    return is_speech


def runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Return the runs of true values of a mask `(n,)`: the first position of each run and the one after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _hysteresis(probabilities: np.ndarray) -> np.ndarray:
    """Return whether the latest probability above onset or below offset was above onset, bool `(chunks,)`."""
    is_high, is_low = probabilities >= SPEECH_ONSET, probabilities < SPEECH_OFFSET
    latest = np.maximum.accumulate(np.where(is_high | is_low, np.arange(len(probabilities)), 0))
    return is_high[latest]


@cache
def _vad_model() -> onnxruntime.InferenceSession:
    """Load the network once; its state is an input and an output, so all detectors share it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    onnxruntime.disable_telemetry_events()
    return onnxruntime.InferenceSession(VAD_MODEL, options, providers=["CPUExecutionProvider"])
