"""Reads RTTM, the output of diarisation programs: one line per turn, fields separated by blanks.

SPEAKER talk 1 0.50 2.25 <NA> <NA> anna <NA> <NA>
        file channel onset duration orthography subtype name confidence signal-lookahead

File names and speaker names with blanks are read too: orthography and subtype are `<NA>` in practice, and the numbers
in front of them are the times. The file name may have the suffix of the audio. Lines of other types are not turns.

The last fields may be missing, so that the number in "speaker 1" may be a confidence. It is one if all such lines of a
file have the same number, 0 or 1; else it belongs to the name.

Source: NIST, "The 2009 Rich Transcription Evaluation Plan", appendix A.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from overtone._internal.text_encoding import decode_text, split_lines
from overtone.speaker_turns.content import select_recording
from overtone.speaker_turns.turn import Turn, make_turn

MIN_FIELDS = 8  # type, file, channel, onset, duration, orthography, subtype, name
UNKNOWN = "<NA>"
NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
OTHER_TYPES = (  # of lines that are not turns
    *("SEGMENT", "NOSCORE", "NO_RT_METADATA", "LEXEME", "NON-LEX", "NON-SPEECH", "FILLER", "EDIT", "SU", "IP", "CB"),
    *("A/P", "SPKR-INFO"),
)
WHOLE_NUMBER = re.compile(r"\d+")
MAX_VALUES = 2  # confidence and lookahead
CONFIDENCES = ("0", "1")  # among the whole numbers
COMMENTS = (";", "#")


class _Line(NamedTuple):
    position: str
    fields: list[str]
    onset: int  # which of the fields is the onset; 0 if none is

    @property
    def file(self) -> str:
        return " ".join(self.fields[1 : self.onset - 1])

    @property
    def names(self) -> list[str]:
        """The parts of the name, and perhaps the confidence, if it is a whole number."""
        tail = self.fields[self.onset + 4 :]
        return tail[: len(tail) - self._values(tail)]

    @property
    def may_have_confidence(self) -> bool:
        """Whether the last of `names` may be a confidence: it is a whole number, and not both values follow it."""
        tail, names = self.fields[self.onset + 4 :], self.names
        return len(names) > 1 and len(tail) - len(names) < MAX_VALUES and WHOLE_NUMBER.fullmatch(names[-1]) is not None

    @property
    def unknown(self) -> set[str]:
        """What stands for an unknown value: `<NA>`, and what orthography and subtype both are, such as `_`."""
        orthography, subtype = self.fields[self.onset + 2 : self.onset + 4]
        return {UNKNOWN, orthography} if orthography == subtype else {UNKNOWN}

    def _values(self, tail: list[str]) -> int:
        """Return how many of the last fields are values, and no part of a name."""
        last, unknown = min(MAX_VALUES, len(tail) - 1), self.unknown
        return next((count for count in range(last) if not _is_value(tail[-1 - count], unknown)), max(last, 0))


def parse(content: bytes, recording: str) -> Iterator[Turn]:
    """Yield the turns of a recording, and the lines that are of no known type."""
    lines = []
    for number, text in enumerate(split_lines(decode_text(content)), start=1):
        fields = text.split()
        if fields[:1] == ["SPEAKER"]:
            lines.append(_Line(f"line {number}", fields, _find_onset(fields)))
        elif fields and fields[0] not in OTHER_TYPES and not fields[0].startswith(COMMENTS):
            yield Turn(f"line {number}", error=f"expected a line that starts with SPEAKER, got '{fields[0][:40]}'")
    selected = select_recording((line.file for line in lines if line.onset), recording)
    numbers = {line.names[-1] for line in lines if line.onset and line.may_have_confidence}
    has_confidence = len(numbers) == 1 and numbers <= set(CONFIDENCES)
    for line in lines:
        if not line.onset:
            expected = f"expected {MIN_FIELDS} fields or more, or <NA> <NA> behind the times, got "
            yield Turn(line.position, error=f"{expected}'{' '.join(line.fields)[:80]}'")
        elif line.file in selected:
            onset, duration = line.fields[line.onset : line.onset + 2]
            names = line.names[:-1] if has_confidence and line.may_have_confidence else line.names
            name = " ".join(names)
            yield make_turn(line.position, onset, None, "" if name in line.unknown else name, duration=duration)


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


def _is_value(field: str, unknown: set[str]) -> bool:
    """Return whether a field is a confidence or lookahead, and no part of a name."""
    is_number = NUMBER.fullmatch(field) is not None and not WHOLE_NUMBER.fullmatch(field)
    return field in unknown or is_number or field.lower() == "nan"
