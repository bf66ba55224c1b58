"""The content of a table in any form: its columns, and one row after another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Value = str | int | float | bool | None


class Row(NamedTuple):
    """One row of a table.

    Attributes:
        position: where it is in the table, such as "line 3".
        cells: one value per column; None where it is unknown.
        error: why the row cannot be used; "" if it can.
        content: the content of its audio file, if the table itself contains that.
        audio: path of the file to which `content` was written; "" if the cell of the path names the file.
    """

    position: str
    cells: tuple[Value, ...]
    error: str = ""
    content: bytes | None = None
    audio: str = ""


@dataclass(frozen=True)
class Table:
    """A table that a user or a program wrote.

    Attributes:
        name: path or URL, for messages.
        columns: names of the columns, as written.
        rows: the rows in order; reading them may raise a `CorpusError`. They can be read once.
        folders: paths or URLs of the folders to which the paths in it are relative: those of a file in the first
            folder that contains it.
        header: position of the header, such as "line 1"; "" where the form has none.
        types: pyarrow or Python type of each column that has numbers or booleans; all others are text.
        made_by_program: whether a program defined the columns, so that unknown ones are no typing errors.
        unlabelled: reason for which rows without a label are left out; "" if such a row is an error.
        is_annotation: whether it is a file of annotations of one recording, which no other table may describe too.
        hints: what a user should know about it, a sentence each.
        has_audio: whether rows have `content`, which `overtone.corpora.tables.stored_audio` writes to files.
    """

    name: str
    columns: tuple[str, ...]
    rows: Iterable[Row]
    folders: tuple[str, ...]
    header: str = ""
    types: Mapping[str, Any] = field(default_factory=dict)
    made_by_program: bool = False
    unlabelled: str = ""
    is_annotation: bool = False
    hints: tuple[str, ...] = ()
    has_audio: bool = False

    @property
    def place(self) -> str:
        """The file, and the position of its header if it has one, for messages."""
        return f"{self.name}, {self.header}" if self.header else self.name

    def origin(self, row: Row, name: str) -> str:
        """Return where the audio of a row is, for messages, if the table contains it; else ""."""
        if not row.audio:
            return ""
        named = "" if name.endswith(f":{row.position}") else f" ({name})"
        return f"{self.name}, {row.position}{named}"


def cell_text(value: Value) -> str:
    """Return a cell as text without surrounding whitespace; "" for an unknown one, and 3 for 3.0."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
