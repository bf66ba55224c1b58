"""CORPUS NAME -> ITS PUBLISHED ARCHIVE, CHECKED AND UNPACKED IN A FOLDER.

What is not whole yet lies in the hidden folder `.overtone-download` of the corpus folder: the part of the archive that
has come so far, to go on from, and a receipt for what was unpacked. A clip is moved to its place only once the whole
archive was checked and unpacked.
"""

import filecmp
import hashlib
import json
import shutil
from pathlib import Path

from overtone._internal.atomic_write import write_text
from overtone._internal.progress import Progress, silent_progress
from overtone.corpora import get_corpus
from overtone.corpora.download.fetch import fetch
from overtone.corpora.download.unpack import BLOCK_BYTES, check_room, unpack
from overtone.corpora.metadata import Archive
from overtone.errors import DownloadError, OptionError

WORK_FOLDER = ".overtone-download"


def download(corpus: str, folder: str | Path, progress: Progress = silent_progress) -> bool:
    """Fetches, checks and unpacks a corpus; goes on where an earlier call was broken off.

    Args:
        corpus: a key of `overtone.corpora.CORPORA`.
        folder: where it goes; made where it is missing.
        progress: called with bytes done, bytes in all, and what is going on.

    Returns:
        Whether there was anything to do: False where the corpus is whole already.

    Raises:
        OptionError: no such corpus, or one that cannot be fetched.
        DownloadError: no connection, not what was published, a hostile archive, no room, or a file in the way that is
            not the published one. What came so far is kept for the next call, unless it was wrong.
    """
    about = get_corpus(corpus).ABOUT
    if not about.archives:
        raise OptionError(f"'{corpus}' cannot be downloaded: {about.title}")
    return any([_bring(archive, Path(folder), progress) for archive in about.archives])


def _bring(archive: Archive, folder: Path, progress: Progress) -> bool:
    """Whether one archive had to be brought; it is whole in the folder afterwards."""
    work = folder / WORK_FOLDER
    receipt, zipped, unpacked = work / f"{archive.name}.json", work / archive.name, work / f"{archive.name}.unpacked"
    if _is_whole(receipt, archive, folder):
        return False
    try:
        work.mkdir(parents=True, exist_ok=True)
        _bring_archive(archive, zipped, progress)
        shutil.rmtree(unpacked, ignore_errors=True)  # of a call that was killed
        files = unpack(
            zipped,
            unpacked,
            most_members=archive.most_members,
            most_bytes=archive.most_unpacked_bytes,
            progress=progress,
        )
        try:
            _move(unpacked, folder, files)
        finally:
            shutil.rmtree(unpacked, ignore_errors=True)
        write_text(receipt, json.dumps({"md5": archive.md5, "files": files}, indent=1) + "\n")
        zipped.unlink()
    except OSError as error:
        raise DownloadError(
            f"{error.filename or folder}: cannot be written: {error.strerror or error}; make room or see to it, "
            "then run the download again: it goes on from here"
        ) from error
    return True


def _is_whole(receipt: Path, archive: Archive, folder: Path) -> bool:
    """Whether everything that a receipt lists is in its place."""
    try:
        listed = json.loads(receipt.read_text("utf-8"))
        return listed["md5"] == archive.md5 and all(
            (folder / name).stat().st_size == size for name, size in listed["files"].items()
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError):  # none, damaged, or a clip is gone
        return False


def _bring_archive(archive: Archive, zipped: Path, progress: Progress) -> None:
    """The archive, whole and with the published checksum, at `zipped`."""
    if zipped.is_file() and _md5(zipped, progress) == archive.md5:
        return
    part = zipped.with_name(zipped.name + ".part")
    came_bytes = part.stat().st_size if part.is_file() else 0
    check_room(zipped.parent, archive.size_bytes - came_bytes)
    fetch(archive.url, part, archive.size_bytes, lambda done, total: progress(done, total, f"fetching {archive.name}"))
    found = _md5(part, progress)
    if found != archive.md5:
        part.unlink()
        raise DownloadError(
            f"{archive.url}: is not what was published: its MD5 is {found}, published {archive.md5}; "
            "it was thrown away; run the download again"
        )
    part.replace(zipped)


def _md5(path: Path, progress: Progress) -> str:
    """Checksum of a file, 32 hexadecimal digits."""
    digest, done, total = hashlib.md5(usedforsecurity=False), 0, path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            done += len(block)
            progress(done, total, f"checking {path.stem if path.suffix == '.part' else path.name}")
    return digest.hexdigest()


def _move(unpacked: Path, folder: Path, files: dict[str, int]) -> None:
    """Moves files to their places; a file of another content in the way is an error before anything is moved."""
    for name in files:
        target = folder / name
        if target.exists() and not (target.is_file() and filecmp.cmp(unpacked / name, target, shallow=False)):
            raise DownloadError(f"{target}: is not the published file; move it away and run the download again")
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (unpacked / name).replace(folder / name)
