"""The names of the columns of tables of speaker turns and of manifests, and what they mean.

    find_columns(("file", "onset", "offset"))        {"path": 0, "start_s": 1, "end_s": 2}
    find_columns(("file", "offset", "duration"))     {"path": 0, "start_s": 1, "duration_s": 2}

A name counts in any case, with blanks for underscores, and in tables of turns also with dots or hyphens or as
`startTime`; that of a time may end in a unit, such as `start_ms` or `Start (s)`. To add a name, add it to its row of
`NAMES`.

Some names need other columns to have a meaning:

- `offset` is the end of a part of a recording next to `onset`, as annotation programs write it, and the start next to
  `duration`, as manifests of NeMo have it. Otherwise it is an error.
- `duration` is that of a part next to a start; otherwise, such as that of the whole file, it has no meaning here. In a
  manifest an end replaces it, in a table of turns it may stand for an end that is empty.
- `xmin` and `xmax` are times as Praat writes them, but not next to `ymin` or `ymax`.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple


class Names(NamedTuple):
    """The names of the columns with one meaning.

    Attributes:
        anywhere: in each kind of table.
        of_turns: in tables of speaker turns only. In a manifest, such a column may be about something else: the time of
            a call, the place of a clip in a longer recording, or the name of a speaker besides the id.
        of_turns_else: in tables of speaker turns in which no column has one of the names above.
    """

    anywhere: tuple[str, ...]
    of_turns: tuple[str, ...] = ()
    of_turns_else: tuple[str, ...] = ()


class Column(NamedTuple):
    """A column with a known meaning.

    Attributes:
        place: its position among all columns, from 0.
        per_second: how many units of its numbers are one second, if it has times: 1, or 1000 for milliseconds.
    """

    place: int
    per_second: int = 1


NAMES: dict[str, Names] = {
    "path": Names(
        ("path", "file", "file_name", "filename", "audio", "audio_filepath"),
        (),
        ("audio_file", "recording", "recording_id", "datei"),
    ),
    "emotion": Names(("emotion", "label")),
    "speaker": Names(
        ("speaker", "speaker_id"),
        ("speaker_name", "speaker_label", "participant"),
        ("speakerid", "spk", "name", "sprecher", "sprecherin", "locuteur", "hablante", "parlante"),
    ),
    "tier": Names((), ("tier", "tier_name")),  # the speaker where the column of speakers is empty, as ELAN exports it
    "sentence": Names(("sentence",)),
    "text": Names((), ("text", "transcript", "transcription", "words"), ("value", "transkript")),
    "start_s": Names(
        ("start", "onset"),
        ("begin", "start_time", "begin_time", "tmin", "xmin"),
        ("from", "starttime", "t_start", "beginn", "anfang", "startzeit", "début", "debut", "inicio", "inizio"),
    ),
    "end_s": Names(
        ("end",),
        ("stop", "end_time", "stop_time", "tmax", "xmax"),
        ("to", "finish", "endtime", "t_end", "ende", "endzeit", "fin", "fine"),
    ),
    "duration_s": Names(("duration", "dur"), (), ("dauer", "durée", "duración", "durata")),
    "gender": Names(("gender",)),
    "channel": Names(("channel",)),
    "speech": Names((), ("speech",)),
}
TIMES = ("start_s", "end_s", "duration_s")
ONSET, OFFSET = "onset", "offset"
BOX = {"xmin", "xmax"}, {"ymin", "ymax"}  # of a face in a frame of a video
MEANING_OF = {name: meaning for meaning, names in NAMES.items() for name in names.anywhere}
MEANING_OF_TURNS = MEANING_OF | {name: meaning for meaning, names in NAMES.items() for name in names.of_turns}
MEANING_OF_TURNS_ELSE = {name: meaning for meaning, names in NAMES.items() for name in names.of_turns_else}
SECONDS, MILLISECONDS = "s|sec|seconds|ss_msec|hh:mm:ss(?:[_.,](?:ms|mmm|msec))?", "ms|msec|millis|milliseconds"
UNIT = re.compile(rf"_?[\[(]?(?:(?<=[_\[(])({SECONDS})|(?<=[_\[(])({MILLISECONDS}))[\])]?$")
WORD_BREAK = re.compile(r"[\s_.-]+|(?<=[a-z\d])(?=[A-Z])")


def find_columns(
    names: Sequence[str], meanings: Collection[str] = tuple(NAMES), *, are_turns: bool = False
) -> dict[str, Column]:
    """Return the columns that have one of these meanings, by meaning.

    Args:
        names: names of all columns, as written.
        meanings: keys of `NAMES`.
        are_turns: whether it is a table of speaker turns.

    Returns:
        `duration_s` only next to `start_s`, and in a manifest only without `end_s`.

    Raises:
        ValueError: two columns have the same meaning, or `offset` may be a start or an end.
    """
    found = _find(names, meanings, MEANING_OF_TURNS if are_turns else MEANING_OF, are_turns)
    offset = _find_offset(names, are_turns)
    if offset and "start_s" in meanings:
        found[_meaning_of_offset(names, offset, found)] = offset
    if are_turns:
        found = _find(names, set(meanings) - set(found), MEANING_OF_TURNS_ELSE, are_turns) | found
    if "start_s" not in found or ("end_s" in found and not are_turns):
        found.pop("duration_s", None)
    return found


def _find(
    names: Sequence[str], meanings: Collection[str], meaning_of: Mapping[str, str], are_turns: bool
) -> dict[str, Column]:
    """Return the columns that have one of these meanings by name alone, by meaning.

    Raises:
        ValueError: two columns have the same meaning.
    """
    key_of = name_key if are_turns else column_key
    keys = {key_of(name) for name in names}
    found: dict[str, Column] = {}
    for index, name in enumerate(names):
        key, per_second = _split_unit(key_of(name))
        meaning, column = meaning_of.get(key), Column(index, per_second)
        if meaning not in TIMES:
            meaning, column = meaning_of.get(key_of(name)), Column(index)
        is_in_box = key in BOX[0] and keys & BOX[1]
        if meaning is None or meaning not in meanings or is_in_box:
            continue
        first = found.get(meaning)
        if are_turns or first is None or first.per_second == column.per_second:
            found[meaning] = _unique(names, first, column, meaning)
        elif first.per_second > column.per_second:  # a manifest may have a time in seconds, and again in milliseconds
            found[meaning] = column
    return found


def _find_offset(names: Sequence[str], are_turns: bool) -> Column | None:
    found: Column | None = None
    for index, name in enumerate(names):
        key, per_second = _split_unit(name_key(name) if are_turns else column_key(name))
        found = _unique(names, found, Column(index, per_second), OFFSET) if key == OFFSET else found
    return found


def column_key(name: str) -> str:
    """Return what two spellings of one column name have in common."""
    return "_".join(name.lower().split())


def name_key(name: str) -> str:
    """Return what spellings of a name in a file of turns have in common: "Start Time", "start-time", "startTime"."""
    return "_".join(filter(None, WORD_BREAK.split(name.strip().lstrip("#")))).lower()


def is_time(name: str) -> bool:
    """Return whether a column of a manifest with this name has times, perhaps only next to another column."""
    key = _split_unit(column_key(name))[0]
    return key == OFFSET or MEANING_OF.get(key) in TIMES


def _split_unit(key: str) -> tuple[str, int]:
    """Return the key of a column of times without its unit, and how many of this unit are one second."""
    match = UNIT.search(key)
    return (key[: match.start()], 1000 if match[2] else 1) if match else (key, 1)


def _unique(names: Sequence[str], first: Column | None, column: Column, meaning: str) -> Column:
    if first:
        raise ValueError(
            f"the columns '{names[first.place]}' and '{names[column.place]}' both mean '{meaning}'; rename or remove "
            "one"
        )
    return column


def _meaning_of_offset(names: Sequence[str], offset: Column, found: dict[str, Column]) -> str:
    """Return whether `offset` is `start_s` or `end_s`.

    Raises:
        ValueError: it may be either, or neither.
    """
    start = found.get("start_s")
    if start and "end_s" not in found and _split_unit(column_key(names[start.place]))[0] == ONSET:
        return "end_s"
    if "duration_s" in found and not start and "end_s" not in found:
        return "start_s"
    raise ValueError(
        f"the column '{names[offset.place]}' may be a start or an end: it is the end next to '{ONSET}' and the start "
        "next to 'duration', without other times; call it start_s or end_s, or remove it"
    )
