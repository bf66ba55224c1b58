"""The label of a row of predictions that a person checked.

    path,emotion,confidence,uncertain,...,corrected
    a.wav,happy,0.810000,false,...,                     the prediction is the label
    b.wav,sad,0.412000,true,...,frustrated              the correction is the label

A person corrects the output of `overtone predict`, `batch` or `timeline` by changing its column `emotion`, or by adding
a column `corrected`. Where segments of a timeline were corrected on its page, `decided_by` says so, `emotion` is what
the person named, and a row that was only marked as wrong has no label. In the output of a batch of labelled inputs the
label is their label, `given_emotion` or `label`, and `emotion` only the prediction.
"""

import json
from collections.abc import Sequence
from typing import Any

from overtone._internal.column_names import NAMES, column_key
from overtone.agreement import PERSON
from overtone.corpora.tables.columns import GIVEN_PREFIX, find_columns, has_predictions
from overtone.corpora.tables.rows import Row, Table, Value, cell_text
from overtone.emotions import label_key
from overtone.errors import CorpusError

DECIDED_BY = "decided_by"
CORRECTED, GIVEN = "corrected", f"{GIVEN_PREFIX}emotion"
PROBABILITY_PREFIX, PROBABILITIES = "p_", "probabilities"


class LabelColumn:
    """The columns that may have the label of a row: the first of them that is not empty has it.

    Args:
        table: the table.

    Attributes:
        indices: the places of these columns.
        may_be_prediction: whether a label is that of a model where nothing has been corrected.

    Raises:
        CorpusError: two columns may have the label, and nothing says which of them has it.
    """

    def __init__(self, table: Table) -> None:
        keys = list(map(column_key, table.columns))
        is_prediction = has_predictions(table.columns)
        known = [name for name in (GIVEN, *NAMES["emotion"].anywhere[1:]) if name in keys] if is_prediction else []
        if len(known) > 1:
            raise CorpusError(
                f"{table.place}: both '{known[0]}' and '{known[1]}' are labels; remove one of the columns"
            )
        if known:
            found = [keys.index(known[0])]
        else:
            columns = {} if is_prediction else find_columns(table.columns, table.place, ["emotion"])
            found = [keys.index("emotion")] if is_prediction else [column.place for column in columns.values()]
        self.indices = ([keys.index(CORRECTED)] if CORRECTED in keys else []) + found
        self.may_be_prediction = is_prediction and not known

    def text(self, row: Row) -> str:
        """Return the label of a row, "" if it has none."""
        return next((text for text in (_text(row.cells[k]) for k in self.indices) if text.strip()), "")


class PredictionCounter:
    """Counts the rows of a table of predictions whose label is still the prediction.

    Args:
        columns: names of the columns of a table.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = list(columns)
        self._rows = self._unchanged = self._uncertain = 0

    def count(self, row: Row, label: LabelColumn) -> None:
        """Count one row."""
        text = label.text(row)
        if not label.may_be_prediction or not text:
            return
        self._rows += 1
        if cell_text(self._cell(row, DECIDED_BY)) == PERSON:
            return
        if label_key(text) == label_key(self._predicted(row)):
            self._unchanged += 1
            self._uncertain += cell_text(self._cell(row, "uncertain")) in ("true", "True", "TRUE", "1")

    def hints(self, name: str) -> list[str]:
        """Return a hint if labels are predictions, for the table of this name."""
        if not self._unchanged:
            return []
        uncertain = f", {self._uncertain} of them uncertain" if self._uncertain else ""
        return [f"{name}: {self._unchanged} of {self._rows} labels are those that a model predicted{uncertain}"]

    def _predicted(self, row: Row) -> str:
        """Return the most probable class of a row; "" without probabilities."""
        by_class = {
            column.removeprefix(PROBABILITY_PREFIX): cell
            for column, cell in zip(self._columns, row.cells, strict=True)
            if column.startswith(PROBABILITY_PREFIX)
        } or _from_json(self._cell(row, PROBABILITIES))
        numbers = {name: _to_float(value) for name, value in by_class.items()}
        return max(numbers, key=lambda name: numbers[name], default="")

    def _cell(self, row: Row, column: str) -> Any:
        return row.cells[self._columns.index(column)] if column in self._columns else None


def _text(cell: Value) -> str:
    return cell if isinstance(cell, str) else cell_text(cell)


def _from_json(text: object) -> dict[str, Any]:
    try:
        value = json.loads(str(text))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _to_float(value: object) -> float:
    try:
        return float(str(value).replace(",", "."))  # a decimal comma, as German Excel has it
    except ValueError:
        return -1.0
