"""What commands that recognise have in common: which model, adapted to whom, how sure it must be, on how many cores."""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

from overtone.audio.discovery import find_audio_files
from overtone.cli.argtypes import at_least_one, share
from overtone.cli.errors import print_error
from overtone.errors import OvertoneError
from overtone.inference.recogniser import Recogniser, load


def recogniser_arguments(parser: argparse.ArgumentParser) -> None:
    """--model --adapt-from --uncertain-below."""
    parser.add_argument("--model", metavar="FILE", type=Path, help="a model file; without it, the one of the package")
    parser.add_argument(
        "--adapt-from", metavar="PATH", action="append", default=[],
        help="unlabelled clips of the one who speaks, or a folder of them: ten or more in different moods",
    )  # fmt: skip
    parser.add_argument(
        "--uncertain-below",
        metavar="X",
        type=share,
        help="confidence from 0 to 1 under which an answer is called uncertain; without it, as the model's card says",
    )


def threads_argument(parser: argparse.ArgumentParser) -> None:
    """--threads."""
    parser.add_argument("--threads", metavar="N", type=at_least_one, default=1, help="cores to use (default: 1)")


def load_recogniser(args: argparse.Namespace, threads: int = 1) -> tuple[Recogniser, int]:
    """The recogniser that `recogniser_arguments` ask for, and how many clips to adapt to had to be left out.

    Args:
        args: as parsed.
        threads: cores to use for one sound.
    """
    recogniser, leave_out = load(args.model, threads=threads, uncertain_below=args.uncertain_below), SkippedClips()
    if args.adapt_from:
        recogniser = recogniser.adapt(clips_in(args.adapt_from, leave_out), on_error=leave_out)
    return recogniser, leave_out.count


class SkippedClips:
    """Names clips that are not adapted to on stderr, and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, error: OvertoneError) -> None:
        """One more."""
        self.count += 1
        print_error(f"not adapted to: {error}")


def clips_in(paths: Iterable[str], leave_out: Callable[[OvertoneError], None]) -> list[Path]:
    """The sound files that are named, or lie in folders that are; what cannot be searched goes to `leave_out`."""
    clips = []
    for source in (source for path in paths for source in find_audio_files(path)):
        if isinstance(source, OvertoneError):
            leave_out(source)
        else:
            clips.append(source)
    return clips
