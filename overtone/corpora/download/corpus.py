"""Downloads a corpus: fetches its published archives, checks them and unpacks them into a folder.

The hidden subfolder `.overtone-download` holds all unfinished work: the part of an archive fetched so far, from which a
later call resumes, and a receipt for the unpacked files. A clip is moved to its place only after the complete archive
was checked and unpacked.
"""

import filecmp
import hashlib
import json
import shutil
from pathlib import Path

from overtone._internal.atomic_write import write_text
from overtone._internal.progress import Progress, silent_progress
from overtone.corpora import get_corpus
from overtone.corpora.download.fetch import fetch, not_writable
from overtone.corpora.download.unpack import BLOCK_BYTES, check_disk_space, unpack
from overtone.corpora.metadata import Archive
from overtone.errors import DownloadError, OptionError

WORK_FOLDER = ".overtone-download"


def download_corpus(name: str, folder: str | Path, progress: Progress = silent_progress) -> bool:
    """Download, check and unpack a corpus; an interrupted download is resumed.

    Args:
        name: a key of `overtone.corpora.CORPORA`.
        folder: the target folder; it is created if it is missing.
        progress: called with bytes done, total bytes, and the current step.

    Returns:
        Whether anything was downloaded: False if the corpus was complete already.

    Raises:
        OptionError: no such corpus, or one that cannot be downloaded.
        DownloadError: no connection, unexpected content, an unsafe archive, no disk space, or another file in the
            place of a published one. The part fetched so far is stored for the next call, unless it was wrong.
    """
    info = get_corpus(name).INFO
    if not info.archives:
        place = f"; get it from {info.url}, then run: overtone corpora verify {name} DIR" if info.url else ""
        raise OptionError(f"'{name}' cannot be downloaded: {info.title}{place}")
    return any([_install(archive, Path(folder), progress) for archive in info.archives])


def _install(archive: Archive, folder: Path, progress: Progress) -> bool:
    """Put the files of an archive into the folder; return whether it had to be downloaded."""
    work = folder / WORK_FOLDER
    receipt, zip_file, unpacked = work / f"{archive.name}.json", work / archive.name, work / f"{archive.name}.unpacked"
    if _is_installed(receipt, archive, folder):
        return False
    try:
        work.mkdir(parents=True, exist_ok=True)
        _fetch_archive(archive, zip_file, progress)
        shutil.rmtree(unpacked, ignore_errors=True)  # left by a process that was killed
        files = unpack(
            zip_file,
            unpacked,
            max_members=archive.max_members,
            max_bytes=archive.max_unpacked_bytes,
            progress=progress,
        )
        try:
            _move(unpacked, folder, files)
        finally:
            shutil.rmtree(unpacked, ignore_errors=True)
        write_text(receipt, json.dumps({"md5": archive.md5, "files": files}, indent=1) + "\n")
        zip_file.unlink()
    except OSError as error:
        raise not_writable(error, folder) from error
    return True


def _is_installed(receipt: Path, archive: Archive, folder: Path) -> bool:
    """Return whether every file that a receipt lists is in its place."""
    try:
        listed = json.loads(receipt.read_text("utf-8"))
        return listed["md5"] == archive.md5 and all(
            (folder / name).stat().st_size == size for name, size in listed["files"].items()
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError):  # missing, damaged, or a clip is missing
        return False


def _fetch_archive(archive: Archive, zip_file: Path, progress: Progress) -> None:
    """Fetch the complete archive and check its published checksum."""
    if zip_file.is_file() and _md5(zip_file, progress) == archive.md5:
        return
    part = zip_file.with_name(zip_file.name + ".part")
    fetched_bytes = part.stat().st_size if part.is_file() else 0
    check_disk_space(zip_file.parent, archive.size_bytes - fetched_bytes)
    fetch(archive.url, part, archive.size_bytes, lambda done, total: progress(done, total, f"fetching {archive.name}"))
    md5 = _md5(part, progress)
    if md5 != archive.md5:
        part.unlink()
        raise DownloadError(
            f"{archive.url}: is not the published file: its MD5 is {md5}, published {archive.md5}; "
            "it was deleted; run the download again"
        )
    part.replace(zip_file)


def _md5(path: Path, progress: Progress) -> str:
    """Return the checksum of a file, 32 hexadecimal digits."""
    digest, done, total = hashlib.md5(usedforsecurity=False), 0, path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            done += len(block)
            progress(done, total, f"checking {path.stem if path.suffix == '.part' else path.name}")
    return digest.hexdigest()


def _move(unpacked: Path, folder: Path, files: dict[str, int]) -> None:
    """Move files to their places; nothing is moved if a file with different content exists in its place."""
    for name in files:
        target = folder / name
        if target.exists() and not (target.is_file() and filecmp.cmp(unpacked / name, target, shallow=False)):
            raise DownloadError(f"{target}: is not the published file; move it away and run the download again")
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (unpacked / name).replace(folder / name)
