"""FILE OF SPEAKER TURNS -> SEGMENTS: who speaks when, and what, as other programs or people have written it.

    turns = read_turns(Path("talk.rttm"), "talk.wav")                   # an invalid turn is an error
    file = read_turns_file(Path("talk.rttm"), "talk.wav", duration_s)   # file.turns, and file.invalid

A module of a format has one function

    parse(content, recording)   returns or yields a `Turn` for each turn in the content of a file, and for each part of
                                the file that is none; raises a `ValueError` if the content is not of this format

To add a format, write such a module and add a row to `TURN_FORMATS`. The suffix of the file selects the format; a
module is imported when its format is first read. `docs/turns.md` describes the formats.
"""

import difflib
import math
import numbers
import os
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from overtone._internal.audio_suffixes import AUDIO_SUFFIXES
from overtone._internal.special_files import is_special
from overtone.errors import InputError, format_errors
from overtone.speaker_turns.given_labels import GivenLabel, parse_given_label
from overtone.speaker_turns.turn import Turn
from overtone.timeline import TURN_TOLERANCE_S, Segment, is_beyond

MIN_TURN_S = 0.001
MAX_DURATION_S = 1e9  # of a recording
MIN_SIMILARITY = 0.8  # of a suffix to a known one, for a hint: ".ctm" is below to ".rttm"


class TurnFormat(NamedTuple):
    """A row of the registry: the module that reads a format, and the suffixes of its files."""

    module: str
    suffixes: tuple[str, ...]


TURN_FORMATS: dict[str, TurnFormat] = {
    "rttm": TurnFormat("rttm_turns", (".rttm",)),
    "textgrid": TurnFormat("textgrid_turns", (".TextGrid",)),
    "elan": TurnFormat("elan_turns", (".eaf",)),
    "srt": TurnFormat("subtitle_turns", (".srt",)),
    "webvtt": TurnFormat("subtitle_turns", (".vtt",)),
    "audacity": TurnFormat("audacity_turns", (".txt",)),
    "csv": TurnFormat("csv_turns", (".csv", ".tsv")),
    "json": TurnFormat("json_turns", (".json", ".jsonl", ".ndjson")),
}
SUFFIXES = tuple(suffix for row in TURN_FORMATS.values() for suffix in row.suffixes)


class TurnsFile(NamedTuple):
    """The content of a file of speaker turns.

    Attributes:
        turns: the valid turns as segments without predictions, sorted by start time; at least one.
        positions: where each of these turns is in the file, such as "line 2".
        invalid: position and fault of each invalid turn, such as "line 3: the turn from 2 to 2 s is empty".
    """

    turns: tuple[Segment, ...]
    positions: tuple[str, ...]
    invalid: tuple[str, ...]


class LabelledTurns(NamedTuple):
    """The content of a file of speaker turns that may have labels.

    Attributes:
        file: its turns.
        labels: the label of each valid turn; empty if the file is not the output of `overtone timeline`.
        hints: what a user should know about the file, a sentence each, such as which parts of it are not read.
    """

    file: TurnsFile
    labels: tuple[GivenLabel, ...]
    hints: tuple[str, ...]


def read_turns(path: Path, recording: str = "", duration_s: float | None = None) -> tuple[Segment, ...]:
    """Return the speaker turns in a file as segments without predictions, sorted by start time.

    Args:
        path: a file with one of the `SUFFIXES`.
        recording: path of the audio; selects its turns in a file with the turns of several recordings.
        duration_s: duration of the recording, which the turns are checked against; None if it is unknown.

    Raises:
        InputError: as `read_turns_file`; or a turn is invalid.
    """
    file = read_turns_file(path, recording, duration_s)
    if file.invalid:
        raise InputError(format_errors(str(path), file.invalid, "turns"))
    return file.turns


def read_turns_file(path: Path, recording: str = "", duration_s: float | None = None) -> TurnsFile:
    """Return the valid speaker turns in a file, and the faults of the others.

    A turn may start or end up to 0.5 s outside the recording; what is outside is cut off.

    Args:
        path: a file with one of the `SUFFIXES`.
        recording: path of the audio; selects its turns in a file with the turns of several recordings.
        duration_s: duration of the recording, which the turns are checked against; None if it is unknown.

    Raises:
        InputError: the file cannot be read, has another format, has no valid turn, or a turn that is beyond the end of
            the recording. The message names the file, the position and the fault.
    """
    return read_labelled_turns(path, recording, duration_s).file


