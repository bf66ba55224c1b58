"""What a request of the HTTP client is made of: sources, reference clips and the query."""

import contextlib
import io
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urlencode

from overtone._internal.file_objects import read_file_object
from overtone._internal.form_body import FormBody
from overtone.channels import MIX
from overtone.each_channel import ChannelChoice, format_names
from overtone.errors import InputError, OvertoneError

Source = str | os.PathLike[str] | bytes | BinaryIO


def add_reference(form: FormBody, clips: Iterable[Source], on_error: Callable[[OvertoneError], None] | None) -> int:
    """Add the reference clips that can be read to a form, and return their number."""
    count = 0
    for clip in clips:
        try:
            with open_source(clip) as (name, content):
                form.add("reference", name, content)
                count += 1
        except InputError as error:
            handle_error(error, on_error)
    return count


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
    else:
        yield str(getattr(source, "name", "audio")), io.BytesIO(read_file_object(source))
