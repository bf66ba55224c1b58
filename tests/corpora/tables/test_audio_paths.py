"""Paths in tables are found as people and Windows write them: with blanks around them, and with backslashes."""

from pathlib import Path

import pytest

from overtone.corpora.tables.audio_paths import locate


@pytest.mark.parametrize("name", ["sub/c0.wav", " sub/c0.wav ", r"sub\c0.wav", r" sub\c0.wav"])
def test_spellings(name: str, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c0.wav").touch()
    assert locate(name, (str(tmp_path),)) == str(tmp_path / "sub" / "c0.wav")
    assert locate(name, (str(tmp_path / "other"), str(tmp_path))) == str(tmp_path / "sub" / "c0.wav")


def test_a_file_whose_name_has_a_backslash(tmp_path: Path) -> None:
    (tmp_path / r"sub\c0.wav").touch()
    assert locate(r"sub\c0.wav", (str(tmp_path),)) == str(tmp_path / r"sub\c0.wav")
