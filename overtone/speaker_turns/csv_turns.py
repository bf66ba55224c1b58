"""Reads a table of turns: a header and one row per turn, as spreadsheets and programs write it.

    start_s,end_s,speaker,text                     also separated by semicolons, tabs, bars or blanks
    0.5,2.75,anna,"well, yes"

Times have a decimal point or comma, or are clock times such as `0:01:02.5`; their columns may name a unit, such as
`start_ms` or `Start (s)`. A table may have the column `duration` instead of `end_s`, or where `end_s` is empty, and a
column of files. The output
of `overtone timeline` is such a table: its segments without speech are not turns, unless they have a speaker or words.
"""

import codecs
import io
import re
from collections.abc import Iterator, Sequence

from overtone._internal.delimited_text import SEPARATORS, delimited_rows
from overtone._internal.text_encoding import decode_text
from overtone.speaker_turns.content import NO_RECORDING, select_recording
from overtone.speaker_turns.turn import Turn, clean_text, make_turn, name_key, parse_time, unread_speakers

COLUMNS: dict[str, tuple[str, ...]] = {
    "start_s": ("start", "begin", "onset", "start_time", "begin_time", "tmin", "xmin"),
    "end_s": ("end", "stop", "offset", "end_time", "stop_time", "tmax", "xmax"),
    "duration": ("duration", "dur"),
    "speaker": ("speaker", "speaker_id", "speaker_name", "speaker_label", "participant"),
    "tier": ("tier", "tier_name"),  # the speaker where the column of speakers is empty, as ELAN exports it
    "text": ("text", "transcript", "transcription", "words"),
    "file": ("path", "file", "file_name", "filename", "audio"),
    "speech": ("speech",),
}
OTHER_NAMES: dict[str, tuple[str, ...]] = {  # which may mean something else where one of the above is there, too
    "start_s": ("from", "starttime", "t_start", "beginn", "anfang", "startzeit", "début", "debut", "inicio", "inizio"),
    "end_s": ("to", "finish", "endtime", "t_end", "ende", "endzeit", "fin", "fine"),
    "duration": ("dauer", "durée", "duración", "durata"),
    "speaker": ("speakerid", "spk", "name", "sprecher", "sprecherin", "locuteur", "hablante", "parlante"),
    "text": ("value", "transkript"),
    "file": ("audio_file", "recording", "recording_id", "datei"),
}
TIMES = ("start_s", "end_s", "duration")
SECONDS, MILLISECONDS = "s|sec|seconds|ss_msec|hh:mm:ss(?:[_.,](?:ms|mmm|msec))?", "ms|msec|millis|milliseconds"
UNIT = re.compile(rf"_?[\[(]?(?:(?<=[_\[(])({SECONDS})|(?<=[_\[(])({MILLISECONDS}))[\])]?$")
FORMULA = re.compile(r"^'(?=[=+\-@])")  # `--csv-dialect excel` writes an apostrophe before a text that Excel would run
EXPECTED = "start_s,end_s,speaker"


def parse(content: bytes, recording: str) -> Iterator[Turn]:
    """Yield the turns of a recording, and the rows that cannot be read."""
    text = decode_text(content)
    is_for_excel = content.startswith(codecs.BOM_UTF8)
    rows = delimited_rows(io.StringIO(text, newline=""), SEPARATORS + "| ")
    header = next(rows, None)
    if header is None:
        raise ValueError(f"is empty; expected the columns {EXPECTED}")
    if header.error:
        raise ValueError(f"line {header.line}: not CSV: {header.error}")
    columns = find_columns(header.cells)
    scaled = {name for name in TIMES if name in columns and _split_unit(header.cells[columns[name]])[1]}
    named, faulty = [], []
    for line, cells, error in rows:
        position = f"line {line}"
        if error:
            faulty.append(Turn(position, error=f"not CSV: {error}"))
        elif len(cells) > len(header.cells) and any(cell.strip() for cell in cells[len(header.cells) :]):
            expected = "more cells than the header has; put quotes around text with separators, and name every column"
            faulty.append(Turn(position, error=expected))
        else:
            row = {name: cells[index] for name, index in columns.items() if index < len(cells)}
            row = {name: FORMULA.sub("", cell) for name, cell in row.items()} if is_for_excel else row
            named.append(
                (position, {name: _in_seconds(cell) if name in scaled else cell for name, cell in row.items()})
            )
    selected = select_recording((_file(row) for _, row in named), recording)
    yield from faulty
    for position, row in named:
        if _file(row) in selected:
            yield from [] if is_pause(row) else [row_to_turn(position, row)]
        elif not _file(row):
            yield Turn(position, error=NO_RECORDING)
    unread = [name for index, name in enumerate(header.cells) if name.strip() and index not in columns.values()]
    if not {"speaker", "tier"} & set(columns) and unread:
        yield unread_speakers("columns", unread)


def _file(row: dict[str, str]) -> str:
    return row.get("file", "").strip()


def find_columns(names: Sequence[str]) -> dict[str, int]:
    """Return the place of each known column, from 0.

    Raises:
        ValueError: a time is missing, or two columns have the same meaning.
    """
    found: dict[str, int] = {}
    keys = [name_key(name) for name in names]
    times = [_split_unit(name)[0] for name in names]
    for meaning, known in COLUMNS.items():
        candidates = times if meaning in TIMES else keys
        places = [index for index, key in enumerate(candidates) if key in known]
        places = places or [index for index, key in enumerate(candidates) if key in OTHER_NAMES.get(meaning, ())]
        if len(places) > 1:
            raise ValueError(
                f"the columns {' and '.join(names[index] for index in places)} both mean {meaning}; remove one"
            )
        found |= {meaning: places[0]} if places else {}
    missing = [name for name in ("start_s", "end_s") if name not in found]
    if "duration" in found and missing == ["end_s"]:
        return found
    if missing:
        lacks = f"the header lacks the column {' and '.join(missing)}"
        raise ValueError(f"{lacks}, it is '{', '.join(names)[:80]}'; name the columns as in {EXPECTED}")
    return found


def _split_unit(name: str) -> tuple[str, bool]:
    """Return the key of a column of times without its unit, and whether this is milliseconds: "Start (ms)"."""
    key = name_key(name)
    match = UNIT.search(key)
    return (key[: match.start()], bool(match[2])) if match else (key, False)


def _in_seconds(milliseconds: str) -> str:
    """Return a time in seconds, as text; what is written if it is a clock time or no number."""
    try:
        return milliseconds if ":" in milliseconds else repr(parse_time(milliseconds) / 1000)
    except ValueError:
        return milliseconds


def is_pause(row: dict[str, str]) -> bool:
    """Return whether a row is a segment without speech, and without a speaker or words that make it a turn."""
    is_silent = row.get("speech", "").strip().lower() == "false"
    return is_silent and not row.get("speaker", "").strip() and not row.get("text", "").strip()


def row_to_turn(position: str, row: dict[str, str]) -> Turn:
    """Return the turn in a row: column -> cell."""
    has_end = row.get("end_s", "").strip() or "duration" not in row
    duration = None if has_end else row["duration"]
    speaker, text = clean_text(row.get("speaker") or row.get("tier")), clean_text(row.get("text"))
    return make_turn(position, row.get("start_s", ""), row.get("end_s", ""), speaker, text, duration=duration)
