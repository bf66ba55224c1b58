"""Selection of the reference clips; tests/training/test_fit_adapter.py tests the adapted predictions of a training."""

from pathlib import Path

import pytest
import torch

from benchmarks.adaptation import REFERENCE_COUNTS, _predict, _selections, measure
from overtone.datatypes import Utterance
from overtone.emotions import EMOTIONS
from overtone.errors import OvertoneError
from overtone.models.speaker_adapter import SpeakerAdapter

CLIPS = [
    Utterance(Path(f"{speaker}-{k}"), EMOTIONS[k % 8], speaker=speaker, corpus="ravdess", clip=f"{speaker}-{k}")
    for speaker in ("01", "02")
    for k in range(24)
]


def test_reference_clips_are_other_clips_of_the_same_speaker() -> None:
    for name, selection, _ in _selections(CLIPS):
        for test_clip in (0, 30):
            reference = selection(test_clip)
            assert test_clip not in reference and len(set(reference)) == len(reference)
            assert {CLIPS[k].speaker for k in reference} <= {CLIPS[test_clip].speaker}
            if name == "all other neutral clips":
                assert {CLIPS[k].emotion for k in reference} == {"neutral"}
    sizes = [len(selection(5)) for _, selection, _ in _selections(CLIPS)]
    assert sizes == [*REFERENCE_COUNTS, 23, 3]


def test_predictions_are_those_of_the_adapter() -> None:
    torch.manual_seed(0)
    adapter, features = SpeakerAdapter(6, 8), torch.randn(48, 6)
    predictions = _predict(adapter, features, CLIPS, lambda test_clip: [1, 2, 3], repeats=2, fold="1")
    assert len(predictions) == 96 and set(predictions.seed.tolist()) == {0, 1}
    statistics = torch.stack([features[1:4].mean(0), features[1:4].std(0, correction=0)])
    expected = adapter(features[7:8], statistics, torch.tensor([3.0])).softmax(-1)[0]
    assert predictions.probabilities[7] == pytest.approx(expected.tolist(), abs=1e-6)


def test_without_runs_the_error_names_the_command() -> None:
    with pytest.raises(OvertoneError, match="overtone evaluate --recipe overtone"):
        measure([], [], None)
