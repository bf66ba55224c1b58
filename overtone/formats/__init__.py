"""PREDICTIONS, TIMELINES -> FILES. One module per file format, one registry row per format.

A module of a prediction format has one function

    write(predictions, stream)  writes an iterable of `Prediction`, which may be lazy, to a text stream, in order;
                                binary formats write to `stream.buffer`

and a module of a timeline format has one function

    write(timeline, stream)     writes one `Timeline` to a text stream; binary formats write to `stream.buffer`

To add a format, write such a module, whose docstring starts with an example of the output, and add a row to
`PREDICTION_FORMATS` or `TIMELINE_FORMATS`. The key of the row is the name of the format on the command line and in the
HTTP API. A module is imported when its format is first used.
"""

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from overtone._internal.atomic_write import write_bytes
from overtone.datatypes import Prediction
from overtone.errors import MissingExtraError, OptionError, suggest
from overtone.formats.csv_dialect import DIALECTS

if TYPE_CHECKING:
    from overtone.timeline import Timeline

AudioBlocks = Iterable[np.ndarray]  # consecutive float32 blocks (samples,), mono, 16 kHz; see `overtone.audio.blocks`
DEFAULT_DIALECT = "plain"
EXTRA_PACKAGES = {"parquet": "pyarrow", "pictures": "matplotlib"}  # optional extra -> package that it installs


@dataclass(frozen=True)
class Format:
    """A row of a registry.

    Attributes:
        module: name of the module in `overtone.formats` that writes the format.
        suffix: file name suffix, with its leading dot.
        media_type: MIME type.
        label: short name for people.
        extra: optional extra of this package that the format needs; None if it needs none.
        is_binary: whether the output is binary rather than text.
        embeds_audio: whether `write` takes the audio of the recording as a third argument.
        links_source: whether `write` takes `is_local`: whether the source is a file on this machine.
        completes_json: whether `write` takes the JSON document of the speaker turns as a third argument, and `words`.
        is_table: whether `write` takes a `dialect` of CSV and, of timelines, whether a `header` is written, so that one
            table can hold several timelines.
    """

    module: str
    suffix: str
    media_type: str
    label: str
    extra: str | None = None
    is_binary: bool = False
    embeds_audio: bool = False
    links_source: bool = False
    completes_json: bool = False
    is_table: bool = False

    def write(self, content: Any, stream: TextIO, *args: Any, **options: Any) -> None:
        """Import the module of the format and call its `write`."""
        import_module(f"{__name__}.{self.module}").write(content, stream, *args, **options)

    def missing_package(self) -> str:
        """Return the name of the package that the format needs and that is not installed; "" if there is none."""
        package = EXTRA_PACKAGES[self.extra] if self.extra else ""
        return package if package and find_spec(package) is None else ""

    def check_package(self) -> None:
        """Check that the package that the format needs is installed.

        Raises:
            MissingExtraError: it is not.
        """
        if package := self.missing_package():
            raise MissingExtraError(
                f"{self.label} needs {package}, which is not installed: pip install 'overtone[{self.extra}]'"
            )


PREDICTION_FORMATS: dict[str, Format] = {
    "table": Format("table", ".txt", "text/plain", "Text"),
    "json": Format("json", ".json", "application/json", "JSON"),
    "jsonl": Format("jsonl", ".jsonl", "application/x-ndjson", "JSON Lines"),
    "csv": Format("csv", ".csv", "text/csv", "CSV", is_table=True),
    "parquet": Format("parquet", ".parquet", "application/vnd.apache.parquet", "Parquet", "parquet", is_binary=True),
}
TIMELINE_FORMATS: dict[str, Format] = {  # in the order in which the web page offers them
    "html": Format("html_player", ".html", "text/html", "Page (HTML)", embeds_audio=True),
    "png": Format("png", ".png", "image/png", "PNG", "pictures", is_binary=True),
    "svg": Format("svg", ".svg", "image/svg+xml", "SVG", "pictures"),
    "textgrid": Format("textgrid", ".TextGrid", "text/x-praat-textgrid", "Praat"),
    "elan": Format("elan", ".eaf", "application/x-elan+xml", "ELAN", links_source=True),
    "audacity": Format("audacity", ".labels.txt", "text/x-audacity-labels", "Audacity"),
    "webvtt": Format("webvtt", ".vtt", "text/vtt", "WebVTT"),
    "srt": Format("srt", ".srt", "application/x-subrip", "SRT"),
    "rttm": Format("rttm", ".rttm", "text/x-rttm", "RTTM"),
    "csv": Format("timeline_csv", ".csv", "text/csv", "CSV", is_table=True),
    "summary": Format("timeline_summary", ".summary.csv", "text/x-summary-csv", "Summary (CSV)", is_table=True),
    "json": Format("timeline_json", ".json", "application/json", "JSON"),
    "jsonl": Format("timeline_jsonl", ".jsonl", "application/x-ndjson", "JSON Lines"),
    "whisperx": Format(
        "whisperx", ".whisperx.json", "application/x-whisperx+json", "WhisperX (JSON)", completes_json=True
    ),
    "parquet": Format(
        "timeline_parquet", ".parquet", "application/vnd.apache.parquet", "Parquet", "parquet", is_binary=True
    ),
    "table": Format("timeline_table", ".txt", "text/plain", "Text"),
}
EXPLANATION_FORMATS: dict[str, Format] = {
    "text": Format("explanation_text", ".txt", "text/plain", "Text"),
    "json": Format("explanation_json", ".json", "application/json", "JSON"),
    "html": Format("explanation_html", ".html", "text/html", "Page (HTML)"),
    "png": Format("explanation_png", ".png", "image/png", "PNG", "pictures", is_binary=True),
    "svg": Format("explanation_svg", ".svg", "image/svg+xml", "SVG", "pictures"),
}


