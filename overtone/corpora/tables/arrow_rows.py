"""The rows of a table in Apache Arrow's types, as Parquet and Arrow files have them.

Numbers, booleans and text keep their type. Durations become seconds, class labels of a Hugging Face dataset the names
of the classes, and other types, such as dates and lists, text. A column of audio becomes the name of the file that it
contains, and its bytes the content of the row.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from overtone._internal.column_names import MEANING_OF, column_key
from overtone._internal.pyarrow_import import import_pyarrow
from overtone.corpora.tables.embedded_audio import AUDIO_NAME, NO_AUDIO, contents, find_audio, has_bytes
from overtone.corpora.tables.hub_features import class_names
from overtone.corpora.tables.rows import Row, Table, Value
from overtone.errors import CorpusError

UNITS_PER_SECOND = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}
ROWS_WITH_AUDIO = 4  # converted at once: their audio is in memory


class ArrowColumns(NamedTuple):
    """What is read of a table.

    Attributes:
        names: the columns that are read.
        new_names: what they are called in the result.
        audio: the column that contains audio; "" if there is none.
        classes: column with class labels -> names of the classes.
        types: new name -> pyarrow type of a column of numbers or booleans.
    """

    names: tuple[str, ...]
    new_names: tuple[str, ...]
    audio: str
    classes: dict[str, list[str]]
    types: dict[str, Any]

    @property
    def rows_at_once(self) -> int | None:
        """How many rows may be converted at once; None for any number."""
        return ROWS_WITH_AUDIO if self.audio else None


def select_columns(table: str, schema: Any, features: Mapping[str, Any]) -> ArrowColumns:
    """Return which columns are read.

    Args:
        table: name of the table, for messages.
        schema: pyarrow schema.
        features: of a Hugging Face dataset, as `overtone.corpora.tables.hub_features` returns them.

    Raises:
        CorpusError: audio is in several columns, or decoded.
    """
    audio = find_audio(table, schema, features)
    fields = [field for field in schema if field.name == audio or not (audio and has_bytes(field.type))]
    names = tuple(field.name for field in fields)
    new_names = tuple(_new_name(name, audio) if audio else name for name in names)
    classes = class_names(features)
    kinds = {new: _value_type(field.type) for new, field in zip(new_names, fields, strict=True)}
    labels = {new for new, name in zip(new_names, names, strict=True) if name in classes or name == audio}
    types = {new: kind for new, kind in kinds.items() if kind is not None and new not in labels}
    return ArrowColumns(names, new_names, audio, classes, types)


def make_table(name: str, folder: str, form: str, columns: ArrowColumns, batches: Iterable[Any]) -> Table:
    """Return a table; reading its rows raises a `CorpusError` where the file is damaged.

    Args:
        name: path or URL of the file.
        folder: folder to which the paths in it are relative.
        form: name of the form, for messages.
        columns: what is read.
        batches: record batches, which have at least these columns.
    """
    is_dataset = bool(columns.classes or columns.audio)
    return Table(
        name,
        columns.new_names,
        _rows(name, form, columns, batches),
        (folder,),
        types=columns.types,
        made_by_program=is_dataset,
        has_audio=bool(columns.audio),
    )


def _new_name(name: str, audio: str) -> str:
    """Return the name of a column next to one of audio: of a path, it must not be taken for that of the audio."""
    if name == audio:
        return AUDIO_NAME
    return f"original_{name}" if MEANING_OF.get(column_key(name)) == "path" else name


def _value_type(kind: Any) -> Any:
    """Return the pyarrow type of the values of a column; None for text."""
    pa = import_pyarrow()
    if pa.types.is_dictionary(kind):
        return _value_type(kind.value_type)
    if pa.types.is_duration(kind):
        return pa.float64()
    is_kept = any(check(kind) for check in (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean))
    return kind if is_kept else None


def _rows(table: str, form: str, columns: ArrowColumns, batches: Iterable[Any]) -> Iterator[Row]:
    """Yield the rows, a few with audio or a batch of others in memory at a time."""
    pa = import_pyarrow()
    number = 0
    try:
        for batch in batches:
            batch.validate(full=True)  # Arrow's offsets are used as they are, and wrong ones would end the process
            size = columns.rows_at_once or max(1, batch.num_rows)
            for start in range(0, batch.num_rows, size):
                for cells, content in _converted(batch.slice(start, size), columns):
                    number += 1
                    is_empty = columns.audio and not content and cells[columns.names.index(columns.audio)] is None
                    yield Row(f"row {number}", cells, NO_AUDIO if is_empty else "", content)
    except (OSError, UnicodeError, pa.ArrowException) as error:
        raise unreadable(table, form, error) from error


def _converted(batch: Any, columns: ArrowColumns) -> Iterator[tuple[tuple[Value, ...], bytes | None]]:
    """Yield the cells of each row, and its audio."""
    values: list[list[Value]] = []
    audio: list[bytes | None] = [None] * batch.num_rows
    for name in columns.names:
        column = batch.column(batch.schema.names.index(name))
        if name == columns.audio:
            paths, audio = contents(column)
            values.append(list(paths))
        else:
            values.append(_values(column, columns.classes.get(name)))
    yield from zip(zip(*values, strict=True), audio, strict=True)


def _values(column: Any, classes: list[str] | None) -> list[Value]:
    pa = import_pyarrow()
    if pa.types.is_duration(column.type):
        units = UNITS_PER_SECOND[column.type.unit]
        return [None if count is None else count / units for count in column.cast(pa.int64()).to_pylist()]
    if classes is not None:
        return [_class_name(value, classes) for value in column.to_pylist()]
    return [_to_value(value) for value in column.to_pylist()]


def _class_name(value: Any, classes: list[str]) -> Value:
    """Return the name of a class from its number; -1 is an unknown class."""
    if isinstance(value, int) and -1 <= value < len(classes):
        return classes[value] if value >= 0 else None
    return None if value is None else str(value)


def _to_value(value: Any) -> Value:
    """Return a value that every output format supports."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def unreadable(table: str, form: str, error: Exception) -> CorpusError:
    """Return the error of a file that cannot be read."""
    return CorpusError(f"{table}: cannot be read as {form}: {' '.join(str(error).split())}; copy or download it again")
