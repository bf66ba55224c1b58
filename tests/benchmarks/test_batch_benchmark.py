"""The benchmark of the batch makes what it says it makes, and believes no batch that did wrong."""

import sys
from pathlib import Path

import pytest
import soundfile
from sounds import RATE_HZ, voice

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

pytest.importorskip("librosa", reason="librosa comes with the [dev] extra")

from benchmarks import batch  # noqa: E402

KINDS = 13


def test_every_file_is_answered_or_named_or_nothing_is_measured(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.flac", voice(200, 1.0), RATE_HZ)
    good = batch.clips([tmp_path / "clip.flac"], 5, tmp_path / "in")
    assert "\n" in good[0].name
    bad = batch.broken_files(good[0], KINDS + 1, tmp_path / "in")
    assert {kind: len(paths) for kind, paths in bad.items()} == {kind: 1 + (kind == "empty") for kind in bad}
    assert len(bad) == KINDS
    assert batch.one_batch(tmp_path, 1, good, bad) > 0
    assert not (tmp_path / "out").exists()
    with pytest.raises(SystemExit, match="wrong answers: nothing written"):
        batch.one_batch(tmp_path, 1, good[1:], bad)


def test_clips_are_taken_again_where_there_are_too_few(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.flac").write_text(name)
    made = batch.clips([tmp_path / "a.flac", tmp_path / "b.flac"], 41, tmp_path / "in")
    assert [path.read_text() for path in made] == list("ab" * 20 + "a")
    assert sum("\udcff" in path.name for path in made) == 1
