"""Reads a Parquet file, with or without the metadata of a Hugging Face dataset; it may contain the audio itself."""

import io

from overtone._internal.pyarrow_import import import_pyarrow
from overtone.corpora.tables.arrow_rows import make_table, select_columns, unreadable
from overtone.corpora.tables.hub_features import read_features
from overtone.corpora.tables.rows import Table

FORM = "Parquet"
BUFFER_BYTES = 1 << 20  # of each column that is read; without it, a group of rows with all audio would be in memory


def read(name: str, folder: str, content: bytes | None, expected: str) -> Table:
    """Return a Parquet file as a table; arguments and errors as `overtone.corpora.tables.csv_table.read`.

    Raises:
        CorpusError: it cannot be read, or contains audio in a form that is not supported.
        MissingExtraError: pyarrow is not installed.
    """
    pa = import_pyarrow()
    source = name if content is None else io.BytesIO(content)
    try:
        file = pa.parquet.ParquetFile(source, buffer_size=BUFFER_BYTES, pre_buffer=False)
        schema = file.schema_arrow
        columns = select_columns(name, schema, read_features(schema.metadata, ""))
    except (OSError, UnicodeError, pa.ArrowException) as error:
        raise unreadable(name, FORM, error) from error
    part = {"batch_size": columns.rows_at_once, "columns": list(columns.names)} if columns.audio else {}
    return make_table(name, folder, FORM, columns, file.iter_batches(**part))
