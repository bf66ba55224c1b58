"""The benchmark of interviews joins clips with known shares, and does not repeat interviews that are stored."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.interviews import SPEAKERS, join, measure_corpus
from overtone.datatypes import SAMPLE_RATE_HZ, Utterance


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


def test_stored_interviews_are_not_repeated(tmp_path: Path) -> None:
    output = tmp_path / "interviews.json"
    output.write_text(json.dumps({"rows": [{"corpus": "nemo", "interview": 0}]}))
    measure_corpus("nemo", argparse.Namespace(output=output, interviews=1))
    assert json.loads(output.read_text()) == {"rows": [{"corpus": "nemo", "interview": 0}]}
