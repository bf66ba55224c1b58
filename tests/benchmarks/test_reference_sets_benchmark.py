"""Reference sets of test clips: other clips only, of the named make-up; their effect is tested on a tiny model."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.reference_sets import FEW, draws, main
from overtone.datatypes import Utterance

EMOTIONS = ("neutral", "happy", "sad")
CLIPS = [
    Utterance(Path("clip.wav"), emotion, speaker, corpus="emovo", clip=f"{speaker}-{emotion}-{k}")
    for speaker in ("f1", "m1")
    for emotion in EMOTIONS
    for k in range(15)
]


def test_sets_hold_other_clips_of_the_named_make_up(rng: np.random.Generator) -> None:
    kinds = draws(CLIPS, [clip.emotion for clip in CLIPS], rng)
    drawn = {name: list(draw(20)) for name, draw in kinds.items()}  # f1, happy
    assert all(20 not in clips and len(set(clips)) == len(clips) for clips in drawn.values())
    none, whole, few, one, neutral, worst, corpus = drawn.values()
    assert none == [] and len(whole) == 44 and len(few) == FEW and len(one) == 1
    assert all(CLIPS[k].speaker == "f1" for k in (*whole, *few, *one, *neutral, *worst))
    assert {CLIPS[k].emotion for k in neutral} == {"neutral"} and len(neutral) == FEW
    assert {CLIPS[k].emotion for k in worst} == {"happy"} and len(worst) == FEW
    assert {CLIPS[k].speaker for k in corpus} == {"f1", "m1"}


def test_without_runs_the_error_names_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path), "--runs", str(tmp_path / "none")]) == 1
    assert f"{tmp_path / 'none'}: no finished run" in capsys.readouterr().err
