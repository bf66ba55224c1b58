"""The names of the columns of tables of speaker turns and of manifests, and what they mean.

    find_columns(("file", "onset", "offset"))        {"path": 0, "start_s": 1, "end_s": 2}
    find_columns(("file", "offset", "duration"))     {"path": 0, "start_s": 1, "duration_s": 2}

A name counts in any case, with blanks for underscores, and in tables of turns also with dots or hyphens or as
`startTime`; that of a time may end in a unit, such as `start_ms` or `Start (s)`. To add a name, add it to its row of
`NAMES`.

Some names need other columns to have a meaning:

- `offset` is the end of a part of a recording next to `onset`, as annotation programs write it, and the start next to
  `duration` alone, as manifests of NeMo have it. Otherwise it may be a start, an end or something else, and has no
  meaning.
- `duration` is that of a part next to a start; otherwise, such as that of the whole file, it has no meaning here. In a
  manifest an end replaces it, in a table of turns it may stand for an end that is empty.
- `xmin` and `xmax` are times as Praat writes them, but not next to `ymin` or `ymax`.
- Of two columns that ELAN writes for one time, as a clock time and in seconds, the latter counts.
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
CLOCK = r"hh:mm:ss(?:[_.,](?:ms|mmm|msec))?"
SECONDS, MILLISECONDS = rf"s|sec|seconds|ss_msec|{CLOCK}", "ms|msec|millis|milliseconds"
UNIT = re.compile(rf"_?[\[(]?(?:(?<=[_\[(])({SECONDS})|(?<=[_\[(])({MILLISECONDS}))[\])]?$")
CLOCK_UNIT = re.compile(rf"_[\[(]?{CLOCK}[\])]?$")
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
        ValueError: two columns have the same meaning.
    """
    keys = [name_key(name) if are_turns else column_key(name) for name in names]
    meaning_of = (MEANING_OF_TURNS if are_turns else MEANING_OF) | {OFFSET: OFFSET}
    found = _find(names, keys, {*meanings, *([OFFSET] if "start_s" in meanings else [])}, meaning_of, are_turns)
    offset = found.pop(OFFSET, None)
    if offset:
        found |= _find_offset(names, keys, offset, found)
    if are_turns:
        found = _find(names, keys, set(meanings) - set(found), MEANING_OF_TURNS_ELSE, are_turns) | found
    if "start_s" not in found or ("end_s" in found and not are_turns):
        found.pop("duration_s", None)
    return found


def _find(
    names: Sequence[str],
    keys: Sequence[str],
    meanings: Collection[str],
    meaning_of: Mapping[str, str],
    are_turns: bool,
) -> dict[str, Column]:
    """Return the columns that have one of these meanings by name alone, by meaning.

    Raises:
        ValueError: two columns have the same meaning.
    """
    corners = box_corners(keys)
    found: dict[str, Column] = {}
    for index, whole_key in enumerate(keys):
        key, per_second = _split_unit(whole_key)
        meaning, column = meaning_of.get(key), Column(index, per_second)
        if meaning not in (*TIMES, OFFSET):
            meaning, column = meaning_of.get(whole_key), Column(index)
        if meaning is None or meaning not in meanings or key in corners or _is_repeated(whole_key, keys):
            continue
        first = found.get(meaning)
        if are_turns or first is None or first.per_second == column.per_second:
            found[meaning] = _unique(names, first, column, meaning)
        elif first.per_second > column.per_second:  # a manifest may have a time in seconds, and again in milliseconds
            found[meaning] = column
    return found


def _find_offset(
    names: Sequence[str], keys: Sequence[str], offset: Column, found: Mapping[str, Column]
) -> dict[str, Column]:
    """Return the column `offset` by its meaning, if it has one.

    Raises:
        ValueError: another column has the same meaning.
    """
    start, end = found.get("start_s"), found.get("end_s")
    if start and _split_unit(keys[start.place])[0] == ONSET:
        return {"end_s": _unique(names, end, offset, "end_s")}
    return {"start_s": offset} if "duration_s" in found and not start and not end else {}


def _is_repeated(key: str, keys: Collection[str]) -> bool:
    """Return whether a column has a time as a clock time that another one has in seconds."""
    clock = CLOCK_UNIT.search(key)
    return clock is not None and any(
        _split_unit(other) == (key[: clock.start()], 1) for other in keys if not CLOCK_UNIT.search(other)
    )


def box_corners(keys: Collection[str]) -> Collection[str]:
    """Return the keys of columns that are corners of a box in a picture among these, and no times."""
    return BOX[0] if BOX[1] & set(keys) else ()


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
