"""Reads a Parquet file, with or without the metadata of a Hugging Face dataset.

Numbers, booleans and text keep their type. Durations become seconds, class labels of a Hugging Face dataset the names
of the classes, and other types, such as dates and lists, text.
"""

import io
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from overtone._internal.pyarrow_import import import_pyarrow
from overtone.corpora.tables.rows import Row, Table, Value
from overtone.errors import CorpusError

UNITS_PER_SECOND = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}
HUGGING_FACE_KEY = b"huggingface"


def read(name: str, folder: str, content: bytes | None, expected: str) -> Table:
    """Return a Parquet file as a table; arguments and errors as `overtone.corpora.tables.csv_table.read`.

    Raises:
        CorpusError: it cannot be read, or contains audio instead of the names of audio files.
        MissingExtraError: pyarrow is not installed.
    """
    pa = import_pyarrow()
    try:
        file = pa.parquet.ParquetFile(name if content is None else io.BytesIO(content))
        schema = file.schema_arrow
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(f"{name}: cannot be read as Parquet: {error}") from error
    _check_no_audio(name, schema)
    types = {field.name: _value_type(field.type) for field in schema}
    classes = class_names((schema.metadata or {}).get(HUGGING_FACE_KEY, b"{}"))
    typed = {column: kind for column, kind in types.items() if kind is not None and column not in classes}
    return Table(
        name, tuple(schema.names), _rows(name, file, classes), (folder,), types=typed, made_by_program=bool(classes)
    )


def class_names(metadata: bytes) -> dict[str, list[str]]:
    """Return the classes of each column with class labels, from the metadata of a Hugging Face dataset.

    Source: `datasets` 5, `Features.to_dict`, as stored under the key "huggingface".
    """
    try:
        features = json.loads(metadata)["info"]["features"]
        labels = {name: feature["names"] for name, feature in features.items() if feature.get("_type") == "ClassLabel"}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {name: [str(label) for label in names] for name, names in labels.items()}


def _check_no_audio(name: str, schema: Any) -> None:
    pa = import_pyarrow()
    for field in schema:
        if pa.types.is_struct(field.type) and "bytes" in {inner.name for inner in field.type}:
            raise CorpusError(
                f"{name}: the column '{field.name}' contains the audio itself, and a table must name files; "
                "write each clip to a file and list them, as docs/own-labels.md shows"
            )


def _value_type(kind: Any) -> Any:
    """Return the pyarrow type of the values of a column; None for text."""
    pa = import_pyarrow()
    if pa.types.is_dictionary(kind):
        return _value_type(kind.value_type)
    if pa.types.is_duration(kind):
        return pa.float64()
    is_kept = any(check(kind) for check in (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean))
    return kind if is_kept else None


def _rows(table: str, file: Any, classes: Mapping[str, list[str]]) -> Iterator[Row]:
    """Yield the rows, a batch of them in memory at a time."""
    pa = import_pyarrow()
    number = 0
    try:
        for batch in file.iter_batches():
            names = batch.schema.names
            columns = [_values(batch.column(index), classes.get(name)) for index, name in enumerate(names)]
            for cells in zip(*columns, strict=True):
                number += 1
                yield Row(f"row {number}", cells)
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(f"{table}: cannot be read as Parquet: {error}") from error


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
