"""The batch benchmark creates valid and broken files, and rejects a batch with wrong output."""

import sys
from pathlib import Path

import pytest
import soundfile
from synthetic_audio import RATE_HZ, voice

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

pytest.importorskip("librosa", reason="librosa comes with the [dev] extra")

from benchmarks import batch  # noqa: E402

KINDS = 13


def test_every_file_is_recognised_or_reported(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.flac", voice(200, 1.0), RATE_HZ)
    valid = batch.copy_clips([tmp_path / "clip.flac"], 5, tmp_path / "in")
    assert "\n" in valid[0].name
    broken = batch.make_broken_files(valid[0], KINDS + 1, tmp_path / "in")
    assert {kind: len(paths) for kind, paths in broken.items()} == {kind: 1 + (kind == "empty") for kind in broken}
    assert len(broken) == KINDS
    assert batch.run_batch(tmp_path, 1, valid, broken) > 0
    assert not (tmp_path / "out").exists()
    with pytest.raises(SystemExit, match="wrong predictions: nothing written"):
        batch.run_batch(tmp_path, 1, valid[1:], broken)


def test_clips_are_repeated_if_there_are_too_few(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.flac").write_text(name)
    copies = batch.copy_clips([tmp_path / "a.flac", tmp_path / "b.flac"], 41, tmp_path / "in")
    assert [path.read_text() for path in copies] == list("ab" * 20 + "a")
    assert sum("\udcff" in path.name for path in copies) == 1
