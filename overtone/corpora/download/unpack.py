"""Unpacks a ZIP archive into a folder without trusting its content.

It refuses names outside the folder, links and devices, encrypted members, duplicate names, and more members or bytes
than allowed. Hidden files (such as macOS adds) are skipped.
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
REMEDY = "nothing was unpacked; delete the archive and download it again"


def unpack(archive: Path, folder: Path, *, max_members: int, max_bytes: int, progress: Progress) -> dict[str, int]:
    """Unpack an archive into a folder; return name -> size in bytes of every file.

    Args:
        archive: a ZIP file.
        folder: a new folder; it is created, and removed again if the archive cannot be unpacked completely.
        max_members: archives with more members are refused.
        max_bytes: archives with more bytes, unpacked, are refused.
        progress: called with the number of bytes unpacked.

    Raises:
        DownloadError: not a ZIP file, damaged, or unsafe. No file is then in `folder` or outside it.
        OSError: the folder cannot be written.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = _checked_members(archive, opened.infolist(), max_members, max_bytes)
            total = sum(member.file_size for member in members)
            check_disk_space(archive.parent, total)
            folder.mkdir(parents=True)
            done = 0
            for member in members:
                _write_member(opened, member, folder / member.filename)
                done += member.file_size
                progress(done, total, f"unpacking {archive.name}")
        return {member.filename: member.file_size for member in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, UnicodeError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise DownloadError(f"{archive}: cannot be unpacked: {error or 'it is truncated'}; {REMEDY}") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def check_disk_space(folder: Path, needed_bytes: int) -> None:
    """Check that the disk of a folder has enough free space.

    Raises:
        DownloadError: it has not.
    """
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise DownloadError(
            f"{folder}: {needed_bytes / 1e6:.0f} MB are needed and {free_bytes / 1e6:.0f} MB are free; "
            "free disk space and run the download again"
        )


def _checked_members(
    archive: Path, members: list[zipfile.ZipInfo], max_members: int, max_bytes: int
) -> list[zipfile.ZipInfo]:
    """Return the files among the members after checking that each is safe to write."""
    if len(members) > max_members:
        raise DownloadError(f"{archive}: {len(members)} members, more than {max_members}; {REMEDY}")
    declared_bytes = sum(member.file_size for member in members)
    if declared_bytes > max_bytes:
        raise DownloadError(f"{archive}: would unpack to {declared_bytes} bytes, more than {max_bytes}; {REMEDY}")
    names: set[str] = set()
    files = []
    for member in members:
        if fault := _find_fault(member):
            raise DownloadError(f"{archive}: member {member.filename!r} {fault}; {REMEDY}")
        if member.is_dir() or _is_hidden(member.filename):
            continue
        if member.filename.lower() in names:  # on many disks, A.wav and a.wav are one file
            raise DownloadError(f"{archive}: member {member.filename!r} is in it twice; {REMEDY}")
        names.add(member.filename.lower())
        files.append(member)
    return files


def _find_fault(member: zipfile.ZipInfo) -> str | None:
    """Return why a member is not safe to write, or None if it is."""
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
    """Write one file; zipfile itself checks its CRC and stops at its declared size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(member) as source, path.open("xb") as file:
        shutil.copyfileobj(source, file, BLOCK_BYTES)
        if file.tell() != member.file_size:
            raise zipfile.BadZipFile(f"'{member.filename}' is shorter than its declared size")
