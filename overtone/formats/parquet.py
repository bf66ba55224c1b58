r"""Answers as Parquet: the columns of `overtone.formats.csv`, as text, truth values and numbers that are not rounded.

Text of Parquet is UTF-8: bytes of a file name that are none stand as escapes (`\udcff`).
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, BinaryIO

from overtone.datatypes import Prediction
from overtone.errors import MissingExtraError
from overtone.formats.csv import FIXED_COLUMNS, to_row

GROUP_ROWS = 65_536


def write(
    answers: Iterable[Prediction],
    stream: BinaryIO,
    types: Mapping[str, Any] | None = None,
    like: Prediction | None = None,
) -> None:
    """Writes one row per answer; a table without columns of probabilities where there is none, and none to be `like`.

    Args:
        answers: in the order of the rows, all of one model.
        stream: where to.
        types: type of pyarrow of each column of a manifest that is no text.
        like: an answer that has the columns of the table, for where there is none.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    pa = import_pyarrow()
    left = iter(answers)
    group = list(islice(left, GROUP_ROWS))
    first = group[0] if group else like
    schema = pa.schema(_fields(first, types or {}) if first else [(name, pa.string()) for name in FIXED_COLUMNS])
    with pa.parquet.ParquetWriter(stream, schema) as writer:
        while group:
            rows = [{name: utf8(value) for name, value in _row(answer).items()} for answer in group]
            writer.write_table(pa.Table.from_pylist(rows, schema))
            group = list(islice(left, GROUP_ROWS))


def import_pyarrow() -> Any:
    """The package `pyarrow`, with `pyarrow.parquet`.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "Parquet needs pyarrow, which is not installed: pip install 'overtone[parquet]'"
        ) from error
    return pyarrow


def _row(answer: Prediction) -> dict[str, Any]:
    return {**answer.columns, **to_row(answer)}


def _fields(answer: Prediction, types: Mapping[str, Any]) -> list[tuple[str, Any]]:
    pa = import_pyarrow()
    kinds = {str: pa.string(), bool: pa.bool_(), float: pa.float64()}
    ours = to_row(answer)
    given = [(name, types.get(name, pa.string())) for name in answer.columns]
    return [*given, *((name, kinds[type(value)]) for name, value in ours.items())]


def utf8(value: Any) -> Any:
    """Text as UTF-8 can hold it, with escapes for bytes that are none; everything else as it is."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
