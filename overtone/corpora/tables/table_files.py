"""The registry of tables that are one file each.

A module of a form has one function

    read(name, folder, content, expected)   returns a `Table`; see `overtone.corpora.tables.csv_table`

To add a form, write such a module and add a row to `FILE_FORMS`. A module is imported when its form is first read.
Files in `ANNOTATION_FORMS` annotate one recording; they often lie among recordings, and many have other contents than
labels: a folder or pattern that contains one does not become a table by it.
"""

from importlib import import_module
from pathlib import PurePath
from typing import NamedTuple

from overtone.corpora.tables.rows import Table


class FileForm(NamedTuple):
    """A row of the registry: the module that reads a form, and the suffixes of its files."""

    module: str
    suffixes: tuple[str, ...]


FILE_FORMS: dict[str, FileForm] = {
    "csv": FileForm("csv_table", (".csv", ".tsv")),
    "jsonl": FileForm("jsonl_table", (".jsonl", ".ndjson")),
    "parquet": FileForm("parquet_table", (".parquet",)),
    "arrow": FileForm("arrow_table", (".arrow",)),
}
ANNOTATION_FORMS: dict[str, FileForm] = {
    "textgrid": FileForm("textgrid_table", (".textgrid",)),
    "elan": FileForm("elan_table", (".eaf",)),
}
SUFFIXES = tuple(suffix for form in FILE_FORMS.values() for suffix in form.suffixes)
ANNOTATION_SUFFIXES = tuple(suffix for form in ANNOTATION_FORMS.values() for suffix in form.suffixes)


def is_table(name: str) -> bool:
    """Return whether a path or URL has the suffix of a table."""
    return PurePath(name).suffix.lower() in SUFFIXES


def is_annotation(name: str) -> bool:
    """Return whether a path or URL has the suffix of a file of annotations."""
    return PurePath(name).suffix.lower() in ANNOTATION_SUFFIXES


def read_file(name: str, expected: str, folder: str = "", content: bytes | None = None) -> Table:
    """Return the table in a file, in the form of its suffix; a file with any other suffix is read as CSV.

    Args:
        name: path or URL of the file.
        expected: description of the expected content, for messages.
        folder: folder to which the paths in it are relative; "" for that of the file.
        content: content of the file; None to read it.

    Raises:
        CorpusError: it cannot be read as this form.
        MissingExtraError: the form needs a package that is not installed.
    """
    suffix = PurePath(name).suffix.lower()
    forms = (*FILE_FORMS.values(), *ANNOTATION_FORMS.values())
    form = next((row for row in forms if suffix in row.suffixes), FILE_FORMS["csv"])
    module = import_module(f"overtone.corpora.tables.{form.module}")
    table: Table = module.read(name, folder or parent(name), content, expected)
    return table


def parent(name: str) -> str:
    """Return the folder of a path or URL."""
    return name.rpartition("/")[0] if "://" in name else str(PurePath(name).parent)
