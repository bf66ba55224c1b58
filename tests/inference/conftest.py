"""Fixtures shared by the tests of inference: labelled clips in one file, and a tiny model."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model
from synthetic_audio import RATE_HZ, voice

from overtone.datatypes import Utterance
from overtone.inference.recogniser import Recogniser, load

EMOTIONS = ("neutral", "happy", "sad")


@pytest.fixture
def clips(tmp_path: Path) -> list[Utterance]:
    """Return three clips of two speakers, in one file."""
    path = tmp_path / "talk.wav"
    soundfile.write(path, np.concatenate([voice(100.0 * k, 1.0, 0.1 * k) for k in (1, 2, 3)]), RATE_HZ, "FLOAT")
    return [
        Utterance(path, emotion, f"s{k // 2}", "1", "ravdess", float(k), k + 1.0, clip=f"talk#{k}")
        for k, emotion in enumerate(EMOTIONS)
    ]


@pytest.fixture
def recogniser(tmp_path: Path) -> Recogniser:
    """Return a tiny model."""
    return load(tiny_model.write(tmp_path / "tiny.onnx"))
