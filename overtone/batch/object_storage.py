"""Files and folders by path or URL, such as `s3://bucket/calls`: search, read, write atomically, list and remove.

Uses `pyarrow.fs`: the package that writes Parquet also reads S3, Google Cloud Storage, Azure and HDFS, so that none of
them needs a further dependency. Credentials come from the environment, as usual for each service; `AWS_ENDPOINT_URL`
is the address of an S3-compatible service. Keys are used as written, without URL escapes.
"""

import io
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from overtone._internal import atomic_write
from overtone._internal.audio_suffixes import AUDIO_SUFFIXES
from overtone._internal.pyarrow_import import import_pyarrow
from overtone.corpora.tables.audio_paths import locate
from overtone.errors import AudioError, InputError, MissingExtraError, suggest

SCHEMES = ("s3", "gs", "abfs", "abfss", "hdfs")
_URL = re.compile(r"([a-z][a-z0-9+.-]+)://([^/]*)/?(.*)", re.DOTALL | re.IGNORECASE)


def is_url(name: str) -> bool:
    """Return whether a name is a URL rather than a path."""
    return _URL.match(name) is not None


def resolve_file_url(name: str) -> str:
    """Return the path of a `file://` URL; any other name unchanged."""
    return unquote(urlsplit(name).path) if name.lower().startswith("file://") else name


def resolve(name: str, folders: Sequence[str]) -> str:
    """Return the location of a name written in a file: a URL unchanged, a path relative to the folders of the file.

    Args:
        name: as written.
        folders: paths, as `overtone.corpora.tables.audio_paths.locate` takes them, or one URL.
    """
    if is_url(name):
        return resolve_file_url(name)
    return join(folders[0], name) if is_url(folders[0]) else locate(name, folders)


def join(folder: str, name: str) -> str:
    """Return the path or URL of a name in a folder."""
    return f"{folder.rstrip('/')}/{name}" if is_url(folder) else str(Path(folder) / name)


class RemoteFile(io.BytesIO):
    """The downloaded content of a URL; `name` is the URL, for error messages."""

    def __init__(self, url: str, content: bytes) -> None:
        super().__init__(content)
        self.name = url


@lru_cache(maxsize=1)
def _download(url: str) -> bytes:
    return read_bytes(url)


def open_audio(url: str) -> RemoteFile:
    """Return a whole audio file; consecutive segments of one file download it once.

    Raises:
        AudioError: the file cannot be read.
    """
    try:
        return RemoteFile(url, _download(url))
    except FileNotFoundError as error:
        raise AudioError(f"{url}: no such file") from error
    except OSError as error:
        raise AudioError(f"{url}: cannot be read: {error.strerror or error}") from error


def search(url: str) -> Iterator[tuple[str, AudioError | None]]:
    """Yield the file itself, or every audio file in a folder and its subfolders, sorted by name.

    Like `overtone.audio.discovery.search`, but for URLs.

    Raises:
        InputError: the scheme is unknown, or the storage cannot be searched.
    """
    system, key = _file_system(url)
    scheme, bucket, url_key = _split_url(url)
    prefix_length = len(key) - len(url_key)
    key = key.rstrip("/")
    try:
        with _arrow_errors_as_os_errors():
            is_folder = system.get_file_info(key).type.name == "Directory"
            entries = system.get_file_info(_arrow_fs().FileSelector(key, recursive=True)) if is_folder else []
    except OSError as error:
        raise InputError(f"{url}: cannot be searched: {error}") from error
    if not is_folder:
        yield url, None  # a missing file is reported when it is opened
        return
    names = sorted(entry.path for entry in entries if entry.type.name == "File" and _is_audio(entry.path[len(key) :]))
    yield from ((f"{scheme}://{bucket}/{name[prefix_length:]}", None) for name in names)
    if not names:
        yield url, AudioError(f"{url}: a folder without audio files ({' '.join(sorted(AUDIO_SUFFIXES))})")