def get_format(name: str) -> Format:
    """Return a prediction format by its name.

    Raises:
        OptionError: no such format exists; the message suggests the nearest name.
    """
    return _look_up(name, PREDICTION_FORMATS)


def get_timeline_format(name: str) -> Format:
    """Return a timeline format by its name.

    Raises:
        OptionError: no such format exists; the message suggests the nearest name.
    """
    return _look_up(name, TIMELINE_FORMATS)


def save(predictions: Iterable[Prediction], path: Path, format: str, *, dialect: str = DEFAULT_DIALECT) -> None:
    """Write predictions to a file atomically. File names that are not UTF-8 keep their bytes.

    Args:
        predictions: to write, in order; may be lazy.
        path: the file; an existing one is replaced.
        format: a key of `PREDICTION_FORMATS`.
        dialect: a key of `DIALECTS`; only tables have one.

    Raises:
        OptionError: no such format or dialect exists.
        OvertoneError: the file cannot be written.
    """
    write_bytes(path, encode(predictions, format, dialect=dialect))


def encode(predictions: Iterable[Prediction], format: str, *, dialect: str = DEFAULT_DIALECT) -> bytes:
    """Return predictions as the content of a file; arguments as for `save`.

    Raises:
        OptionError: no such format or dialect exists.
        MissingExtraError: a package that the format needs is not installed.
    """
    row, options = get_format(format), dialect_option(format, dialect)
    return to_bytes(lambda stream: row.write(predictions, stream, **options))


def to_bytes(write: Callable[[TextIO], None]) -> bytes:
    """Return what a function writes to a text stream that has a binary `buffer`, with the bytes of names not in UTF-8.

    Args:
        write: gets the stream.
    """
    content = io.BytesIO()
    stream = io.TextIOWrapper(content, "utf-8", "surrogateescape", newline="")
    write(stream)
    stream.flush()
    return content.getvalue()


def write_timeline(
    timeline: "Timeline",
    stream: TextIO,
    format: str,
    audio: AudioBlocks | None = None,
    *,
    is_local: bool = True,
    original: Any = None,
    words: bool = False,
    dialect: str = DEFAULT_DIALECT,
    header: bool = True,
) -> None:
    """Write a timeline to a text stream that has a binary `buffer`, as files and stdout have.

    Args:
        timeline: to write.
        stream: the output.
        format: a key of `TIMELINE_FORMATS`.
        audio: of the recording; only formats that embed audio read it.
        is_local: whether `timeline.source` is the path of a file on this machine, which formats may link; False if it
            is a name that a remote client sent.
        original: the JSON document of the speaker turns, an `overtone.formats.whisperx.Original`, for the format
            `whisperx`; None if they come from elsewhere.
        words: whether each word of that document gets an emotion.
        dialect: a key of `DIALECTS`; only tables have one.
        header: whether a table begins with the names of its columns.

    Raises:
        OptionError: no such format or dialect exists.
    """
    row = get_timeline_format(format)
    args = (audio,) if row.embeds_audio else (original,) if row.completes_json else ()
    options = {"is_local": is_local} if row.links_source else {"words": words} if row.completes_json else {}
    options |= {**dialect_option(format, dialect), "header": header} if row.is_table else {}
    row.write(timeline, stream, *args, **options)


def save_timeline(
    timeline: "Timeline",
    path: Path,
    format: str,
    audio: AudioBlocks | None = None,
    *,
    original: Any = None,
    words: bool = False,
    dialect: str = DEFAULT_DIALECT,
) -> None:
    """Write a timeline to a file atomically. File names that are not UTF-8 keep their bytes.

    Args:
        timeline: to write.
        path: the file; an existing one is replaced.
        format: a key of `TIMELINE_FORMATS`.
        audio: of the recording; only formats that embed audio read it.
        original: as for `write_timeline`.
        words: as for `write_timeline`.
        dialect: as for `write_timeline`.

    Raises:
        OptionError: no such format or dialect exists.
        OvertoneError: the file cannot be written.
    """
    options = {"original": original, "words": words, "dialect": dialect}
    write_bytes(path, to_bytes(lambda stream: write_timeline(timeline, stream, format, audio, **options)))


def dialect_option(format: str, dialect: str) -> dict[str, Any]:
    """Return the keyword arguments of the `write` of a format that select a dialect of CSV; none if it has none.

    Raises:
        OptionError: no such dialect exists; the message suggests the nearest name.
    """
    if dialect not in DIALECTS:
        raise OptionError(f"unknown dialect '{dialect}'{suggest(dialect, DIALECTS)}")
    row = PREDICTION_FORMATS.get(format) or TIMELINE_FORMATS[format]
    return {"dialect": DIALECTS[dialect]} if row.is_table else {}


def check_dialect(format: str, dialect: str, formats: Mapping[str, Format]) -> None:
    """Check that a format has a dialect of CSV.

    Args:
        format: a key of `formats`.
        dialect: a key of `DIALECTS`.
        formats: those that can be chosen, such as `PREDICTION_FORMATS`.

    Raises:
        OptionError: no such dialect exists, or the format is not a table.
    """
    if dialect != DEFAULT_DIALECT and not dialect_option(format, dialect):
        tables = " or ".join(name for name, row in formats.items() if row.is_table)
        raise OptionError(f"{dialect}: the format is {format}, not {tables}")


def _look_up(name: str, formats: Mapping[str, Format]) -> Format:
    if name not in formats:
        raise OptionError(f"unknown format '{name}'{suggest(name, formats)}")
    return formats[name]
