"""Files are written whole or not at all."""

import os
from pathlib import Path

import pytest

from overtone._internal.atomic_write import atomic_file, write_bytes, write_text
from overtone.errors import OvertoneError


def test_written_and_replaced_with_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.txt"
    for text in ("one\r\n", "zwei ä\n"):
        write_text(path, text)
        assert path.read_bytes() == text.encode()
    assert [file.name for file in path.parent.iterdir()] == ["x.txt"]


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
@pytest.mark.parametrize(("denied", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_others_may_read_it_as_the_user_says(tmp_path: Path, denied: int, mode: int) -> None:
    path = tmp_path / "x.txt"
    before = os.umask(denied)
    try:
        write_text(path, "one")
        assert os.umask(denied) == denied
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == mode


def test_a_name_may_be_as_long_as_the_system_takes(tmp_path: Path) -> None:
    path = tmp_path / ("声" * 80 + ".txt")
    write_text(path, "one")
    assert path.read_text() == "one"


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.bin"
    write_bytes(path, b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OvertoneError, match=r"cannot write .*x.bin: No space left on device; make room"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["x.bin"]


def test_what_breaks_off_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    write_bytes(path, b"old")
    with pytest.raises(ZeroDivisionError), atomic_file(path) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["x.bin"]


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "oof").write_text("")
    with pytest.raises(OvertoneError, match="cannot write"):
        write_bytes(tmp_path / "oof" / "x.csv", b"")