def read_bytes(location: str) -> bytes:
    """Return the content of a path or URL.

    Raises:
        OSError: the file cannot be read; `FileNotFoundError` if it does not exist.
    """
    if not is_url(location):
        return Path(location).read_bytes()
    system, key = _file_system(location)
    with _arrow_errors_as_os_errors(), system.open_input_stream(key) as stream:
        return bytes(stream.read())


def write_bytes(location: str, content: bytes) -> None:
    """Write a file or an object atomically.

    Raises:
        OvertoneError: it cannot be written.
    """
    if not is_url(location):
        atomic_write.write_bytes(Path(location), content)
        return
    with atomic_write.describe_os_errors(location), _arrow_errors_as_os_errors():
        system, key = _file_system(location)
        with system.open_output_stream(key) as stream:  # an object becomes visible once its upload is complete
            stream.write(content)


def list_names(folder: str) -> list[str]:
    """Return the sorted names in a folder; an empty list if the folder does not exist.

    Raises:
        OSError: the folder cannot be listed.
    """
    if not is_url(folder):
        try:
            return sorted(path.name for path in Path(folder).iterdir())
        except FileNotFoundError:
            return []
    system, key = _file_system(folder)
    with _arrow_errors_as_os_errors():
        entries = system.get_file_info(_arrow_fs().FileSelector(key.rstrip("/"), allow_not_found=True))
    return sorted(entry.base_name for entry in entries)


def remove_folder(folder: str) -> None:
    """Remove a folder; errors are ignored."""
    if not is_url(folder):
        shutil.rmtree(folder, ignore_errors=True)
        return
    system, key = _file_system(folder)
    with suppress(OSError), _arrow_errors_as_os_errors():
        system.delete_dir(key)


def _arrow_fs() -> Any:
    """Return the module `pyarrow.fs`.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import_pyarrow()
    except MissingExtraError as error:
        raise MissingExtraError("object storage needs pyarrow: pip install 'overtone[parquet]'") from error
    import pyarrow.fs

    return pyarrow.fs


def _is_audio(name: str) -> bool:
    """Return whether a name has the suffix of an audio file, and neither it nor one of its folders is hidden."""
    path = PurePosixPath(name)
    return path.suffix.lower() in AUDIO_SUFFIXES and not any(part.startswith(".") for part in path.parts)


def _split_url(url: str) -> tuple[str, str, str]:
    """Return scheme, bucket and key."""
    match = _URL.fullmatch(url)
    assert match is not None, url
    return match[1], match[2], match[3]


def _file_system(url: str) -> tuple[Any, str]:
    """Return the pyarrow file system of a URL, and the path of the URL in it."""
    scheme, bucket, key = _split_url(url)
    if scheme.lower() not in SCHEMES:
        raise InputError(f"{url}: no object storage is called '{scheme}'{suggest(scheme, SCHEMES)}")
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    system, root = _connect(scheme.lower(), bucket, endpoint)
    return system, f"{root}/{key}" if root else f"/{key}"


@lru_cache(maxsize=8)
def _connect(scheme: str, bucket: str, endpoint: str) -> tuple[Any, str]:
    """Return a file system, and the path of the bucket in it: empty if the file system is that of the bucket."""
    fs = _arrow_fs()
    if scheme == "s3" and endpoint:
        protocol, _, host = endpoint.rstrip("/").rpartition("://")
        return fs.S3FileSystem(endpoint_override=host, scheme=protocol or "https", allow_delayed_open=True), bucket
    url = f"{scheme}://{bucket}"
    options = "?allow_delayed_open=true" if scheme == "s3" else ""  # one request per small object instead of three
    try:
        with _arrow_errors_as_os_errors():
            system, root = fs.FileSystem.from_uri(url + options)
    except OSError as error:
        raise InputError(f"{url}: cannot be reached: {error}") from error
    return system, root.strip("/")


@contextmanager
def _arrow_errors_as_os_errors() -> Iterator[None]:
    """Convert pyarrow errors that are not an `OSError` to one."""
    try:
        yield
    except import_pyarrow().ArrowException as error:
        raise error if isinstance(error, OSError) else OSError(str(error)) from error
