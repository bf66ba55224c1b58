"""The committed example of the web page is what tools/make_talk.py creates from the sample speech."""

import importlib.util
from pathlib import Path

import numpy as np
import soundfile

from overtone.speaker_turns import read_turns

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def test_the_script_creates_the_committed_example(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_talk", TOOLS / "make_talk.py")
    assert spec and spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.main(tmp_path)
    created, rate_hz = soundfile.read(tmp_path / "talk.flac", dtype="int16")
    committed, _ = soundfile.read(script.FOLDER / "talk.flac", dtype="int16")
    assert np.array_equal(created, committed)
    assert (tmp_path / "talk.rttm").read_bytes() == (script.FOLDER / "talk.rttm").read_bytes()
    turns = read_turns(script.FOLDER / "talk.rttm")
    assert [turn.speaker for turn in turns] == [speaker for speaker, _ in script.TALK]
    for turn, (_, name) in zip(turns, script.TALK, strict=True):
        sample, _ = soundfile.read(script.SPEECH / f"{name}.flac", dtype="int16")
        start = round(turn.start_s * rate_hz)
        assert np.array_equal(committed[start : start + len(sample)], sample)
