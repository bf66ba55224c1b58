"""Reads an audformat database: its tables with the labels, and the metadata of files and speakers.

    emodb/
    ├── db.yaml                 the header: schemes, tables and their columns
    ├── db.emotion.csv          a table of files, or of segments with `start` and `end`; or db.emotion.parquet
    ├── db.files.parquet        another table, such as the speaker of each file
    └── wav/03a01Fa.wav

The label is the column `emotion`, or the one whose scheme is called so. If there are several, the selection names
tables (`emotion.test`) or columns (`emotion.test.rater1`). Speaker, sentence and gender are those of the same row, of
the tables of files, or of the labels of the scheme of the speaker. Rows without a label are left out.

Source: audformat 1.4, "Database" in its documentation; only its files are read, not the package.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from overtone._internal.column_names import MEANING_OF, column_key
from overtone.corpora.tables.rows import Row, Table, Value, cell_text
from overtone.corpora.tables.table_files import read_file
from overtone.errors import CorpusError, MissingExtraError, suggest

HEADER = "db.yaml"
SUFFIXES = (".parquet", ".csv")  # of tables; audformat reads Parquet first, too
LABEL = "emotion"
FROM_OTHER_TABLES = ("speaker", "sentence", "gender")
UNLABELLED = "without a label"
MAX_LISTED = 10


class LabelColumn(NamedTuple):
    """A column of a table that has labels."""

    table: str
    column: str


def is_here(folder: Path) -> bool:
    """Return whether a folder is an audformat database."""
    return (folder / HEADER).is_file()


def read(folder: Path, selection: str, expected: str) -> list[Table]:
    """Return the tables with the labels; their columns `emotion`, `speaker`, ... have these names.

    Args:
        folder: of the database.
        selection: names of tables or columns, separated by commas; "" for the only column of emotions.
        expected: description of the expected content, for messages.

    Raises:
        CorpusError: the header or a table cannot be read, or no column of labels, or several, are found.
        MissingExtraError: PyYAML or, for Parquet, pyarrow is not installed.
    """
    database = _Database(folder, expected)
    return [database.labelled_table(label) for label in database.select_labels(selection)]


class _Database:
    """The header of a database, and its tables when they are needed."""

    def __init__(self, folder: Path, expected: str) -> None:
        self._folder = folder
        self._expected = expected
        header = _read_header(folder / HEADER)
        self._schemes: Mapping[str, Mapping[str, Any]] = _mappings(header.get("schemes"))
        self._tables: Mapping[str, Mapping[str, Any]] = _mappings(header.get("tables"))
        self._misc_tables: Mapping[str, Mapping[str, Any]] = _mappings(header.get("misc_tables"))

    def select_labels(self, selection: str) -> list[LabelColumn]:
        """Return the selected columns of labels, or the only one."""
        if selection:
            return [self._find_label(name) for name in selection.split(",")]
        found = self._emotion_columns(self._tables)
        if len(found) != 1:
            problem = "several columns of emotions" if found else f"no column or scheme '{LABEL}'"
            names = [".".join(label) for label in found or self._all_columns()]
            more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
            raise CorpusError(
                f"{self._folder / HEADER}: {problem}; select one by #TABLE.COLUMN after the name of the folder: "
                + ", ".join(f"#{name}" for name in names[:MAX_LISTED])
                + more
            )
        return found

    def _find_label(self, name: str) -> LabelColumn:
        """Return the column that a user names as TABLE or TABLE.COLUMN."""
        found = self._emotion_columns([name]) if name in self._tables else []
        found = found or [label for label in self._all_columns() if ".".join(label) == name]
        if len(found) == 1:
            return found[0]
        known = (".".join(label) for label in self._all_columns())
        raise CorpusError(f"{self._folder / HEADER}: no column of labels '#{name}'{suggest(name, known)}")

    def _emotion_columns(self, tables: Any) -> list[LabelColumn]:
        """Return the columns called `emotion`, or without any, those with a scheme of this name."""
        columns = [label for label in self._all_columns() if label.table in tables]
        named = [label for label in columns if column_key(label.column) == LABEL]
        return named or [label for label in columns if column_key(self._scheme_of(*label)) == LABEL]

    def _all_columns(self) -> list[LabelColumn]:
        return [LabelColumn(table, column) for table in self._tables for column in self._columns(table)]

    def _columns(self, table: str) -> Mapping[str, Mapping[str, Any]]:
        header = self._tables.get(table) or self._misc_tables.get(table, {})
        return _mappings(header.get("columns"))

    def _scheme_of(self, table: str, column: str) -> str:
        return str(self._columns(table).get(column, {}).get("scheme_id", ""))

    def labelled_table(self, label: LabelColumn) -> Table:
        """Return a table whose column of labels is `emotion`, with the columns that other tables add."""
        table = self._read(label.table)
        if label.column not in table.columns:
            raise CorpusError(f"{table.name}: no column '{label.column}', although {HEADER} names it")
        columns: list[str] = []
        for column in table.columns:
            meaning = self._meaning(label, column)
            columns.append(column if meaning in columns else meaning)
        names = self._label_names(label)
        joined = {meaning: self._of_files(meaning) for meaning in FROM_OTHER_TABLES if meaning not in columns}
        added = [meaning for meaning, values in joined.items() if values]
        properties = self._speaker_properties()
        facts = dict.fromkeys(name for values in properties.values() for name in values)
        more = [name for name in facts if name not in columns and name not in added]

        def rows() -> Iterator[Row]:
            for row in table.rows:
                cells: dict[str, Value] = dict(zip(columns, row.cells, strict=True))
                key = cell_text(cells[LABEL])
                cells[LABEL] = names.get(key, key) or None
                cells |= {meaning: joined[meaning].get(cell_text(cells.get("file"))) for meaning in added}
                known = properties.get(cell_text(cells.get("speaker")), {})
                yield row._replace(cells=(*cells.values(), *(known.get(name) for name in more)))

        types = {new: table.types[old] for old, new in zip(table.columns, columns, strict=True) if old in table.types}
        return replace(
            table,
            columns=(*columns, *added, *more),
            rows=rows(),
            types={name: kind for name, kind in types.items() if name != LABEL},
            made_by_program=True,
            unlabelled=UNLABELLED,
        )

    def _meaning(self, label: LabelColumn, column: str) -> str:
        """Return the name of a column of a labelled table: that of its scheme, if this has a meaning."""
        if column == label.column:
            return LABEL
        meaning = MEANING_OF.get(column_key(column), "")
        scheme = column_key(self._scheme_of(label.table, column))
        if meaning == LABEL:
            return f"{label.table}.{column}"  # another rater, for example
        is_free = scheme in FROM_OTHER_TABLES and scheme not in self._columns(label.table)
        return scheme if is_free and not meaning else column

    def _label_names(self, label: LabelColumn) -> dict[str, str]:
        """Return the names of labels that a scheme names by codes; empty if the labels are names themselves."""
        labels = self._schemes.get(self._scheme_of(*label), {}).get("labels")
        names = labels.items() if isinstance(labels, dict) else ()
        return {str(code): name for code, name in names if isinstance(name, str)}

    def _of_files(self, meaning: str) -> dict[str, Value]:
        """Return file -> speaker, sentence or gender, from the tables of files."""
        values: dict[str, Value] = {}
        for label in self._all_columns():
            names = (column_key(label.column), column_key(self._scheme_of(*label)))
            if self._tables[label.table].get("type") != "filewise" or meaning not in names:
                continue
            table = self._read(label.table)
            file, column = table.columns.index("file"), table.columns.index(label.column)
            for row in table.rows:
                if row.cells[column] not in (None, ""):
                    values.setdefault(cell_text(row.cells[file]), row.cells[column])
        return values

    def _speaker_properties(self) -> dict[str, dict[str, Value]]:
        """Return speaker -> gender and other properties, from the labels of the scheme of the speaker."""
        labels = next((s.get("labels") for name, s in self._schemes.items() if column_key(name) == "speaker"), None)
        if isinstance(labels, str) and labels in self._misc_tables:
            table = self._read(labels)
            return {
                cell_text(row.cells[0]): dict(zip(table.columns[1:], row.cells[1:], strict=True)) for row in table.rows
            }
        if not isinstance(labels, dict):
            return {}
        return {
            str(speaker): {str(name): cell_text(value) for name, value in properties.items()}
            for speaker, properties in labels.items()
            if isinstance(properties, dict)
        }

    def _read(self, name: str) -> Table:
        paths = [self._folder / f"db.{name}{suffix}" for suffix in SUFFIXES]
        path = next((path for path in paths if path.is_file()), None)
        if path is None:
            raise CorpusError(f"{paths[0].with_suffix('')}: neither .parquet nor .csv; save the database again, as CSV")
        table = read_file(str(path), self._expected, str(self._folder))
        if name in self._tables and "file" not in table.columns:
            raise CorpusError(f"{path}: no column 'file'; save the database again")
        return table


def _read_header(path: Path) -> Mapping[str, Any]:
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{path}: audformat needs PyYAML, which is not installed: pip install 'overtone[audformat]'"
        ) from error
    try:
        header = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise CorpusError(f"{path}: cannot be read as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(header, dict) or not isinstance(header.get("tables"), dict):
        raise CorpusError(f"{path}: has no tables; expected the header of an audformat database")
    return header


def _mappings(value: Any) -> Mapping[str, Mapping[str, Any]]:
    """Return the entries of a part of the header, with names as text; empty for anything else."""
    entries = value.items() if isinstance(value, dict) else ()
    return {str(name): entry if isinstance(entry, dict) else {} for name, entry in entries}
