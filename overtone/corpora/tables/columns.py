"""The columns that a manifest may have, and the other names under which programs and people write them.

A column has its meaning under any of these names, in any case. Two columns with one meaning are an error.
"""

import difflib
from collections.abc import Collection, Sequence

from overtone.errors import CorpusError

NAMES: dict[str, tuple[str, ...]] = {
    "path": ("path", "file", "file_name", "filename", "audio"),
    "emotion": ("emotion", "label"),
    "speaker": ("speaker", "speaker_id"),
    "sentence": ("sentence",),
    "start_s": ("start_s", "start"),
    "end_s": ("end_s", "end"),
    "gender": ("gender",),
    "channel": ("channel",),
}
MEANING_OF = {name: meaning for meaning, names in NAMES.items() for name in names}
PREDICTION_COLUMNS = {"path", "emotion", "confidence", "uncertain"}  # of every table of predictions and segments
MIN_SIMILARITY = 0.8  # of an unknown name to a known one, to be taken for a typing error


def find_columns(columns: Sequence[str], place: str, meanings: Collection[str] = tuple(NAMES)) -> dict[str, int]:
    """Return the place of each column with one of these meanings, from 0.

    Args:
        columns: names of the columns, as written.
        place: table, and position of its header, for messages.
        meanings: keys of `NAMES`.

    Raises:
        CorpusError: two columns have the same meaning.
    """
    found: dict[str, int] = {}
    for index, name in enumerate(columns):
        meaning = MEANING_OF.get(column_key(name))
        if meaning is None or meaning not in meanings:
            continue
        first = found.setdefault(meaning, index)
        if first != index:
            raise CorpusError(
                f"{place}: the columns '{columns[first]}' and '{name}' both mean '{meaning}'; rename or remove one"
            )
    return found


def column_key(name: str) -> str:
    """Return what two spellings of one column name have in common."""
    return name.strip().lower()


def check_unique(columns: Sequence[str], place: str) -> None:
    """Check that no two columns have the same name.

    Args:
        columns: names of the columns.
        place: table, and position of its header, for messages.

    Raises:
        CorpusError: two have.
    """
    for name in columns:
        if name and columns.count(name) > 1:
            raise CorpusError(f"{place}: duplicate column '{name}'; remove one of them")


def similar_name(name: str, known: Collection[str] = tuple(MEANING_OF)) -> str:
    """Return the known name that an unknown one resembles so closely that it may be a typing error; "" if none."""
    close = difflib.get_close_matches(column_key(name), sorted(known), n=1, cutoff=MIN_SIMILARITY)
    return close[0] if close else ""


def has_predictions(columns: Sequence[str]) -> bool:
    """Return whether a table has the columns of `overtone predict`, `batch` or `timeline`."""
    return set(columns) >= PREDICTION_COLUMNS
