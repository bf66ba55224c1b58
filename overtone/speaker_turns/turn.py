"""One speaker turn as a file has it, before it is checked."""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from overtone._internal.clock_times import parse_seconds

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
MAX_LISTED = 10
NO_NUMBER = "expected a time in seconds, such as 12.5, got "


class Turn(NamedTuple):
    """A turn in a file, a part of the file that is none, or a hint about the file.

    Attributes:
        position: where it is in the file, such as "line 3".
        start_s: start time; any number.
        end_s: end time; any number.
        speaker: name of the speaker; "" if it is unknown.
        text: the words of the turn; "" if they are unknown.
        error: why it cannot be used; "" if it can.
        label: the label of the segment, in the output of `overtone timeline`; "" if the file has none.
        decided_by: who decided the label, as the file says; "" if it does not.
        hint: what a user should know about the file; then this is no turn. "" for a turn.
    """

    position: str
    start_s: float = math.nan
    end_s: float = math.nan
    speaker: str = ""
    text: str = ""
    error: str = ""
    label: str = ""
    decided_by: str = ""
    hint: str = ""


def make_turn(
    position: str, start: object, end: object, speaker: object = "", text: object = "", *, duration: object = None
) -> Turn:
    """Return a turn from the values of a file; if its times are invalid, with an error.

    Args:
        position: where it is in the file.
        start: start time: a number of seconds, or a text that `overtone._internal.clock_times` reads; may be negative.
        end: end time, likewise; None if the file has the duration.
        speaker: name of the speaker; None if it is unknown. Whitespace becomes single blanks.
        text: the words of the turn, likewise.
        duration: duration of the turn, if there is no end.
    """
    try:
        start_s = parse_time(start)
        end_s = parse_time(end) if duration is None else round(start_s + parse_time(duration), 6)
    except ValueError as error:
        return Turn(position, error=str(error))
    return Turn(position, start_s, end_s, clean_text(speaker), clean_text(text))


def parse_time(value: object) -> float:
    """Return a time in seconds, which may be negative but is finite.

    Raises:
        ValueError: it is not a time.
    """
    if isinstance(value, str):
        text = value.strip()
        try:
            time_s = parse_seconds(text.removeprefix("-"))
        except ValueError:
            time_s = None
        if time_s is None:
            raise ValueError(f"{NO_NUMBER}{_shorten(value)!r}")
        return -time_s if text.startswith("-") else time_s
    try:
        time_s = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:  # an integer of hundreds of digits
        time_s = math.nan
    if not math.isfinite(time_s):
        raise ValueError(f"{NO_NUMBER}{'nothing' if value is None else _shorten(repr(value))}")
    return time_s


def unread_speakers(what: str, names: Sequence[str]) -> Turn:
    """Return the hint that no turn has a speaker, although columns or keys of these names are there."""
    listed = ", ".join(f"'{name}'" for name in names[:MAX_LISTED])
    return Turn("", hint=f"no turn has a speaker; if one of the {what} {listed} has them, call it 'speaker'")


def clean_text(value: object) -> str:
    """Return a text on one line: any whitespace becomes a blank; "" for None.

    Half of a surrogate pair, which JSON can contain and no encoding can, becomes U+FFFD; so do control characters,
    which tables and terminals cannot show.
    """
    text = "" if value is None else str(value)
    valid = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return CONTROL.sub("\ufffd", " ".join(valid.split()))


def _shorten(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"
