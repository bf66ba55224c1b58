"""Checks of the speaker turns that a caller supplies, before anything is recognised."""

from collections.abc import Iterable, Sequence

from overtone.errors import InputError
from overtone.timeline import Segment, is_beyond


def check_turns(turns: object) -> list[Segment] | None:
    """Return speaker turns as a list; None for none.

    Raises:
        InputError: they are no segments.
    """
    if turns is None:
        return None
    example = "overtone.Segment(0.5, 2.0, speaker='anna')"
    if isinstance(turns, str | bytes) or hasattr(turns, "read") or not isinstance(turns, Iterable):
        raise InputError(
            f"turns: expected a list of segments, such as {example}, got {turns!r:.80}; "
            "overtone.read_turns reads them from a file"
        )
    known = list(turns)
    for turn in known:
        if not isinstance(turn, Segment):
            raise InputError(f"turns: expected segments, such as {example}, got {turn!r:.80}")
    return known


def check_fit(turns: Sequence[Segment], duration_s: float, source: str) -> None:
    """Check that no turn is beyond the end of the recording, apart from a tolerance.

    Raises:
        InputError: a turn is.
    """
    for turn in turns:
        if is_beyond(turn.start_s, turn.end_s, duration_s):
            raise InputError(
                f"{source}: ends at {duration_s:.3f} s, before the end of the turn from {turn.start_s:.3f} "
                f"to {turn.end_s:.3f} s; are these the turns of another recording?"
            )
