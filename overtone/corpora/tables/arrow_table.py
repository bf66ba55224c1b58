"""Reads an Arrow file, a stream or a file of Arrow's IPC format; such as those that Hugging Face datasets save."""

from overtone._internal.pyarrow_import import import_pyarrow
from overtone.corpora.tables.arrow_rows import make_table, select_columns, unreadable
from overtone.corpora.tables.hub_features import read_features
from overtone.corpora.tables.rows import Table
from overtone.corpora.tables.table_files import parent

FORM = "Arrow"
FILE_MAGIC = b"ARROW1"


def read(name: str, folder: str, content: bytes | None, expected: str) -> Table:
    """Return an Arrow file as a table; arguments and errors as `overtone.corpora.tables.csv_table.read`.

    Raises:
        CorpusError: it cannot be read, or contains audio in a form that is not supported.
        MissingExtraError: pyarrow is not installed.
    """
    pa = import_pyarrow()
    try:
        # Mapped, not read: only the pages that are used are in memory.
        source = pa.memory_map(name) if content is None else pa.BufferReader(content)
        is_file = source.read(len(FILE_MAGIC)) == FILE_MAGIC
        source.seek(0)
        reader = pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)
        columns = select_columns(name, reader.schema, read_features(reader.schema.metadata, parent(name)))
    except (OSError, UnicodeError, pa.ArrowException) as error:
        raise unreadable(name, FORM, error) from error
    batches = map(reader.get_batch, range(reader.num_record_batches)) if is_file else reader
    return make_table(name, folder, FORM, columns, batches)
