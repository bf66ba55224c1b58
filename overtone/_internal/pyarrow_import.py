"""Imports pyarrow, which reads and writes Parquet and reads object storage, and is an optional dependency."""

from typing import Any

from overtone.errors import MissingExtraError


def import_pyarrow() -> Any:
    """Return the package `pyarrow`, with `pyarrow.parquet` imported.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "Parquet needs pyarrow, which is not installed: pip install 'overtone[parquet]'"
        ) from error
    return pyarrow
