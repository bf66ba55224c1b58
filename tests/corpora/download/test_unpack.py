"""An archive is unpacked completely and inside its folder, or not at all."""

import stat
import struct
import warnings
import zipfile
from pathlib import Path

import pytest

from overtone._internal.progress import silent_progress
from overtone.corpora.download.unpack import unpack
from overtone.errors import DownloadError


def write_zip(folder: Path, *members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write an archive with these members."""
    path = folder / "corpus.zip"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as file:
        warnings.simplefilter("ignore")  # zipfile warns of duplicate names
        for name, content in members:
            file.writestr(name, content)
    return path


def run_unpack(path: Path, *, max_members: int = 100, max_bytes: int = 10**6) -> dict[str, int]:
    """Unpack an archive into a new folder next to it."""
    return unpack(path, path.parent / "new", max_members=max_members, max_bytes=max_bytes, progress=silent_progress)


def unpack_error(path: Path, **limits: int) -> str:
    """Return the error of unpacking, after checking that it left no files."""
    before = sorted(path.parent.parent.rglob("*"))
    with pytest.raises(DownloadError) as caught:
        run_unpack(path, **limits)
    assert sorted(path.parent.parent.rglob("*")) == before
    assert str(path) in str(caught.value)
    return str(caught.value)


def member_with_mode(name: str, mode: int) -> zipfile.ZipInfo:
    """Return a member with this file mode."""
    member = zipfile.ZipInfo(name)
    member.external_attr = mode << 16
    return member


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_unpacked_files_equal_the_originals(tmp_path: Path, method: int) -> None:
    path = write_zip(tmp_path, ("Actor_01/", b""), ("Actor_01/a.wav", b"abc" * 999), ("b.wav", b""), method=method)
    assert run_unpack(path) == {"Actor_01/a.wav": 2997, "b.wav": 0}
    assert (tmp_path / "new" / "Actor_01" / "a.wav").read_bytes() == b"abc" * 999
    assert (tmp_path / "new" / "b.wav").read_bytes() == b""


def test_progress_counts_bytes(tmp_path: Path) -> None:
    calls: list[tuple[int, int, str]] = []
    path = write_zip(tmp_path, ("a", b"12"), ("b", b"345"))
    unpack(path, tmp_path / "new", max_members=9, max_bytes=9, progress=lambda *step: calls.append(step))
    assert calls == [(2, 5, "unpacking corpus.zip"), (5, 5, "unpacking corpus.zip")]


def test_hidden_files_are_not_unpacked(tmp_path: Path) -> None:
    path = write_zip(tmp_path, ("a.wav", b"1"), (".DS_Store", b"2"), ("__MACOSX/._a.wav", b"3"), (".x/y", b"4"))
    assert run_unpack(path) == {"a.wav": 1}
    assert [each.name for each in (tmp_path / "new").rglob("*")] == ["a.wav"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../evil.wav", "leads out of the folder"),
        ("a/../../evil.wav", "leads out of the folder"),
        ("a/..", "leads out of the folder"),
        ("./a.wav", "leads out of the folder"),
        ("a//b.wav", "leads out of the folder"),
        ("/tmp/evil.wav", "not a plain relative path"),
        ("C:/evil.wav", "not a plain relative path"),
        ("a.wav:stream", "not a plain relative path"),
        ("..\\evil.wav", "not a plain relative path"),
        ("a\nb.wav", "not a plain relative path"),
        ("\u202ea.wav", "not a plain relative path"),
    ],
)
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path: Path, name: str, expected: str) -> None:
    message = unpack_error(write_zip(tmp_path, ("good.wav", b"1"), (name, b"2")))
    assert expected in message
    assert repr(name) in message


def test_a_name_with_a_null_character_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path, ("a.wavX../../evil", b"1"))
    path.write_bytes(path.read_bytes().replace(b"a.wavX", b"a.wav\0"))
    assert "not a plain relative path" in unpack_error(path)


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o666, stat.S_IFCHR | 0o666])
def test_links_and_devices_are_refused(tmp_path: Path, mode: int) -> None:
    assert "is a link or a device" in unpack_error(
        write_zip(tmp_path, (member_with_mode("a.wav", mode), b"/etc/passwd"))
    )


def test_file_modes_are_not_copied(tmp_path: Path) -> None:
    run_unpack(write_zip(tmp_path, (member_with_mode("a.wav", stat.S_IFREG | 0o6777), b"1")))
    assert not (tmp_path / "new" / "a.wav").stat().st_mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IXUSR)


@pytest.mark.parametrize("second", ["a.wav", "A.WAV"])
def test_duplicate_names_are_refused(tmp_path: Path, second: str) -> None:
    assert "is in it twice" in unpack_error(write_zip(tmp_path, ("a.wav", b"1"), (second, b"2")))


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path, *[(f"{number}.wav", b"") for number in range(11)])
    assert "11 members, more than 10" in unpack_error(path, max_members=10)
    assert len(run_unpack(path, max_members=11)) == 11


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path, ("a.wav", bytes(10**6)), ("b.wav", bytes(1)))
    assert path.stat().st_size < 3000
    assert "would unpack to 1000001 bytes, more than 1000000" in unpack_error(path, max_bytes=10**6)
    assert sum(run_unpack(path, max_bytes=10**6 + 1).values()) == 10**6 + 1


@pytest.mark.parametrize("declared", [5, 10**5 - 1, 10**5 + 1])
def test_a_wrong_member_size_is_refused(tmp_path: Path, declared: int) -> None:
    path = write_zip(tmp_path, ("good.wav", b"1"), ("a.wav", bytes(10**5)))
    content = path.read_bytes().replace(struct.pack("<I", 10**5), struct.pack("<I", declared))
    path.write_bytes(content)
    assert "cannot be unpacked" in unpack_error(path)


def test_a_member_shorter_than_declared_is_refused_although_its_checksum_matches(tmp_path: Path) -> None:
    path = write_zip(tmp_path, ("a.wav", b"abcd"), method=zipfile.ZIP_DEFLATED)
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 4) + b"\x05\0", struct.pack("<I", 9) + b"\x05\0"))
    assert "is shorter than its declared size" in unpack_error(path)


def test_encrypted_members_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path, ("a.wav", b"1"))
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert "is encrypted; nothing was unpacked" in unpack_error(path)


def test_an_unknown_method_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path, ("a.wav", b"1"))
    content = bytearray(path.read_bytes())
    content[8] = content[content.index(b"PK\x01\x02") + 10] = 97
    path.write_bytes(content)
    assert "cannot be unpacked" in unpack_error(path)


@pytest.mark.parametrize("damage", [b"", b"no archive", b"PK\x05\x06"])
def test_a_file_that_is_not_an_archive_is_refused(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "corpus.zip").write_bytes(damage)
    assert "cannot be unpacked" in unpack_error(tmp_path / "corpus.zip")


def test_flipped_bits_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path, ("good.wav", b"1"), ("a.wav", b"sound" * 100), method=zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"soundsound", b"soundsounD"))
    assert "cannot be unpacked" in unpack_error(path)


def test_a_damaged_stream_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path, ("a.wav", bytes(range(256)) * 9))
    content = bytearray(path.read_bytes())
    content[35] = 0xFF  # the first byte after the header and the name: no kind of block that deflate knows
    path.write_bytes(content)
    assert "cannot be unpacked" in unpack_error(path)


def test_a_member_that_reaches_past_the_end_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path, ("a.wav", b"1234"), method=zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    sizes = content.index(b"PK\x01\x02") + 20
    content[sizes : sizes + 8] = struct.pack("<II", 9999, 9999)
    path.write_bytes(content)
    assert "cannot be unpacked" in unpack_error(path)


def test_a_name_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path, ("ä.wav", b"1"))
    path.write_bytes(path.read_bytes().replace("ä".encode(), b"\xff\xff"))
    assert "cannot be unpacked" in unpack_error(path)


def test_a_file_and_a_folder_of_one_name_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path, ("a", b"1"), ("a/b.wav", b"2"))
    with pytest.raises(OSError, match="exists"):
        run_unpack(path)
    assert not (tmp_path / "new").exists()


def test_a_full_disk_is_reported_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_zip(tmp_path, ("a.wav", bytes(10**6)))
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 10**6 - 1}))
    with pytest.raises(DownloadError, match=r"1 MB are needed and 1 MB are free; free disk space"):
        run_unpack(path)
    assert not (tmp_path / "new").exists()
