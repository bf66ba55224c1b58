"""The cache folder: chosen by a variable, else that of the user."""

from pathlib import Path

import pytest

from overtone._internal.cache_folder import default_cache


def test_the_variable_names_the_cache_folder_else_it_is_that_of_the_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OVERTONE_CACHE", str(tmp_path / "mine"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "mine"
    monkeypatch.setenv("OVERTONE_CACHE", "")
    assert default_cache() == tmp_path / "overtone"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache() == Path.home() / ".cache" / "overtone"
