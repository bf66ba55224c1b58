"""Which files of a folder are read, which are refused by name, and which passed over."""

import os
from pathlib import Path

import pytest

from overtone.audio.discovery import find_audio_files, search
from overtone.errors import AudioError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three sounds, one of them deeper down, among things to pass over."""
    root = tmp_path / "speech"
    (root / "deep" / "er").mkdir(parents=True)
    (root / ".cache").mkdir()
    for name in ("b.WAV", "a.flac", "deep/er/c.ogg", ".cache/d.wav", "._b.wav", "notes.txt"):
        (root / name).touch()
    return root


def test_a_folder_and_below_sorted(folder: Path) -> None:
    assert list(find_audio_files(str(folder))) == [folder / "a.flac", folder / "b.WAV", folder / "deep/er/c.ogg"]


def test_a_file_is_itself_there_or_not() -> None:
    assert list(find_audio_files("gone.txt")) == [Path("gone.txt")]


def test_what_cannot_even_be_looked_at_is_for_the_reader_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "x" * 300 + ".wav"
    assert list(find_audio_files(name)) == [Path(name)]

    def not_ours(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "stat", not_ours)
    assert list(find_audio_files("folder of another/a.wav")) == [Path("folder of another/a.wav")]


def test_what_cannot_be_searched_is_named(tmp_path: Path) -> None:
    for path in ("", str(tmp_path)):
        ((name, error),) = search(path)
        assert name == path
        assert isinstance(error, AudioError)


def test_links_to_folders_are_followed_once(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "e.wav").touch()
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    (folder / "link2").symlink_to(tmp_path / "elsewhere")
    (folder / "deep" / "up").symlink_to(folder)
    (folder / "deep" / "self").symlink_to(".")
    found = [file.relative_to(folder).as_posix() for file in find_audio_files(str(folder)) if isinstance(file, Path)]
    assert found == ["a.flac", "b.WAV", "deep/er/c.ogg", "link/e.wav"]


@pytest.mark.skipif(os.name != "posix", reason="named pipes of POSIX")
def test_a_named_pipe_in_a_folder_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.wav")
    *files, error = find_audio_files(str(folder))
    assert files == [folder / "a.flac", folder / "b.WAV", folder / "deep/er/c.ogg"]
    assert isinstance(error, AudioError)
    assert str(error) == f"{folder}/pipe.wav: is not a regular file"


def test_folders_that_cannot_be_searched_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def refusing(path):
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)  # root may search anything
    *files, error = list(find_audio_files(str(folder)))
    assert files == [folder / "a.flac", folder / "b.WAV"]
    assert isinstance(error, AudioError)
    assert str(error) == f"{folder}/deep: cannot be searched: Permission denied"
