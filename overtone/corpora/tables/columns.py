"""The columns of manifests: `overtone._internal.column_names` says what their names mean.

Two columns with one meaning are an error, as is a column that is probably misspelt.
"""

import difflib
from collections.abc import Collection, Sequence

from overtone._internal import column_names
from overtone._internal.column_names import MEANING_OF, NAMES, Column, column_key, is_time
from overtone.errors import CorpusError

PREDICTION_COLUMNS = {"path", "emotion", "confidence", "uncertain"}  # of every table of predictions and segments
GIVEN_PREFIX = "given_"  # of columns of a manifest with the name of an output column, in tables of predictions
DURATION = "duration_s"  # an output column, of what was recognised
MIN_SIMILARITY = 0.8  # of an unknown name to a known one, to be taken for a typing error
# Names that only resemble these are no typing errors: `audio_path` and `utt_duration`, for example.
NOT_MISSPELT = {"audio_filepath", "duration", "dur", "onset"}
# Next to audio that a table contains, other times are usually those of the clip in the recording it was cut from.
TIMES_NEXT_TO_AUDIO = {"start_s", "start", "end_s", "end"}


def find_columns(
    columns: Sequence[str], place: str, meanings: Collection[str] = tuple(NAMES), *, has_audio: bool = False
) -> dict[str, Column]:
    """Return the columns with one of these meanings, by meaning.

    Args:
        columns: names of the columns, as written.
        place: table, and position of its header, for messages.
        meanings: keys of `NAMES`.
        has_audio: whether the table contains the audio.

    Raises:
        CorpusError: two columns have the same meaning.
    """

    def is_used(name: str) -> bool:
        return not (has_audio and is_time(name)) or column_key(name) in TIMES_NEXT_TO_AUDIO

    try:
        return column_names.find_columns(
            [name if is_used(name) else "" for name in names_in_manifest(columns)], meanings
        )
    except ValueError as error:
        raise CorpusError(f"{place}: {error}") from error


def names_in_manifest(columns: Sequence[str]) -> list[str]:
    """Return the names of columns in the manifest that predictions were made for; "" for the duration of the latter.

    Args:
        columns: names of the columns of any table; without predictions, they are returned as they are.
    """
    renamed = {DURATION: "", GIVEN_PREFIX + DURATION: DURATION} if has_predictions(columns) else {}
    return [renamed.get(column_key(name), name) for name in columns]


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


def similar_name(name: str) -> str:
    """Return the known name that an unknown one resembles so closely that it may be a typing error; "" if none."""
    if is_time(name):  # known, but without a meaning in this table
        return ""
    known = {*MEANING_OF, *TIMES_NEXT_TO_AUDIO} - NOT_MISSPELT
    close = difflib.get_close_matches(column_key(name), sorted(known), n=1, cutoff=MIN_SIMILARITY)
    return close[0] if close else ""


def has_predictions(columns: Sequence[str]) -> bool:
    """Return whether a table has the columns of `overtone predict`, `batch` or `timeline`."""
    return set(columns) >= PREDICTION_COLUMNS
