r"""File of speaker turns -> segments without an answer: who speaks when, as other programs or people have written it.

    RTTM       SPEAKER talk 1 0.50 2.25 <NA> <NA> anna <NA> <NA>      as diarisation programs write it
    CSV        start_s,end_s,speaker                                  a header and one row for each turn
    TextGrid   one interval tier per speaker, named after the speaker; intervals with a text are turns   (Praat)

The suffix of the file says which it is.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from overtone.errors import InputError, suggest
from overtone.timeline import Segment

Turn = tuple[str, str, str]  # where it begins and ends, as written, and who speaks

RTTM_FIELDS = 8  # type, file, channel, onset, duration, orthography, subtype, name
CSV_COLUMNS = ("start_s", "end_s")
TEXT_OR_NUMBER = re.compile(r'"((?:[^"]|"")*)"|(?<!\S)(-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)(?!\S)|<(exists|absent)>')


def read_turns(path: Path, recording: str = "") -> tuple[Segment, ...]:
    """The turns in a file, in order of their beginning.

    Args:
        path: of the file; `.rttm`, `.csv` or `.TextGrid`.
        recording: path of the sound; where an RTTM file is of several recordings, the one of that name is chosen.

    Raises:
        InputError: the file cannot be read, is of another kind, or holds what is no turn, or no turn at all. The
            message names the file and what is wrong in it.
    """
    path = Path(path)
    kinds: dict[str, Callable[[str, str], Iterator[Turn]]] = {".rttm": _rttm, ".csv": _csv, ".textgrid": _textgrid}
    kind = path.suffix.lower()
    if kind not in kinds:
        raise InputError(f"{path}: turns are read from .rttm, .csv and .TextGrid{suggest(kind, kinds)}")
    text = _text(path)
    try:
        turns = [_segment(*turn) for turn in kinds[kind](text, Path(recording).stem)]
    except (ValueError, IndexError, csv.Error) as error:
        raise InputError(f"{path}: {error or 'cut short'}; write the turns again") from error
    if not turns:
        raise InputError(f"{path}: holds no turn")
    return tuple(sorted(turns, key=lambda turn: (turn.start_s, turn.end_s)))


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")  # Praat writes UTF-16 where it must
        return content.decode("utf-16" if wide else "utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: the turns cannot be read: {error.strerror or error}") from error
    except UnicodeError as error:
        raise InputError(f"{path}: neither UTF-8 nor UTF-16: {error}; save it as UTF-8") from error


def _segment(start: str, end: str, speaker: str) -> Segment:
    start_s, end_s = _number(start), _number(end)
    if not (math.isfinite(end_s) and 0 <= start_s < end_s):
        raise ValueError(f"no turn from {start} to {end} s")
    return Segment(start_s, end_s, None, speaker)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"expected a time in seconds, such as 12.5, got {text!r}") from error


def _rttm(text: str, recording: str) -> Iterator[Turn]:
    """Source: NIST, "The 2009 Rich Transcription Evaluation Plan", appendix A."""
    rows = [line.split() for line in text.splitlines() if line.split()[:1] == ["SPEAKER"]]
    recordings = {row[1] for row in rows if len(row) > 1}
    if len(recordings) > 1 and recording not in recordings:
        raise ValueError(f"of several recordings, and none is called '{recording}'{suggest(recording, recordings)}")
    for row in rows:
        if len(row) < RTTM_FIELDS:
            raise ValueError(f"expected {RTTM_FIELDS} fields or more, got '{' '.join(row)}'")
        if len(recordings) == 1 or row[1] == recording:
            yield row[3], repr(_number(row[3]) + _number(row[4])), row[7]


def _csv(text: str, recording: str) -> Iterator[Turn]:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    missing = [column for column in CSV_COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        raise ValueError(f"lacks the column {' and '.join(missing)} in its first line")
    for row in rows:
        if None in row:  # a name with a comma in it would lose what is behind that
            raise ValueError(
                f"line {rows.line_num}: more cells than the header has; put quotes around text with commas"
            )
        yield row["start_s"] or "", row["end_s"] or "", row.get("speaker") or ""


def _textgrid(text: str, recording: str) -> Iterator[Turn]:
    """Long and short form alike: texts and free-standing numbers in order are what counts.

    Source: the manual of Praat, "TextGrid file formats".
    """
    words = [match[0] for match in TEXT_OR_NUMBER.finditer(re.sub(r"\[\d*\]:?", "", text))]
    if words[:2] != ['"ooTextFile"', '"TextGrid"']:
        raise ValueError("does not begin as a TextGrid")
    rest = iter(words[5:])  # after both times, whether there are tiers
    return _tiers(rest, _count(next(rest, "0")))


def _tiers(words: Iterator[str], count: int) -> Iterator[Turn]:
    for _ in range(count):
        kind, name = _word(words), _word(words)[1:-1].replace('""', '"')
        _word(words), _word(words)  # times of the tier
        for _ in range(_count(_word(words))):
            if kind == '"IntervalTier"':
                start, end, said = _word(words), _word(words), _word(words)
                if said.strip('" '):
                    yield start, end, name
            else:
                _word(words), _word(words)  # a point and its mark


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"expected how many there are, got {text}")
    return int(text)


def _word(words: Iterator[str]) -> str:
    word = next(words, None)
    if word is None:
        raise ValueError("cut short")
    return word
