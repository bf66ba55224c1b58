"""The benchmark of interviews joins clips with known shares, and does not repeat interviews that are stored."""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from timelines import EMOTIONS, make_prediction, make_timeline

from benchmarks.interviews import SPEAKERS, Interview, join, measure, measure_corpus
from overtone.datatypes import SAMPLE_RATE_HZ, Utterance
from overtone.shares import ShareEstimate
from overtone.timeline import Segment, Timeline


@pytest.fixture
def clips(tmp_path: Path, rng: np.random.Generator) -> list[Utterance]:
    """Two clips of one second per emotion and speaker."""
    found = []
    for speaker in "abcd":
        for emotion in ("neutral", "happy", "sad"):
            for number in range(2):
                path = tmp_path / f"{speaker}-{emotion}-{number}.wav"
                soundfile.write(path, rng.normal(0, 0.1, SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
                found.append(Utterance(path, emotion, speaker, corpus="own", clip=path.stem))
    return found


def test_the_truth_is_the_share_of_the_turns(clips: list[Utterance]) -> None:
    interview = join(clips, 30, np.random.default_rng(3))
    assert len(interview.truth) == SPEAKERS
    assert 30 <= len(interview.samples) / SAMPLE_RATE_HZ < 32
    assert [turn.speaker for turn in interview.turns[:3]] == [turn.speaker for turn in interview.turns[3:6]]
    for name, shares in interview.truth.items():
        assert sum(shares.values()) == pytest.approx(1)
        turns = [turn for turn in interview.turns if turn.speaker == name]
        assert [turn.duration_s for turn in turns] == pytest.approx([1] * len(turns))
        assert all(share * len(turns) == pytest.approx(round(share * len(turns))) for share in shares.values())
    again = join(clips, 30, np.random.default_rng(3))
    assert np.array_equal(again.samples, interview.samples) and again.truth == interview.truth


class FixedRecogniser:
    """Returns a timeline with one sure and two uncertain turns of Anna, and estimates."""

    def timeline(self, samples: np.ndarray, rate_hz: float, *, turns: tuple[Segment, ...]) -> Timeline:
        predictions = make_prediction("happy", 0.8), make_prediction("sad", 0.4), make_prediction("happy", 0.4)
        segments = [replace(turn, prediction=found) for turn, found in zip(turns, predictions, strict=True)]
        estimates = tuple(ShareEstimate(0.25, 0.1, 0.6) for _ in EMOTIONS)
        timeline = make_timeline(*segments, turns=True)
        return replace(timeline, share_estimates=(estimates, estimates), no_estimates="")


def test_a_row_has_the_share_of_sure_and_that_of_all_predictions() -> None:
    turns = tuple(Segment(start, end, speaker="anna") for start, end in ((0, 2), (2, 3), (4, 5)))
    rows = list(measure(FixedRecogniser(), Interview(np.zeros(0), turns, {"anna": {"happy": 0.75, "sad": 0.25}})))
    found = {row["emotion"]: (row["truth"], row["share"], row["predicted"]) for row in rows}
    nothing = (0.0, 0.0, 0.0)
    assert found == {"neutral": nothing, "happy": (0.75, 0.5, 0.75), "sad": (0.25, 0.0, 0.25), "angry": nothing}
    assert {(row["speaker"], row["speech_s"], row["uncertain_share"]) for row in rows} == {("anna", 4, 0.5)}
    assert {(row["estimate"], row["low"], row["high"]) for row in rows} == {(0.25, 0.1, 0.6)}


def test_stored_interviews_are_not_repeated(tmp_path: Path) -> None:
    output = tmp_path / "interviews.json"
    output.write_text(json.dumps({"rows": [{"corpus": "nemo", "interview": 0}]}))
    measure_corpus("nemo", argparse.Namespace(output=output, interviews=1))
    assert json.loads(output.read_text()) == {"rows": [{"corpus": "nemo", "interview": 0}]}
