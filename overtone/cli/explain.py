"""`overtone explain PATH...`: which seconds, frequencies and properties of the speech made each prediction.

Files that cannot be explained are reported on stderr and the others are still processed; the exit code is then 1.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from overtone._internal.atomic_write import write_bytes
from overtone.audio.discovery import find_audio_files
from overtone.channels import MIX
from overtone.cli.argtypes import seconds, single_channel
from overtone.cli.errors import UsageError, print_error, usage_errors
from overtone.cli.options import load_recogniser, recogniser_arguments, threads_argument
from overtone.cli.output import check_output_suffix, choose_format, is_device, open_device
from overtone.emotions import find_class, suggest_emotion
from overtone.errors import OvertoneError
from overtone.explanation import Explanation
from overtone.formats import EXPLANATION_FORMATS, to_bytes
from overtone.inference.recogniser import Recogniser

DEFAULT_FORMAT = "text"
PICTURES = ("png", "svg")


def explain_arguments(parser: argparse.ArgumentParser) -> None:
    """Add PATH..., --emotion, --start, --end, --channel, the output options and those of the recogniser."""
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="an audio file, or a folder that is searched for audio files"
    )
    parser.add_argument("--emotion", metavar="NAME", help="the class to explain (default: the predicted one)")
    parser.add_argument(
        "--start", metavar="S", type=seconds, default=0.0,
        help="start of the part to explain in seconds, such as that of a segment of a timeline (default: 0)",
    )  # fmt: skip
    parser.add_argument(
        "--end", metavar="S", type=seconds,
        help="end of the part in seconds; at most 30 s are explained at once (default: the end of the recording)",
    )  # fmt: skip
    parser.add_argument(
        "--channel", metavar="left|right|N|mix", type=single_channel, default=MIX,
        help="the channel of the recordings, and of the clips of --reference, to use (default: mix, the mean of all)",
    )  # fmt: skip
    parser.add_argument(
        "--format", choices=sorted(EXPLANATION_FORMATS),
        help=f"the output format (default: chosen by the suffix of --output, else {DEFAULT_FORMAT})",
    )  # fmt: skip
    parser.add_argument(
        "--output", metavar="FILE", type=Path, help="write the explanations atomically to this file (default: stdout)"
    )
    recogniser_arguments(parser)
    threads_argument(parser)


def explain(args: argparse.Namespace) -> int:
    """Write an explanation of the prediction for every file; return 1 if a file could not be explained."""
    format_name = choose_format(args.format, args.output, EXPLANATION_FORMATS, DEFAULT_FORMAT)
    check_output_suffix(args.format, args.output, EXPLANATION_FORMATS)
    if args.end is not None and args.end <= args.start:
        raise UsageError(f"--end: {args.end:g} s is not after --start, {args.start:g} s")
    sources = [source for path in args.paths for source in find_audio_files(path)]
    if format_name in PICTURES and len(sources) > 1:
        raise UsageError(f"--format {format_name}: a picture shows one clip; name one, or choose --format html")
    recogniser, skipped_clips = load_recogniser(args, args.threads, args.channel)
    with usage_errors():
        _check_emotion(args.emotion, recogniser)
    failures: list[OvertoneError] = []
    explanations = _explanations(recogniser, sources, args, failures)
    _write(explanations, format_name, args.output)
    if failures:
        print_error(f"{len(failures)} of {len(sources)} could not be explained")
    return 1 if failures or skipped_clips else 0


def _check_emotion(emotion: str | None, recogniser: Recogniser) -> None:
    if emotion is not None and find_class(emotion, recogniser.emotions) is None:
        raise UsageError(
            f"--emotion: the model has no class '{emotion}'{suggest_emotion(emotion, recogniser.emotions)}"
        )


def _explanations(
    recogniser: Recogniser,
    sources: Sequence[Path | OvertoneError],
    args: argparse.Namespace,
    failures: list[OvertoneError],
) -> Iterator[Explanation]:
    """Yield the explanations in order; print every failure on stderr and add it to `failures`."""
    for source in sources:
        try:
            if isinstance(source, OvertoneError):
                raise source
            yield recogniser.explain(
                source, emotion=args.emotion, channel=args.channel, start_s=args.start, end_s=args.end
            )
        except OvertoneError as error:
            failures.append(error)
            sys.stdout.flush()
            print_error(str(error))


def _write(explanations: Iterator[Explanation], format_name: str, output: Path | None) -> None:
    row = EXPLANATION_FORMATS[format_name]
    if output is None:
        row.write(explanations, sys.stdout)
    elif is_device(output):
        with open_device(output) as stream:
            row.write(explanations, stream)
    else:
        content = to_bytes(lambda stream: row.write(explanations, stream))
        if content:
            write_bytes(output, content)
