"""The options of speaker turns: --turns, --keep-labels, --strict and --words."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from overtone.audio.blocks import measure_duration
from overtone.audio.source import Source
from overtone.cli.errors import print_error
from overtone.emotions import EMOTIONS, order_classes, similar_emotion
from overtone.errors import InputError, OptionError, format_errors
from overtone.formats.table import printable
from overtone.formats.whisperx import Original
from overtone.speaker_turns import SUFFIXES, TurnsFile, read_labelled_turns
from overtone.speaker_turns.given_labels import GivenLabel
from overtone.speaker_turns.json_turns import find_turns, parse_json
from overtone.timeline import Segment

WORDS_FORMAT = "whisperx"


class GivenTurns(NamedTuple):
    """The speaker turns of a recording.

    Attributes:
        segments: the turns; None if there are none.
        invalid: how many turns were left out.
        original: the JSON document they come from, for `--format whisperx`; None if they come from elsewhere.
        labels: the label of each turn, with --keep-labels; else None.
    """

    segments: Sequence[Segment] | None = None
    invalid: int = 0
    original: Original | None = None
    labels: Sequence[GivenLabel] | None = None


def turns_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --turns, --keep-labels, --strict and --words."""
    parser.add_argument(
        "--turns", metavar="FILE", type=Path,
        help=f"a file of speaker turns ({', '.join(SUFFIXES)}): one prediction per turn (default: split the recording "
        "where the emotion changes)",
    )  # fmt: skip
    parser.add_argument(
        "--keep-labels", action="store_true",
        help="keep the labels of a TextGrid or ELAN file that this command wrote and a person corrected, where they "
        "differ from the predictions, and report how often person and model agree",
    )  # fmt: skip
    parser.add_argument(
        "--strict", action="store_true",
        help="refuse a file of turns with an invalid turn (default: report it, and recognise the others)",
    )  # fmt: skip
    parser.add_argument(
        "--words", action="store_true",
        help=f"add an emotion to each word of the JSON given by --turns (with --format {WORDS_FORMAT})",
    )  # fmt: skip


def check_turns_options(args: argparse.Namespace, recordings: int, format_name: str) -> None:
    """Check that the options of turns go together.

    Raises:
        OptionError: they do not.
    """
    if args.turns is not None and recordings > 1:
        raise OptionError(f"--turns {args.turns}: needs exactly one recording, got {recordings}")
    if args.strict and args.turns is None:
        raise OptionError("--strict: concerns speaker turns; name their file with --turns")
    if args.keep_labels and args.turns is None:
        raise OptionError("--keep-labels: concerns speaker turns; name their file with --turns")
    if args.words and (format_name != WORDS_FORMAT or args.turns is None):
        raise OptionError(f"--words: needs --format {WORDS_FORMAT}, and --turns with JSON of WhisperX")


def read_given_turns(args: argparse.Namespace, source: Path, recording: Source, format_name: str) -> GivenTurns:
    """Return the speaker turns of a recording; invalid ones are reported on stderr.

    Args:
        args: the parsed arguments.
        source: path of the recording, whose name selects its turns in a file of several recordings.
        recording: the file, or the content of a pipe.
        format_name: of the output.

    Raises:
        InputError: as `read_turns_file`; or a turn is invalid, with --strict.
    """
    if args.turns is None:
        return GivenTurns()
    read, labels, hints = read_labelled_turns(args.turns, str(source), measure_duration(recording))
    if args.keep_labels:
        hints = (*hints, *_label_hints(labels))
    for hint in hints:
        print(printable(f"hint: {args.turns}: {hint}"), file=sys.stderr)
    if args.keep_labels:
        _check_labels(args.turns, labels)
    if read.invalid:
        message = format_errors(str(args.turns), read.invalid, "turns")
        if args.strict:
            raise InputError(message)
        print_error(f"{message}\n  left out; the other turns are used")
    original = _read_original(args.turns, read) if format_name == WORDS_FORMAT else None
    if args.words and original is None:
        raise InputError(f"{args.turns}: --words needs JSON of WhisperX")
    return GivenTurns(read.turns, len(read.invalid), original, labels if args.keep_labels else None)


def _check_labels(path: Path, labels: Sequence[GivenLabel]) -> None:
    """Check that a file of turns has labels.

    Raises:
        InputError: it has none, or one that cannot be used.
    """
    if not labels:
        raise InputError(
            f"{path}: --keep-labels needs a TextGrid or ELAN file with the tiers of 'overtone timeline', such as "
            "'emotion'; this file has no labels"
        )
    faults = [label.fault for label in labels if label.fault]
    if faults:
        raise InputError(format_errors(str(path), faults, "labels"))


def _label_hints(labels: Sequence[GivenLabel]) -> Iterator[str]:
    """Yield a hint for each label that may be a typing error."""
    for name in order_classes(label.name for label in labels if label.name):
        similar = None if name in EMOTIONS else similar_emotion(name)
        if similar:
            yield f"the label '{name}' is a class of its own; did you mean '{similar}'?"


def _read_original(path: Path, read: TurnsFile) -> Original | None:
    """Return the JSON document that turns come from; None if they come from another format, or from JSON Lines."""
    document = parse_json(path)
    turns = find_turns(document)
    if turns is None:
        return None
    return Original(document, turns, [turns[int(position.split()[1]) - 1] for position in read.positions])
