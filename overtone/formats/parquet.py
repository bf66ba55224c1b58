r"""Predictions as Parquet: the columns of `overtone.formats.csv` as strings, booleans, integers and unrounded numbers.

Unknown values are null. Parquet strings are UTF-8: bytes of a file name that are not UTF-8 become escapes (`\udcff`).
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, BinaryIO, TextIO

from overtone._internal.pyarrow_import import import_pyarrow
from overtone.datatypes import Prediction
from overtone.formats.csv import FIXED_COLUMNS, to_row

GROUP_ROWS = 65_536


def write(predictions: Iterable[Prediction], stream: TextIO) -> None:
    """Write one row per prediction to the binary buffer of a text stream, as files and stdout have.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    write_table(predictions, stream.buffer)


def write_table(
    predictions: Iterable[Prediction],
    stream: BinaryIO,
    types: Mapping[str, Any] | None = None,
    template: Prediction | None = None,
) -> None:
    """Write one row per prediction; without predictions and template, a table without probability columns.

    Args:
        predictions: in the order of the rows, all from one model.
        stream: the output.
        types: pyarrow type, or `bool`, `int` or `float`, of each manifest column that is not a string.
        template: a prediction with the columns of the table, used if there are no predictions.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    pa = import_pyarrow()
    iterator = iter(predictions)
    group = list(islice(iterator, GROUP_ROWS))
    first = group[0] if group else template
    schema = pa.schema(_fields(first, types or {}) if first else [(name, pa.string()) for name in FIXED_COLUMNS])
    with pa.parquet.ParquetWriter(stream, schema) as writer:
        while group:
            rows = [{name: to_utf8(value) for name, value in _row(prediction).items()} for prediction in group]
            writer.write_table(pa.Table.from_pylist(rows, schema))
            group = list(islice(iterator, GROUP_ROWS))


def to_utf8(value: Any) -> Any:
    """Return a string as valid UTF-8, with escapes for bytes that are not; other values unchanged."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _row(prediction: Prediction) -> dict[str, Any]:
    row = {name: None if value != value else value for name, value in to_row(prediction).items()}  # NaN: unknown
    return {**prediction.columns, **row}


def _fields(prediction: Prediction, types: Mapping[str, Any]) -> list[tuple[str, Any]]:
    pa = import_pyarrow()
    arrow_types = {str: pa.string(), bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
    kinds = {name: types.get(name, str) for name in prediction.columns}
    manifest_fields = [(name, arrow_types.get(kind, kind)) for name, kind in kinds.items()]
    row = {**to_row(prediction), "no_speech": False}  # a boolean also if it is unknown for the first prediction
    return [*manifest_fields, *((name, arrow_types[type(value)]) for name, value in row.items())]
