"""What a request of the HTTP client is made of: sources, reference clips and the query."""

import contextlib
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, urlencode

from overtone._internal.file_objects import read_file_object
from overtone._internal.form_body import FormBody
from overtone.channels import MIX
from overtone.each_channel import ChannelChoice, format_names
from overtone.errors import InputError, OptionError, OvertoneError

Source = str | os.PathLike[str] | bytes | BinaryIO


def add_reference(form: FormBody, clips: Iterable[Source], on_error: Callable[[OvertoneError], None] | None) -> int:
    """Add the reference clips that can be read to a form, and return their number."""
    count = 0
    for clip in check_several(clips, "reference"):
        try:
            with open_source(clip) as (name, content):
                form.add("reference", name, content)
                count += 1
        except InputError as error:
            handle_error(error, on_error)
    return count


def check_several(sources: Iterable[Source], name: str) -> Iterable[Source]:
    """Return the sources, after checking that they are several, not one.

    Raises:
        OptionError: they are one source, or nothing that can be iterated over.
    """
    is_one = isinstance(sources, str | os.PathLike | bytes | bytearray | memoryview) or hasattr(sources, "read")
    if is_one or not isinstance(sources, Iterable):
        raise OptionError(f"{name}: expected several files, such as a list of paths, got one {type(sources).__name__}")
    return sources


def job_path(job_id: str, part: str = "") -> str:
    """Return the path of a job, or of a part of it such as `corrections`.

    Raises:
        InputError: it is not the id of a job.
    """
    if not isinstance(job_id, str) or not job_id:
        raise InputError(f"job: expected its id, such as job['id'], got {job_id!r:.80}")
    return f"/v1/jobs/{quote(job_id, safe='')}{f'/{part}' if part else ''}"


def corrections_body(segments: Iterable[Any]) -> io.BytesIO:
    """Return the body of a request that stores corrections.

    Raises:
        InputError: they are not JSON values.
    """
    try:
        return io.BytesIO(json.dumps({"segments": list(segments)}).encode())
    except (TypeError, ValueError) as error:
        raise InputError(f"segments: expected a list of objects with plain texts and numbers: {error}") from error


def handle_error(error: OvertoneError, on_error: Callable[[OvertoneError], None] | None) -> None:
    """Call `on_error` with an error; raise it if that is None."""
    if on_error is None:
        raise error
    on_error(error)


def make_query(choice: ChannelChoice, **parameters: str) -> str:
    """Return the query with these parameters and channels; bytes that are not UTF-8 become question marks."""
    if choice.channel != MIX:
        parameters["channel"] = choice.channel
    if choice.names:
        parameters["channel_names"] = format_names(choice.names)
    return urlencode(parameters, errors="replace", quote_via=quote)


@contextlib.contextmanager
def open_source(source: Source) -> Iterator[tuple[str, BinaryIO]]:
    """Open a source as its name and a seekable stream."""
    if isinstance(source, bytes | bytearray | memoryview):
        yield "audio in memory", io.BytesIO(source)
    elif isinstance(source, str | os.PathLike):
        try:
            file = Path(source).open("rb")  # noqa: SIM115
        except OSError as error:
            raise InputError(f"{source}: cannot be read: {error.strerror or error}") from error
        with file:
            yield Path(source).name, file
    elif not hasattr(source, "read"):
        raise InputError(f"{type(source).__name__}: expected a path, bytes or a file object that was opened as binary")
    else:
        yield str(getattr(source, "name", "audio")), io.BytesIO(read_file_object(source))
