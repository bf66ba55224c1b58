"""A path, or an address such as `s3://bucket/calls` -> bytes and names; bytes -> a place there, whole or not at all.

By `pyarrow.fs`: what writes Parquet reads S3, Google Cloud Storage, Azure and HDFS as well, so that nothing more has to
be installed for any of them. Who may read is told by the environment, as the tools of each store have it; of an
S3-like store, `AWS_ENDPOINT_URL` is where it is. A key is taken as it is written, without escapes.
"""

import io
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from overtone._internal import atomic_write
from overtone.audio.discovery import FILE_SUFFIXES
from overtone.errors import AudioError, InputError, MissingExtraError, suggest
from overtone.formats.parquet import import_pyarrow

SCHEMES = ("s3", "gs", "abfs", "abfss", "hdfs")
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+)://([^/]*)/?(.*)", re.DOTALL | re.IGNORECASE)


def is_address(name: str) -> bool:
    """Whether it is an address, and no path."""
    return _ADDRESS.match(name) is not None


def plain(name: str) -> str:
    """The path that `file://` means; any other name as it is."""
    return unquote(urlsplit(name).path) if name.lower().startswith("file://") else name


def sibling(place: str, name: str) -> str:
    """What a name means in a file that lies at `place`: an address as it is, else relative to the file."""
    if is_address(name):
        return plain(name)
    if is_address(place):
        return f"{place.rpartition('/')[0]}/{name}"
    return str(Path(place).parent / name)


def join(folder: str, name: str) -> str:
    """The place of a name in a folder."""
    return f"{folder.rstrip('/')}/{name}" if is_address(folder) else str(Path(folder) / name)


class Content(io.BytesIO):
    """What lies at an address, with its name for messages."""

    def __init__(self, address: str, content: bytes) -> None:
        super().__init__(content)
        self.name = address


@lru_cache(maxsize=1)
def _last(address: str) -> bytes:
    return read_bytes(address)


def sound_at(address: str) -> Content:
    """The whole sound; stretches of one sound that follow each other fetch it once.

    Raises:
        AudioError: it cannot be read.
    """
    try:
        return Content(address, _last(address))
    except FileNotFoundError as error:
        raise AudioError(f"{address}: no such file") from error
    except OSError as error:
        raise AudioError(f"{address}: cannot be read: {error.strerror or error}") from error


def searched(address: str) -> Iterator[tuple[str, AudioError | None]]:
    """As `overtone.audio.discovery.search`: the sound itself, or every one below, sorted by name.

    Raises:
        InputError: the store cannot be asked, or there is none of that kind.
    """
    system, key = _system(address)
    scheme, bucket, under = _parts_of(address)
    bucket_letters = len(key) - len(under)
    key = key.rstrip("/")
    try:
        with _errors_of_arrow():
            is_folder = system.get_file_info(key).type.name == "Directory"
            below = system.get_file_info(_arrow_fs().FileSelector(key, recursive=True)) if is_folder else []
    except OSError as error:
        raise InputError(f"{address}: cannot be searched: {error}") from error
    if not is_folder:
        yield address, None  # one that is not there is for the reader to say
        return
    names = sorted(one.path for one in below if one.type.name == "File" and _is_sound(one.path[len(key) :]))
    yield from ((f"{scheme}://{bucket}/{name[bucket_letters:]}", None) for name in names)
    if not names:
        yield address, AudioError(f"{address}: a folder without sound files ({' '.join(sorted(FILE_SUFFIXES))})")


def read_bytes(place: str) -> bytes:
    """What lies at a path or an address.

    Raises:
        OSError: it cannot be read; `FileNotFoundError` where nothing is there.
    """
    if not is_address(place):
        return Path(place).read_bytes()
    system, key = _system(place)
    with _errors_of_arrow(), system.open_input_stream(key) as stream:
        return bytes(stream.read())


def write_bytes(place: str, content: bytes) -> None:
    """Writes a file or an object whole or not at all.

    Raises:
        OvertoneError: it cannot be written.
    """
    if not is_address(place):
        atomic_write.write_bytes(Path(place), content)
        return
    with atomic_write.describe_os_errors(place), _errors_of_arrow():
        system, key = _system(place)
        with system.open_output_stream(key) as stream:  # an object appears when all of it has arrived
            stream.write(content)


def names_in(folder: str) -> list[str]:
    """Names of what lies in a folder, sorted; none where it is not there.

    Raises:
        OSError: it cannot be listed.
    """
    if not is_address(folder):
        try:
            return sorted(path.name for path in Path(folder).iterdir())
        except FileNotFoundError:
            return []
    system, key = _system(folder)
    with _errors_of_arrow():
        found = system.get_file_info(_arrow_fs().FileSelector(key.rstrip("/"), allow_not_found=True))
    return sorted(one.base_name for one in found)


def remove(folder: str) -> None:
    """Removes a folder; where that fails it stays."""
    if not is_address(folder):
        shutil.rmtree(folder, ignore_errors=True)
        return
    system, key = _system(folder)
    with suppress(OSError), _errors_of_arrow():
        system.delete_dir(key)


def _arrow_fs() -> Any:
    """The module `pyarrow.fs`.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import_pyarrow()
    except MissingExtraError as error:
        raise MissingExtraError("stores are read by pyarrow: pip install 'overtone[parquet]'") from error
    import pyarrow.fs

    return pyarrow.fs


def _is_sound(name: str) -> bool:
    """Whether it has the suffix of a sound, and neither it nor a folder on the way is hidden."""
    path = PurePosixPath(name)
    return path.suffix.lower() in FILE_SUFFIXES and not any(part.startswith(".") for part in path.parts)


def _parts_of(address: str) -> tuple[str, str, str]:
    """Scheme, bucket and key."""
    match = _ADDRESS.fullmatch(address)
    assert match is not None, address
    return match[1], match[2], match[3]


def _system(address: str) -> tuple[Any, str]:
    """The file system of pyarrow for an address, and what the place is called in it."""
    scheme, bucket, key = _parts_of(address)
    if scheme.lower() not in SCHEMES:
        raise InputError(f"{address}: no store is called '{scheme}'{suggest(scheme, SCHEMES)}")
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    system, top = _connected(scheme.lower(), bucket, endpoint)
    return system, f"{top}/{key}" if top else f"/{key}"


@lru_cache(maxsize=8)
def _connected(scheme: str, bucket: str, endpoint: str) -> tuple[Any, str]:
    """A file system, and what the bucket is called in it: nothing where the file system is that of the bucket."""
    fs = _arrow_fs()
    if scheme == "s3" and endpoint:
        protocol, _, host = endpoint.rstrip("/").rpartition("://")
        return fs.S3FileSystem(endpoint_override=host, scheme=protocol or "https", allow_delayed_open=True), bucket
    address = f"{scheme}://{bucket}"
    options = "?allow_delayed_open=true" if scheme == "s3" else ""  # one request for a small object, and not three
    try:
        with _errors_of_arrow():
            system, top = fs.FileSystem.from_uri(address + options)
    except OSError as error:
        raise InputError(f"{address}: cannot be reached: {error}") from error
    return system, top.strip("/")


@contextmanager
def _errors_of_arrow() -> Iterator[None]:
    """Makes errors of pyarrow that are no `OSError` one."""
    try:
        yield
    except import_pyarrow().ArrowException as error:
        raise error if isinstance(error, OSError) else OSError(str(error)) from error
