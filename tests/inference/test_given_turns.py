"""Speaker turns that a caller supplies are checked before anything is recognised."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model
from synthetic_audio import silence

from overtone.errors import InputError
from overtone.inference.given_turns import check_turns
from overtone.inference.recogniser import Recogniser, load
from overtone.timeline import Segment

RATE_HZ = 16_000


@pytest.fixture
def recogniser(tmp_path: Path) -> Recogniser:
    return load(tiny_model.write(tmp_path / "tiny.onnx"))


def test_segments_are_kept() -> None:
    turns = [Segment(0, 1.8, speaker="A"), Segment(2, 3)]
    assert check_turns(turns) == check_turns(iter(turns)) == turns
    assert check_turns(None) is None


@pytest.mark.parametrize("turns", [[(0, 1.8, "A")], [Segment(0, 1), None], "talk.rttm", b"talk", 7, {"A": 1}])
def test_anything_else_is_an_error(recogniser: Recogniser, turns: object) -> None:
    with pytest.raises(InputError, match=r"turns: expected .*segments, such as overtone\.Segment\(0\.5, "):
        recogniser.timeline(silence(3), RATE_HZ, turns=turns)


@pytest.mark.parametrize("as_file", [True, False])
@pytest.mark.parametrize("turn", [Segment(1, 3.6), Segment(3, 3.2)])
def test_turns_beyond_the_end_are_refused_before_anything_is_recognised(
    recogniser: Recogniser, tmp_path: Path, as_file: bool, turn: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("overtone.inference.two_passes.Stream", None)
    monkeypatch.setattr("overtone.inference.two_passes._SpeakerMeasurement", None)
    soundfile.write(tmp_path / "talk.wav", silence(3), RATE_HZ)
    source = (str(tmp_path / "talk.wav"),) if as_file else (silence(3), RATE_HZ)
    with pytest.raises(InputError, match=r"ends at 3\.000 s, before the end of the turn from .*another recording"):
        recogniser.timeline(*source, turns=[Segment(0, 1), turn])


@pytest.mark.parametrize("duration_s", [0.001, 0.02, 0.05])
def test_very_short_turns_have_no_certain_emotion(recogniser: Recogniser, duration_s: float) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 3 * RATE_HZ).astype(np.float32)
    timeline = recogniser.timeline(noise, RATE_HZ, turns=[Segment(1, 1 + duration_s), Segment(2.7, 2.7 + duration_s)])
    assert len(timeline.segments) == 2
    assert all(part.prediction is None or part.prediction.uncertain for part in timeline.segments)
