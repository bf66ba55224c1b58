"""Files are written whole or not at all."""

from pathlib import Path

import pytest

from overtone.errors import OvertoneError
from overtone.outputs.whole import write_bytes, write_text, written


def test_written_and_replaced_with_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.txt"
    for text in ("one\r\n", "zwei ä\n"):
        write_text(path, text)
        assert path.read_bytes() == text.encode()
    assert [file.name for file in path.parent.iterdir()] == ["x.txt"]
    assert path.stat().st_mode & 0o777 == 0o644


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
    with pytest.raises(ZeroDivisionError), written(path) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["x.bin"]


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "oof").write_text("")
    with pytest.raises(OvertoneError, match="cannot write"):
        write_bytes(tmp_path / "oof" / "x.csv", b"")
