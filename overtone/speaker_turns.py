r"""Read speaker turns (who speaks when) that other programs or people have written.

    RTTM       SPEAKER talk 1 0.50 2.25 <NA> <NA> anna <NA> <NA>      output of diarisation programs
    CSV        start_s,end_s,speaker                                  a header and one row per turn
    TextGrid   one interval tier per speaker, named after the speaker; intervals with a text are turns   (Praat)

The file suffix selects the format.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from overtone.errors import InputError, suggest
from overtone.timeline import Segment

Turn = tuple[str, str, str]  # start and end as written, and speaker

RTTM_FIELDS = 8  # type, file, channel, onset, duration, orthography, subtype, name
CSV_COLUMNS = ("start_s", "end_s")
TEXT_OR_NUMBER = re.compile(r'"((?:[^"]|"")*)"|(?<!\S)(-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)(?!\S)|<(exists|absent)>')


def read_turns(path: Path, recording: str = "") -> tuple[Segment, ...]:
    """Return the speaker turns in a file as segments without predictions, sorted by start time.

    Args:
        path: a `.rttm`, `.csv` or `.TextGrid` file.
        recording: path of the audio; selects the recording of this name in an RTTM file with several recordings.

    Raises:
        InputError: the file cannot be read, has another format, or contains an invalid turn or no turn at all. The
            message names the file and the fault.
    """
    path = Path(path)
    parsers: dict[str, Callable[[str, str], Iterator[Turn]]] = {
        ".rttm": _parse_rttm,
        ".csv": _parse_csv,
        ".textgrid": _parse_textgrid,
    }
    suffix = path.suffix.lower()
    if suffix not in parsers:
        raise InputError(f"{path}: turns are read from .rttm, .csv and .TextGrid{suggest(suffix, parsers)}")
    text = _read_text(path)
    try:
        turns = [_to_segment(*turn) for turn in parsers[suffix](text, Path(recording).stem)]
    except (ValueError, IndexError, csv.Error) as error:
        raise InputError(f"{path}: {error or 'truncated'}; write the turns again") from error
    if not turns:
        raise InputError(f"{path}: contains no turn")
    return tuple(sorted(turns, key=lambda turn: (turn.start_s, turn.end_s)))


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
        is_utf16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")  # Praat writes UTF-16 for non-Latin text
        return content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: the turns cannot be read: {error.strerror or error}") from error
    except UnicodeError as error:
        raise InputError(f"{path}: neither UTF-8 nor UTF-16: {error}; save it as UTF-8") from error


def _to_segment(start: str, end: str, speaker: str) -> Segment:
    start_s, end_s = _parse_time(start), _parse_time(end)
    if not (math.isfinite(end_s) and 0 <= start_s < end_s):
        raise ValueError(f"invalid turn from {start} to {end} s")
    return Segment(start_s, end_s, None, speaker)


def _parse_time(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"expected a time in seconds, such as 12.5, got {text!r}") from error


def _parse_rttm(text: str, recording: str) -> Iterator[Turn]:
    """Yield the turns of an RTTM file.

    Source: NIST, "The 2009 Rich Transcription Evaluation Plan", appendix A.
    """
    rows = [line.split() for line in text.splitlines() if line.split()[:1] == ["SPEAKER"]]
    recordings = {row[1] for row in rows if len(row) > 1}
    if len(recordings) > 1 and recording not in recordings:
        raise ValueError(
            f"contains several recordings, and none is called '{recording}'{suggest(recording, recordings)}"
        )
    for row in rows:
        if len(row) < RTTM_FIELDS:
            raise ValueError(f"expected {RTTM_FIELDS} fields or more, got '{' '.join(row)}'")
        if len(recordings) == 1 or row[1] == recording:
            yield row[3], repr(_parse_time(row[3]) + _parse_time(row[4])), row[7]


def _parse_csv(text: str, recording: str) -> Iterator[Turn]:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    missing = [column for column in CSV_COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        raise ValueError(f"the header lacks the column {' and '.join(missing)}")
    for row in rows:
        if None in row:  # an unquoted comma in a name; the rest of the name would be lost
            raise ValueError(
                f"line {rows.line_num}: more cells than the header has; put quotes around text with commas"
            )
        yield row["start_s"] or "", row["end_s"] or "", row.get("speaker") or ""


def _parse_textgrid(text: str, recording: str) -> Iterator[Turn]:
    """Yield the turns of a TextGrid, in long or short format: only quoted texts and free-standing numbers count.

    Source: the manual of Praat, "TextGrid file formats".
    """
    tokens = [match[0] for match in TEXT_OR_NUMBER.finditer(re.sub(r"\[\d*\]:?", "", text))]
    if tokens[:2] != ['"ooTextFile"', '"TextGrid"']:
        raise ValueError("does not start with the header of a TextGrid")
    rest = iter(tokens[5:])  # skip the two header texts, the start and end time, and <exists>
    return _parse_tiers(rest, _parse_count(next(rest, "0")))


def _parse_tiers(tokens: Iterator[str], count: int) -> Iterator[Turn]:
    for _ in range(count):
        tier_type, name = _next_token(tokens), _next_token(tokens)[1:-1].replace('""', '"')
        _next_token(tokens), _next_token(tokens)  # start and end of the tier
        for _ in range(_parse_count(_next_token(tokens))):
            if tier_type == '"IntervalTier"':
                start, end, text = _next_token(tokens), _next_token(tokens), _next_token(tokens)
                if text.strip('" '):
                    yield start, end, name
            else:
                _next_token(tokens), _next_token(tokens)  # time and mark of a point


def _parse_count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"expected a count, got {text}")
    return int(text)


def _next_token(tokens: Iterator[str]) -> str:
    token = next(tokens, None)
    if token is None:
        raise ValueError("truncated")
    return token
