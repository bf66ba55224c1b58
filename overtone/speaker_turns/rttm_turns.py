"""Reads RTTM, the output of diarisation programs: one line per turn, fields separated by blanks.

SPEAKER talk 1 0.50 2.25 <NA> <NA> anna <NA> <NA>
        file channel onset duration orthography subtype name confidence signal-lookahead

File names and speaker names with blanks are read too: orthography and subtype are `<NA>` in practice, and the numbers
in front of them are the times. The file name may have the suffix of the audio. Lines of other types are not turns.

Source: NIST, "The 2009 Rich Transcription Evaluation Plan", appendix A.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from overtone._internal.text_encoding import decode_text
from overtone.speaker_turns.content import select_recording
from overtone.speaker_turns.turn import Turn, make_turn

MIN_FIELDS = 8  # type, file, channel, onset, duration, orthography, subtype, name
UNKNOWN = "<NA>"
NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
OTHER_TYPES = (  # of lines that are not turns
    *("SEGMENT", "NOSCORE", "NO_RT_METADATA", "LEXEME", "NON-LEX", "NON-SPEECH", "FILLER", "EDIT", "SU", "IP", "CB"),
    *("A/P", "SPKR-INFO"),
)
COMMENT = ";;"


class _Line(NamedTuple):
    position: str
    fields: list[str]
    onset: int  # which of the fields is the onset; 0 if none is

    @property
    def file(self) -> str:
        return " ".join(self.fields[1 : self.onset - 1])


def parse(content: bytes, recording: str) -> Iterator[Turn]:
    """Yield the turns of a recording, and the lines that are of no known type."""
    lines = []
    for number, text in enumerate(decode_text(content).splitlines(), start=1):
        fields = text.split()
        if fields[:1] == ["SPEAKER"]:
            lines.append(_Line(f"line {number}", fields, _find_onset(fields)))
        elif fields and fields[0] not in OTHER_TYPES and not fields[0].startswith(COMMENT):
            yield Turn(f"line {number}", error=f"expected a line that starts with SPEAKER, got '{fields[0][:40]}'")
    selected = select_recording((line.file for line in lines if line.onset), recording)
    for line in lines:
        if not line.onset:
            expected = f"expected {MIN_FIELDS} fields or more, or <NA> <NA> behind the times, got "
            yield Turn(line.position, error=f"{expected}'{' '.join(line.fields)[:80]}'")
        elif line.file in selected:
            onset, duration = line.fields[line.onset : line.onset + 2]
            yield make_turn(line.position, onset, None, _name(line.fields[line.onset + 4 :]), duration=duration)


def _find_onset(fields: list[str]) -> int:
    """Return which field is the onset; 0 if none is.

    It is the last one of two numbers in front of an unknown orthography and subtype, and behind the file and channel.
    If a line has none of these, it is the fourth field, as the format defines; then no name may have a blank.
    """
    for index in range(len(fields) - 5, 2, -1):
        times, unknown = fields[index : index + 2], fields[index + 2 : index + 4]
        if unknown == [UNKNOWN, UNKNOWN] and all(map(NUMBER.fullmatch, times)):
            return index
    is_standard = MIN_FIELDS <= len(fields) <= MIN_FIELDS + 2 and not any(map(NUMBER.fullmatch, fields[5:7]))
    return 3 if is_standard else 0


def _name(fields: list[str]) -> str:
    """Return the name at the start of the last fields of a line: up to two fields follow it, values or unknown."""
    count = len(fields)
    if count > 2 and _is_value(fields[-1]) and _is_confidence(fields[-2]):
        count -= 2
    elif count > 1 and _is_value(fields[-1]):
        count -= 1
    name = " ".join(fields[:count])
    return "" if name == UNKNOWN else name


def _is_value(field: str) -> bool:
    return field == UNKNOWN or NUMBER.fullmatch(field) is not None


def _is_confidence(field: str) -> bool:
    return _is_value(field) and (field == UNKNOWN or 0 <= float(field) <= 1)
