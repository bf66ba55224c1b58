"""ZIP ARCHIVE -> FILES IN A FOLDER, trusting nothing that the archive says.

Refused are names that lead out of the folder, links and devices, encrypted members, the same name twice, and more
members or bytes than were allowed. Hidden files (such as macOS adds) are not unpacked.
"""

import shutil
import stat
import zipfile
import zlib
from pathlib import Path

from overtone._internal.progress import Progress
from overtone.errors import DownloadError

BLOCK_BYTES = 2**18
ENCRYPTED = 0x1  # Source: PKWARE APPNOTE.TXT 4.4.4, general purpose bit 0


def unpack(archive: Path, folder: Path, *, most_members: int, most_bytes: int, progress: Progress) -> dict[str, int]:
    """Name -> size in bytes of every file of an archive, unpacked below a folder.

    Args:
        archive: a ZIP file.
        folder: a new folder; it is made, and removed again where the archive cannot be unpacked whole.
        most_members: more members are refused.
        most_bytes: more bytes, unpacked, are refused.
        progress: told the bytes unpacked.

    Raises:
        DownloadError: not a ZIP file, damaged, or hostile. Nothing lies outside `folder` and nothing in it then.
        OSError: the folder cannot be written.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = _checked_members(archive, opened.infolist(), most_members, most_bytes)
            total = sum(member.file_size for member in members)
            check_room(archive.parent, total)
            folder.mkdir(parents=True)
            done = 0
            for member in members:
                _write_member(opened, member, folder / member.filename)
                done += member.file_size
                progress(done, total, f"unpacking {archive.name}")
        return {member.filename: member.file_size for member in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, UnicodeError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise DownloadError(f"{archive}: cannot be unpacked: {error}") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def check_room(folder: Path, needed_bytes: int) -> None:
    """Nothing, where the disk has room.

    Raises:
        DownloadError: it has not.
    """
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise DownloadError(
            f"{folder}: {needed_bytes / 1e6:.0f} MB are needed and {free_bytes / 1e6:.0f} MB are free; make room"
        )


def _checked_members(
    archive: Path, members: list[zipfile.ZipInfo], most_members: int, most_bytes: int
) -> list[zipfile.ZipInfo]:
    """The files among the members, each of them safe to write."""
    if len(members) > most_members:
        raise DownloadError(f"{archive}: {len(members)} members, more than {most_members}; not unpacked")
    declared_bytes = sum(member.file_size for member in members)
    if declared_bytes > most_bytes:
        raise DownloadError(f"{archive}: would unpack to {declared_bytes} bytes, more than {most_bytes}; not unpacked")
    names: set[str] = set()
    files = []
    for member in members:
        if fault := _fault(member):
            raise DownloadError(f"{archive}: member {member.filename!r} {fault}; not unpacked")
        if member.is_dir() or _is_hidden(member.filename):
            continue
        if member.filename.lower() in names:  # on many disks, A.wav and a.wav are one file
            raise DownloadError(f"{archive}: member {member.filename!r} is in it twice; not unpacked")
        names.add(member.filename.lower())
        files.append(member)
    return files


def _fault(member: zipfile.ZipInfo) -> str | None:
    """Why a member is not safe to write; None if it is."""
    name = member.orig_filename
    kind = stat.S_IFMT(member.external_attr >> 16)
    if name.startswith("/") or "\\" in name or ":" in name or not name.isprintable():
        return "has a name that is not a plain relative path"
    if {"", ".", ".."} & set(name.removesuffix("/").split("/")):
        return "has a name that leads out of the folder"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    if member.flag_bits & ENCRYPTED:
        return "is encrypted"
    return None


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _write_member(opened: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    """Writes one file; zipfile itself checks its CRC and stops at its declared size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(member) as source, path.open("xb") as file:
        shutil.copyfileobj(source, file, BLOCK_BYTES)
        if file.tell() != member.file_size:
            raise zipfile.BadZipFile(f"'{member.filename}' is shorter than it says")
