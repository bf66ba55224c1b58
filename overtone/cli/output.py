"""Output files: their format, and devices and named pipes, which must not be replaced by a file."""

import argparse
import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol, TextIO

from overtone.cli.errors import UsageError
from overtone.errors import OptionError
from overtone.formats import DEFAULT_DIALECT, Format
from overtone.formats.csv_dialect import DIALECTS

DEFAULT_FORMAT = "table"


class WithSuffix(Protocol):
    """A row of a registry of formats."""

    @property
    def suffix(self) -> str:
        """File name suffix, with its leading dot."""


def format_argument(parser: argparse.ArgumentParser, formats: Mapping[str, WithSuffix]) -> None:
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
    if dialect != DEFAULT_DIALECT and not formats[format_name].is_table:
        tables = " or ".join(name for name, row in formats.items() if row.is_table)
        raise UsageError(f"--csv-dialect {dialect}: the format is {format_name}, not {tables}; add --format csv")


def choose_format(name: str | None, output: Path | None, formats: Mapping[str, WithSuffix]) -> str:
    """Return the requested format, else the format for the suffix of the output, else the table."""
    return name or format_by_suffix(output, formats) or DEFAULT_FORMAT


def format_by_suffix(output: Path | None, formats: Mapping[str, WithSuffix]) -> str | None:
    """Return the format with the longest suffix that the name of the output ends in; None if there is none."""
    name = output.name.lower() if output else ""
    matching = [key for key, row in formats.items() if name.endswith(row.suffix.lower())]
    return max(matching, key=lambda key: len(formats[key].suffix), default=None)


def check_output_suffix(name: str | None, output: Path | None, formats: Mapping[str, WithSuffix]) -> None:
    """Check that the output has no suffix or that of a format, unless a format was requested.

    Raises:
        OptionError: the suffix belongs to no format.
    """
    if output and output.suffix and not name and not format_by_suffix(output, formats):
        suffixes = ", ".join(sorted(row.suffix for row in formats.values()))
        raise OptionError(f"--output {output}: no format has this suffix ({suffixes}); choose one with --format")


def is_device(path: Path) -> bool:
    """Return whether the path exists and is neither a file nor a folder, so that it must not be replaced by a file."""
    return path.exists() and not path.is_file() and not path.is_dir()


@contextlib.contextmanager
def open_device(device: Path) -> Iterator[TextIO]:
    """Yield a text stream to a device or named pipe; its errors name the path."""
    try:
        with device.open("w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
            yield stream
    except OSError as error:
        error.filename = error.filename or str(device)
        raise