def read_labelled_turns(path: Path, recording: str = "", duration_s: float | None = None) -> LabelledTurns:
    """Return what `read_turns_file` does, with the labels of the turns and hints; arguments and errors are the same."""
    _check_arguments(path, recording, duration_s)
    path = Path(path)
    content = _read(path)
    module = import_module(f"{__name__}.{_find_format(path).module}")
    try:
        parsed = list(module.parse(content, recording))
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error
    hints = tuple(turn.hint for turn in parsed if turn.hint)
    parsed = [turn for turn in parsed if not turn.hint]
    faults = [_find_fault(turn) for turn in parsed]
    valid = [turn for turn, fault in zip(parsed, faults, strict=True) if not fault]
    invalid = [f"{turn.position}: {fault}" for turn, fault in zip(parsed, faults, strict=True) if fault]
    if not valid:
        raise InputError(format_errors(str(path), invalid, "turns") if invalid else f"{path}: contains no turn")
    _check_fit(path, valid, duration_s, recording)
    found = [(_to_segment(turn, duration_s), turn.position, parse_given_label(turn)) for turn in valid]
    found.sort(key=lambda item: (item[0].start_s, item[0].end_s))
    segments, positions, labels = zip(*found, strict=True)
    has_labels = any(turn.label for turn in valid)
    return LabelledTurns(TurnsFile(segments, positions, tuple(invalid)), labels if has_labels else (), hints)


def _check_arguments(path: object, recording: object, duration_s: Any) -> None:
    if not isinstance(path, str | os.PathLike) or "\0" in os.fspath(path):
        raise InputError(f"turns: expected the path of a file, got {path!r:.80}")
    if not isinstance(recording, str | os.PathLike):
        raise InputError(f"{path}: expected the path of the recording, got {recording!r:.80}")
    is_number = isinstance(duration_s, numbers.Real)
    if duration_s is not None and not (is_number and 0 < duration_s < MAX_DURATION_S):
        raise InputError(f"{path}: expected the duration of the recording in seconds, got {duration_s!r:.80}")


def _find_format(path: Path) -> TurnFormat:
    suffix = path.suffix.lower()
    for row in TURN_FORMATS.values():
        if suffix in map(str.lower, row.suffixes):
            return row
    if suffix in AUDIO_SUFFIXES:
        remedy = "this is a recording: name the file of its turns"
    else:
        known = {name.lower(): name for name in SUFFIXES}
        similar = difflib.get_close_matches(suffix, known, n=1, cutoff=MIN_SIMILARITY)
        remedy = f"did you mean '{known[similar[0]]}'?" if similar else "export the turns in one of these formats"
    raise InputError(
        f"{path}: turns are read from {', '.join(SUFFIXES)}, and the suffix of the file says which; {remedy}"
    )


def _read(path: Path) -> bytes:
    try:
        if is_special(path) or path.is_dir():  # opening a pipe without a writer would wait forever
            raise InputError(f"{path}: is not a regular file; write the turns to a file")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: the turns cannot be read: {reason}") from error


def _find_fault(turn: Turn) -> str:
    """Return why a turn cannot be used; "" if it can."""
    if turn.error:
        return turn.error
    span = _span(turn)
    if not math.isfinite(turn.end_s - turn.start_s):
        return f"{span} is not finite"
    if turn.end_s < turn.start_s:
        return f"{span} ends before it starts"
    if turn.end_s - turn.start_s < MIN_TURN_S - 1e-9:
        return f"{span} is empty"
    if turn.start_s < -TURN_TOLERANCE_S or turn.end_s < MIN_TURN_S:
        return f"{span} starts before the recording"
    return ""


def _span(turn: Turn) -> str:
    return f"the turn from {turn.start_s:.10g} to {turn.end_s:.10g} s"


def _check_fit(path: Path, turns: list[Turn], duration_s: float | None, recording: str) -> None:
    """Check that no turn is beyond the end of the recording."""
    beyond = [turn for turn in turns if duration_s is not None and is_beyond(turn.start_s, turn.end_s, duration_s)]
    if beyond:
        end = f"beyond the end of {recording or 'the recording'} at {duration_s:.3f} s"
        faults = [f"{turn.position}: {_span(turn)} is {end}" for turn in beyond]
        question = "are these the turns of another recording, or are its times not in seconds?"
        raise InputError(f"{format_errors(str(path), faults, 'turns')}; {question}")


def _to_segment(turn: Turn, duration_s: float | None) -> Segment:
    start_s, end_s = max(turn.start_s, 0.0), turn.end_s
    return Segment(start_s, end_s if duration_s is None else min(end_s, duration_s), None, turn.speaker, turn.text)
