r"""Reads JSON Lines: one object per line, whose keys are the columns.

{"path": "calls/0017.wav", "emotion": "frustrated", "start_s": 12.5}
{"path": "calls/0018.wav", "emotion": "satisfied"}

A key that a line lacks is unknown there. Lists and objects are kept as JSON text. The file is read twice, first for its
columns, so that it is never in memory as a whole. UTF-8, with or without byte order mark.
"""

import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from overtone.corpora.tables.rows import Row, Table, Value
from overtone.errors import CorpusError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read(name: str, folder: str, content: bytes | None, expected: str) -> Table:
    """Return a JSON Lines file as a table; arguments and errors as `overtone.corpora.tables.csv_table.read`."""
    file = _LinesFile(name, content, expected)
    types: dict[str, set[type]] = {}  # column -> types of its values that are not null
    for _, parsed in file.objects():
        if isinstance(parsed, dict):
            for key, value in parsed.items():
                types.setdefault(key, set()).update({type(value)} - {type(None)})
    if not types:
        first = next((error for _, error in file.objects() if isinstance(error, str)), "is empty")
        raise CorpusError(f"{name}: {first}; expected {expected}, one JSON object per line")
    common = {column: _common_type(found) for column, found in types.items()}
    return Table(
        name,
        tuple(types),
        _rows(file, common),
        (folder,),
        types={column: kind for column, kind in common.items() if kind is not str},
    )


class _LinesFile:
    """The objects of a file, as often as they are asked for.

    Args:
        name: path or URL of the file.
        content: its content; None to read it.
        expected: description of the expected content, for messages.
    """

    def __init__(self, name: str, content: bytes | None, expected: str) -> None:
        self._name = name
        self._expected = expected
        self._content = content
        if content is None and not Path(name).is_file():
            with self._open() as file:  # a pipe, which cannot be read twice
                self._content = file.read()

    def objects(self) -> Iterator[tuple[int, dict[str, Any] | str]]:
        """Yield the number of each line that is not blank, and its object, or why there is none."""
        try:
            with self._open() as file:
                for number, line in enumerate(file, start=1):
                    text = line.removeprefix(BYTE_ORDER_MARK).strip() if number == 1 else line.strip()
                    if text:
                        yield number, _parse(text)
        except OSError as error:
            raise self._unreadable(error) from error

    def _open(self) -> io.BufferedIOBase:
        if self._content is not None:
            return io.BytesIO(self._content)
        try:
            return Path(self._name).open("rb")
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> CorpusError:
        return CorpusError(f"{self._name}: cannot be read: {error.strerror}; expected {self._expected}")


def _parse(text: bytes) -> dict[str, Any] | str:
    """Return the object on a line, or why there is none."""
    try:
        value = json.loads(text.decode("utf-8"))
    except UnicodeDecodeError as error:
        return f"not UTF-8 ({error.reason})"
    except (ValueError, RecursionError) as error:
        return f"not JSON ({error})"
    return value if isinstance(value, dict) else "not a JSON object"


def _common_type(found: set[type]) -> type:
    """Return the type of a column: of its numbers or booleans, or text if it has anything else."""
    if found in ({bool}, {int}):
        return found.pop()
    return float if found and found <= {int, float} else str


def _rows(file: _LinesFile, types: dict[str, type]) -> Iterator[Row]:
    for number, parsed in file.objects():
        if isinstance(parsed, str):
            yield Row(f"line {number}", (None,) * len(types), parsed)
        else:
            yield Row(f"line {number}", tuple(_value(parsed.get(key), kind) for key, kind in types.items()))


def _value(value: Any, kind: type) -> Value:
    """Return a JSON value as a value of the type of its column."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if kind is not str:
        return kind(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
