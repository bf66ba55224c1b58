"""Options of all commands that recognise: model, classes, branches, speaker adaptation, threshold and threads."""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

from overtone.audio.discovery import find_audio_files
from overtone.channels import MIX, Channel
from overtone.cli.argtypes import channel, channel_names, fraction, names, positive_int
from overtone.cli.errors import UsageError, print_error, usage_errors
from overtone.each_channel import EACH, ChannelChoice, choose_channels
from overtone.errors import OvertoneError
from overtone.inference.bundled_models import DEFAULT, NAMES
from overtone.inference.recogniser import Recogniser, load


def recogniser_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --model, --emotions, --branches, --reference and --uncertain-below."""
    model_argument(parser)
    selection_arguments(parser)
    parser.add_argument(
        "--reference", metavar="PATH", action="append", default=[],
        help="an audio file of the same speaker or the same recordings, without labels, or a folder of such files: the "
        "model adapts to them; ten or more clips with different emotions work best; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--uncertain-below", metavar="X", type=fraction,
        help="mark predictions with a confidence below X, from 0 to 1, as uncertain (default: the threshold in the "
        "model card)",
    )  # fmt: skip


def model_argument(parser: argparse.ArgumentParser) -> None:
    """Add --model."""
    parser.add_argument(
        "--model", metavar="NAME|FILE", type=Path,
        help=f"the model to use: a bundled one, {' or '.join(NAMES)}, or a model file (default: {DEFAULT})",
    )  # fmt: skip


def selection_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --emotions and --branches."""
    parser.add_argument(
        "--emotions", metavar="NAMES", type=names,
        help="predict one of these classes only, separated by commas, such as neutral,happy,sad,angry; calm and bored "
        "count to neutral unless they are named; a class with a comma or blank is in double quotes (default: all "
        "classes of the model)",
    )  # fmt: skip
    parser.add_argument(
        "--branches", metavar="NAMES", type=names,
        help="predict with these branches of the model only, separated by commas, such as mel,prosody of the "
        "model lite (default: all)",
    )  # fmt: skip


def no_adapt_argument(parser: argparse.ArgumentParser) -> None:
    """Add --no-adapt."""
    parser.add_argument(
        "--no-adapt", action="store_true",
        help="do not adapt a recording to itself (default: to each speaker of --turns, or to the whole recording)",
    )  # fmt: skip


def channel_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --channel and --channel-names."""
    parser.add_argument(
        "--channel", metavar="left|right|N|mix|each", type=channel, default=MIX,
        help="the channel of the recordings, and of the clips of --reference, to use: left or right of two, such as "
        "one side of a telephone call, a number from 1, mix, the mean of all, or each: every channel is a speaker "
        "(default: mix)",
    )  # fmt: skip
    parser.add_argument(
        "--channel-names", metavar="NAMES", type=channel_names, default=(),
        help="names of the channels for --channel each, in their order, separated by commas, such as agent,customer; a "
        "name with a comma is in double quotes (default: left,right of two, else their numbers)",
    )  # fmt: skip


def channel_choice(args: argparse.Namespace) -> ChannelChoice:
    """Return the channels selected by `channel_arguments`.

    Raises:
        UsageError: there are names for one channel, or reference clips for all channels.
    """
    if args.channel_names and args.channel != EACH:
        raise UsageError(f"--channel-names: needs --channel {EACH}; add it, or leave the names out")
    if args.reference and args.channel == EACH:
        raise UsageError(
            f"--reference: cannot be combined with --channel {EACH}, whose channels are different speakers; choose one"
        )
    return choose_channels(args.channel, args.channel_names)


def threads_argument(parser: argparse.ArgumentParser) -> None:
    """Add --threads."""
    parser.add_argument("--threads", metavar="N", type=positive_int, default=1, help="CPU threads to use (default: 1)")


def load_recogniser(args: argparse.Namespace, threads: int = 1, channel: Channel = MIX) -> tuple[Recogniser, int]:
    """Return the recogniser selected by `recogniser_arguments`, and the number of reference clips that were skipped.

    Args:
        args: the parsed arguments.
        threads: CPU threads for one audio file.
        channel: channel of the reference clips.
    """
    on_error = SkippedClips()
    with usage_errors():
        recogniser = load(
            args.model,
            threads=threads,
            uncertain_below=args.uncertain_below,
            emotions=args.emotions,
            branches=args.branches,
        )
    if args.reference:
        recogniser = recogniser.adapt(collect_clips(args.reference, on_error), on_error, channel=channel)
    return recogniser, on_error.count


class SkippedClips:
    """An error handler that prints which reference clips cannot be used, and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, error: OvertoneError) -> None:
        """Print and count one skipped clip."""
        self.count += 1
        print_error(f"skipped reference clip: {error}")


def collect_clips(paths: Iterable[str], on_error: Callable[[OvertoneError], None]) -> list[Path]:
    """Return the audio files at these paths and in these folders.

    Args:
        paths: files and folders.
        on_error: called with an error for each path that cannot be searched.
    """
    clips = []
    for source in (source for path in paths for source in find_audio_files(path)):
        if isinstance(source, OvertoneError):
            on_error(source)
        else:
            clips.append(source)
    return clips
