"""Files are written atomically."""

import os
from pathlib import Path

import pytest

from overtone._internal.atomic_write import atomic_file, write_bytes, write_text
from overtone.errors import OvertoneError


def test_file_is_replaced_and_no_temporary_file_remains(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.txt"
    for text in ("one\r\n", "zwei ä\n"):
        write_text(path, text)
        assert path.read_bytes() == text.encode()
    assert [file.name for file in path.parent.iterdir()] == ["x.txt"]


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_file_mode_follows_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    path = tmp_path / "x.txt"
    before = os.umask(umask)
    try:
        write_text(path, "one")
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == mode


def test_longest_possible_name(tmp_path: Path) -> None:
    path = tmp_path / ("声" * 80 + ".txt")
    write_text(path, "one")
    assert path.read_text() == "one"


def test_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.bin"
    write_bytes(path, b"old")

    def raise_no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", raise_no_space)
    with pytest.raises(OvertoneError, match=r"cannot write .*x.bin: No space left on device"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["x.bin"]


def test_error_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    write_bytes(path, b"old")
    with pytest.raises(ZeroDivisionError), atomic_file(path) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["x.bin"]


def test_parent_folder_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "oof").write_text("")
    with pytest.raises(OvertoneError, match="cannot write"):
        write_bytes(tmp_path / "oof" / "x.csv", b"")
