"""Which files of a folder are found, which are reported as errors, and which are ignored."""

import os
import re
from pathlib import Path

import pytest

from overtone._internal.audio_suffixes import FFMPEG_SUFFIXES, LIBSNDFILE_SUFFIXES
from overtone.audio.discovery import find_audio_files, search
from overtone.errors import AudioError

DOCUMENT = Path(__file__).parents[2] / "docs" / "audio-formats.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three audio files, one of them in a subfolder, among files to ignore."""
    root = tmp_path / "speech"
    (root / "deep" / "er").mkdir(parents=True)
    (root / ".cache").mkdir()
    for name in ("b.WAV", "a.flac", "deep/er/c.ogg", ".cache/d.wav", "._b.wav", "notes.txt"):
        (root / name).touch()
    return root


def test_a_folder_is_searched_recursively_and_sorted(folder: Path) -> None:
    assert list(find_audio_files(str(folder))) == [folder / "a.flac", folder / "b.WAV", folder / "deep/er/c.ogg"]


@pytest.mark.parametrize("suffix", [".mp2", ".wave", ".bwf", ".weba", ".qta", ".awb", ".3gpp", ".MP3", ".m4a"])
def test_suffixes_of_audio(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"clip{suffix}").touch()
    assert list(find_audio_files(str(tmp_path))) == [tmp_path / f"clip{suffix}"]


def test_the_documentation_lists_the_suffixes() -> None:
    lines = DOCUMENT.read_text("utf-8").splitlines()
    rows = [line.split("|") for line in lines if line.startswith(("| wav ", "| m4a "))]
    documented = [{f".{name}" for name in re.findall(r"\w+", formats)} for _, formats, *_ in rows]
    assert documented == [LIBSNDFILE_SUFFIXES, FFMPEG_SUFFIXES]


def test_a_file_name_is_returned_even_if_missing() -> None:
    assert list(find_audio_files("gone.txt")) == [Path("gone.txt")]


def test_paths_that_cannot_be_inspected_are_returned_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "x" * 300 + ".wav"
    assert list(find_audio_files(name)) == [Path(name)]

    def deny(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "stat", deny)
    assert list(find_audio_files("folder of another/a.wav")) == [Path("folder of another/a.wav")]


def test_paths_that_cannot_be_searched_are_reported(tmp_path: Path) -> None:
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
def test_a_named_pipe_in_a_folder_does_not_block(folder: Path) -> None:
    os.mkfifo(folder / "pipe.wav")
    *files, error = find_audio_files(str(folder))
    assert files == [folder / "a.flac", folder / "b.WAV", folder / "deep/er/c.ogg"]
    assert isinstance(error, AudioError)
    assert str(error) == f"{folder}/pipe.wav: is not a regular file"


def test_folders_that_cannot_be_searched_are_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def deny(path):
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", deny)  # root may search anything
    *files, error = list(find_audio_files(str(folder)))
    assert files == [folder / "a.flac", folder / "b.WAV"]
    assert isinstance(error, AudioError)
    assert str(error) == f"{folder}/deep: cannot be searched: Permission denied; see: chmod +rx"
