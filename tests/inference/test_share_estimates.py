"""Timelines estimate shares from the error rates in the model card, or say why they do not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_model
from synthetic_audio import RATE_HZ, speech_like

from overtone.corpora.ravdess import EMOTIONS
from overtone.errors import ModelError
from overtone.inference.recogniser import load
from overtone.inference.share_estimates import NO_ERROR_RATES, SELECTION
from overtone.timeline import Segment


def rates(*parts: str, correct: float = 0.8) -> dict[str, Any]:
    """Return the section of a card in which two groups have the same rates."""
    wrong = (1 - correct) / (len(EMOTIONS) - 1)
    rows = (np.full((len(EMOTIONS),) * 2, wrong) + (correct - wrong) * np.eye(len(EMOTIONS))).tolist()
    content = {"equivalent_segments": 20, "left_out": {}, "rates": {"a": rows, "b": rows}}
    return {"protocol": "unseen-corpus", "group_by": "corpus", "level": 0.9, "parts": dict.fromkeys(parts, content)}


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return speech_like(np.random.default_rng(1), 12.0)


TURNS = (Segment(0, 4, speaker="anna"), Segment(4, 8, speaker="ben"), Segment(8, 12, speaker="anna"))


def test_each_speaker_and_the_recording_get_estimates(tmp_path: Path, speech: np.ndarray) -> None:
    recogniser = load(tiny_model.write(tmp_path / "m.onnx", error_rates=rates("fusion")))
    timeline = recogniser.timeline(speech, RATE_HZ, turns=TURNS)
    assert timeline.no_estimates == "" and len(timeline.share_estimates) == 3
    anna, ben = timeline.speakers
    for summary in (anna, ben, timeline.summary):
        assert sum(estimate.value for estimate in summary.estimates.values()) == pytest.approx(1)
    predicted = timeline.spoken("ben")[0].emotion
    assert max(ben.estimates, key=lambda name: ben.estimates[name].value) == predicted
    width = [
        summary.estimates[predicted].high - summary.estimates[predicted].low for summary in (ben, timeline.summary)
    ]
    assert width[0] > 0.3, "one segment says little"
    assert timeline == recogniser.timeline(speech, RATE_HZ, turns=TURNS), "the same draws every time"


def test_each_channel_is_estimated(tmp_path: Path, speech: np.ndarray) -> None:
    recogniser = load(tiny_model.write(tmp_path / "m.onnx", error_rates=rates("fusion")))
    timeline = recogniser.timeline(np.stack([speech, 0 * speech], 1), RATE_HZ, channel="each")
    left, right = timeline.speakers
    assert left.estimates and not right.estimates, "a channel without speech has none"


def test_adapted_predictions_need_their_own_rates(tmp_path: Path, speech: np.ndarray) -> None:
    options = {"adapts": True, "error_rates": rates("fusion")}
    timeline = load(tiny_model.write(tmp_path / "m.onnx", **options)).timeline(speech, RATE_HZ)
    assert timeline.no_estimates == "the model card has no error rates of adapted predictions"
    both = load(tiny_model.write(tmp_path / "b.onnx", adapts=True, error_rates=rates("fusion", "adapted")))
    assert both.timeline(speech, RATE_HZ).share_estimates
    assert both.timeline(speech, RATE_HZ, adapt=False).share_estimates


def test_the_reason_is_told_where_there_is_no_estimate(tmp_path: Path, speech: np.ndarray) -> None:
    without = load(tiny_model.write(tmp_path / "m.onnx")).timeline(speech, RATE_HZ)
    assert (without.share_estimates, without.no_estimates) == ((), NO_ERROR_RATES)
    path = tiny_model.write(tmp_path / "n.onnx", error_rates=rates("fusion"))
    chosen = load(path, emotions=("happy", "sad")).timeline(speech, RATE_HZ)
    assert (chosen.summary.estimates, chosen.no_estimates) == ({}, SELECTION)


@pytest.mark.parametrize(
    "damaged",
    [
        "rates",
        {"parts": {"fusion": {"rates": {"a": [[1, 0], [0, 1]]}, "equivalent_segments": 5}}},
        {"parts": {"fusion": {**rates("fusion")["parts"]["fusion"], "equivalent_segments": -1}}},
        {"parts": {"fusion": {"rates": {}}}},
    ],
)
def test_damaged_error_rates_are_refused(tmp_path: Path, damaged: object) -> None:
    with pytest.raises(ModelError, match=r"m\.onnx: 'error_rates' of its card are damaged"):
        load(tiny_model.write(tmp_path / "m.onnx", error_rates=damaged))


def test_the_bundled_models_have_error_rates_of_both_kinds() -> None:
    for name in ("overtone", "lite"):
        parts = load(name).card["error_rates"]["parts"]
        assert set(parts) == {"fusion", "adapted"}
        assert set(parts["fusion"]["rates"]) == {"ased", "emodb", "emovo", "nemo", "ravdess"}
