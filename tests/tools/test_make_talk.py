"""The example of the page is the sample speech, joined by the kept script."""

import importlib.util
from pathlib import Path

import numpy as np
import soundfile

from overtone.speaker_turns import read_turns

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def test_the_script_makes_the_committed_talk(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_talk", TOOLS / "make_talk.py")
    assert spec and spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.main(tmp_path)
    (made, rate_hz), (kept, _) = (soundfile.read(at / "talk.flac", dtype="int16") for at in (tmp_path, script.FOLDER))
    assert np.array_equal(made, kept)
    assert (tmp_path / "talk.rttm").read_bytes() == (script.FOLDER / "talk.rttm").read_bytes()
    turns = read_turns(script.FOLDER / "talk.rttm")
    assert [turn.speaker for turn in turns] == [speaker for speaker, _ in script.TALK]
    for turn, (_, manner) in zip(turns, script.TALK, strict=True):
        said, _ = soundfile.read(TOOLS / "speech" / f"{manner}.flac", dtype="int16")
        start = round(turn.start_s * rate_hz)
        assert np.array_equal(kept[start : start + len(said)], said)
