"""`examples/demo.py`: one clip per emotion, with its label and the prediction."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from overtone.corpora.ravdess import EMOTIONS
from overtone.datatypes import Prediction, Utterance

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    """Return `examples/demo.py` as a module."""
    spec = importlib.util.spec_from_file_location("demo", PROJECT / "examples" / "demo.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def utterance(speaker: int, emotion: str) -> Utterance:
    """Return an utterance whose file does not exist."""
    return Utterance(Path("x.wav"), emotion, speaker=f"{speaker:02d}", clip=f"Actor_{speaker:02d}/{emotion}")


def test_one_clip_per_emotion_of_different_speakers(demo: ModuleType) -> None:
    utterances = tuple(utterance(speaker, emotion) for speaker in range(24) for emotion in EMOTIONS)
    clips = demo.one_per_emotion(utterances)
    assert [each.emotion for each in clips] == list(EMOTIONS)
    assert len({each.speaker for each in clips}) == len(EMOTIONS)


def test_emotions_without_clips_are_omitted(demo: ModuleType) -> None:
    assert [each.emotion for each in demo.one_per_emotion((utterance(1, "sad"),))] == ["sad"]
    assert demo.one_per_emotion(()) == []


def test_row_shows_label_and_prediction(demo: ModuleType) -> None:
    probabilities = np.full(8, 0.05)
    probabilities[EMOTIONS.index("sad")] = 0.65
    prediction = Prediction(EMOTIONS, probabilities)
    assert demo.format_row(utterance(3, "calm"), prediction).split() == [
        "Actor_03/calm",
        "calm",
        "sad",
        "65%",
        "(differs)",
    ]
    assert demo.format_row(utterance(3, "sad"), prediction).split() == ["Actor_03/sad", "sad", "sad", "65%"]


def test_calm_counts_as_neutral_for_a_model_without_calm(demo: ModuleType) -> None:
    row = demo.format_row(utterance(3, "calm"), Prediction(("neutral", "sad"), np.array([0.6, 0.4])))
    assert row.split() == ["Actor_03/calm", "calm", "neutral", "60%"]


def test_data_folder_follows_the_environment(demo: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OVERTONE_DATA", str(tmp_path))
    assert demo.data_folder() == tmp_path
    monkeypatch.delenv("OVERTONE_DATA")
    assert demo.data_folder() == PROJECT.parent / "shared" / "data"
