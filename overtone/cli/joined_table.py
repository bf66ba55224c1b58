"""The tables of several timelines, written one below the other as one table."""

import io
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from overtone._internal.atomic_write import write_bytes
from overtone.cli.output import is_device, open_device
from overtone.formats import TIMELINE_FORMATS, write_timeline
from overtone.timeline import Timeline


def joins(format_name: str, output: Path | None, recordings: int) -> bool:
    """Return whether the timelines of several recordings become one table: on stdout, or in a file.

    Args:
        format_name: a key of `TIMELINE_FORMATS`.
        output: what the user named; a folder, or a name without a suffix, gets a file per recording.
        recordings: their number.
    """
    is_file = output is None or (bool(output.suffix) and not output.is_dir())
    return recordings > 1 and is_file and TIMELINE_FORMATS[format_name].is_table


class JoinedTable:
    """One table on stdout, where each timeline appears at once, or in a file, which is written atomically at the end.

    The file is not written if an error other than that of a recording ends the command.

    Args:
        output: the file or device; None for stdout.
        format_name: a key of `TIMELINE_FORMATS` that is a table.
        dialect: a key of `DIALECTS`.
    """

    def __init__(self, output: Path | None, format_name: str, dialect: str) -> None:
        self._output, self._format, self._dialect = output, format_name, dialect
        self._content = io.BytesIO()
        self._is_empty = True
        self._buffer = io.TextIOWrapper(self._content, "utf-8", "surrogateescape", newline="")

    def add(self, timeline: Timeline) -> None:
        """Append the rows of a timeline."""
        stream = sys.stdout if self._output is None else self._buffer
        write_timeline(timeline, stream, self._format, dialect=self._dialect, header=self._is_empty)
        self._is_empty = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._buffer.flush()
        if kind is not None or self._output is None or self._is_empty:
            return
        if is_device(self._output):
            with open_device(self._output) as stream:
                stream.write(self._content.getvalue().decode("utf-8", "surrogateescape"))
        else:
            write_bytes(self._output, self._content.getvalue())
