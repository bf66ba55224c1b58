"""Output files: their format, and devices and named pipes, which must not be replaced by a file."""

import argparse
import contextlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, Protocol, TextIO

from overtone._internal.audio_suffixes import AUDIO_SUFFIXES
from overtone.cli.errors import UsageError
from overtone.errors import OptionError
from overtone.formats import DEFAULT_DIALECT, EXPLANATION_FORMATS, PREDICTION_FORMATS, TIMELINE_FORMATS, Format
from overtone.formats import check_dialect as check_format_dialect
from overtone.formats.csv_dialect import DIALECTS

DEFAULT_FORMAT = "table"
DESCRIPTORS = re.compile(r"/dev/fd|/proc/[^/]+/fd")  # folders of the open files of a process

PLAIN_TEXT = ".txt"  # fits every text format
# Of files whose content is known by their suffix: those that Overtone writes and reads, other tables, archives.
FILE_SUFFIXES = frozenset(
    {
        row.suffix[row.suffix.rindex(".") :].lower()
        for rows in (PREDICTION_FORMATS, TIMELINE_FORMATS, EXPLANATION_FORMATS)
        for row in rows.values()
    }
    | {".md", ".onnx", ".toml", ".tsv", ".xls", ".xlsx", ".ods", ".zip", ".gz", ".bz2", ".xz", ".zst"}
    | AUDIO_SUFFIXES
)


class OutputFormat(Protocol):
    """A row of a registry of formats."""

    @property
    def suffix(self) -> str:
        """File name suffix, with its leading dot."""

    @property
    def is_binary(self) -> bool:
        """Whether the output is binary rather than text."""

    def check_package(self) -> None:
        """Raise `MissingExtraError` if the format needs a package that is not installed."""


def format_argument(parser: argparse.ArgumentParser, formats: Mapping[str, OutputFormat]) -> None:
    """Add --format."""
    parser.add_argument(
        "--format", choices=sorted(formats),
        help=f"the output format (default: chosen by the suffix of --output, else {DEFAULT_FORMAT})",
    )  # fmt: skip


def dialect_argument(parser: argparse.ArgumentParser) -> None:
    """Add --csv-dialect."""
    parser.add_argument(
        "--csv-dialect", choices=sorted(DIALECTS), default=DEFAULT_DIALECT,
        help="how tables are written: plain, with commas and decimal points, for R, pandas and others; excel, likewise "
        "with a byte order mark; or excel-de, for Excel in German and other languages with a decimal comma: semicolons "
        f"between cells, decimal commas and a byte order mark (default: {DEFAULT_DIALECT})",
    )  # fmt: skip


def check_dialect(dialect: str, format_name: str, formats: Mapping[str, Format]) -> None:
    """Check that a dialect of CSV is requested for a table only.

    Raises:
        UsageError: it is requested for another format.
    """
    try:
        check_format_dialect(format_name, dialect, formats)
    except OptionError as error:
        raise UsageError(f"--csv-dialect {error}; add --format csv") from error


def choose_format(
    name: str | None, output: Path | None, formats: Mapping[str, OutputFormat], default: str = DEFAULT_FORMAT
) -> str:
    """Return the requested format, else the format for the suffix of the output, else the default.

    Raises:
        MissingExtraError: the format needs a package that is not installed.
        UsageError: the format is binary, and the output is a terminal.
    """
    chosen = name or format_by_suffix(output, formats) or default
    formats[chosen].check_package()
    if formats[chosen].is_binary and output is None and sys.stdout.isatty():
        raise UsageError(f"--format {chosen}: a terminal cannot show a binary format; add --output FILE")
    return chosen


def format_by_suffix(output: Path | None, formats: Mapping[str, OutputFormat]) -> str | None:
    """Return the format with the longest suffix that the name of the output ends in; None if there is none."""
    name = output.name.lower() if output else ""
    matching = [key for key, row in formats.items() if name.endswith(row.suffix.lower())]
    return max(matching, key=lambda key: len(formats[key].suffix), default=None)


def check_output_suffix(name: str | None, output: Path | None, formats: Mapping[str, OutputFormat]) -> None:
    """Check, before anything is recognised, that the suffix of the output says what it contains.

    Without a requested format, the output has no suffix or that of a format. With one, it may have any suffix but that
    of another kind of file: a table called `x.png` would mislead, and one called `x.wav` might replace a recording.

    Args:
        name: the requested format, a key of `formats`; None if none was requested.
        output: the file; None for stdout.
        formats: the formats of the command.

    Raises:
        OptionError: the suffix belongs to no format, or to another one.
    """
    if output is None or is_device(output):
        return
    suffixes = ", ".join(sorted(row.suffix for row in formats.values()))
    has_suffix = any(map(str.isalpha, output.suffix))  # a date or a version, such as run.2026-11-30, is none
    by_suffix = format_by_suffix(output, formats)
    if name is None and has_suffix and not by_suffix:
        raise OptionError(f"--output {output}: no format has this suffix ({suffixes}); choose one with --format")
    if name is not None and not _fits(output, formats[name]):
        remedy = "leave out --format, or choose another name" if by_suffix else "choose another name"
        raise OptionError(
            f"--output {output}: contradicts --format {name}, whose files end in {formats[name].suffix}; {remedy}"
        )


def _fits(output: Path, row: OutputFormat) -> bool:
    """Return whether the last suffix of a file is that of a format, or of no other kind of file."""
    suffix = known_suffix(output.name)
    return suffix in ("", known_suffix(row.suffix)) or (suffix == PLAIN_TEXT and not row.is_binary)


def known_suffix(name: str) -> str:
    """Return the one of `FILE_SUFFIXES` that a name ends in, as ".csv" of "x.summary.csv"; "" if there is none."""
    return next((suffix for suffix in FILE_SUFFIXES if name.lower().endswith(suffix)), "")


def check_output_folder(folder: str | Path) -> None:
    """Check that the name of a new output folder is not that of a file: its suffix would choose no format.

    Raises:
        OptionError: it has the suffix of a file.
    """
    suffix = known_suffix(str(folder))
    if suffix and not Path(folder).is_dir():
        raise OptionError(f"{folder}: expected a folder, whose name does not end in {suffix}")


def output_folder(text: str) -> Path:
    """Return the path of an output folder: a type of argument."""
    return Path(folder_or_url(text))


def folder_or_url(text: str) -> str:
    """Return the path or URL of an output folder: a type of argument."""
    try:
        check_output_folder(text)
    except OptionError as error:
        raise argparse.ArgumentTypeError(f"{error}; to call it like that, end it with /") from error
    return text


def is_device(path: Path) -> bool:
    """Return whether the path exists and must not be replaced by a file: a device, a named pipe, or /dev/stdout.

    The last is a file where the shell redirects stdout to one; the path itself remains a link of the system.
    """
    if not path.exists() or path.is_dir():
        return False
    folder = os.path.realpath(path.parent)
    return not path.is_file() or folder == "/dev" or DESCRIPTORS.fullmatch(folder) is not None


@contextlib.contextmanager
def open_device(device: Path) -> Iterator[TextIO]:
    """Yield a text stream to a device or named pipe; its errors name the path."""
    mode: Literal["a", "w"] = "a" if device.is_file() else "w"  # /dev/stdout may be a file that the shell appends to
    try:
        with device.open(mode, encoding="utf-8", errors="surrogateescape", newline="") as stream:
            yield stream
    except OSError as error:
        error.filename = error.filename or str(device)
        raise
