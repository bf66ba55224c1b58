"""`overtone predict PATH...`: one prediction per audio file, in a format of `overtone.formats`.

Files that cannot be recognised are reported on stderr and the others are still processed; the exit code is then 1.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from overtone.audio.discovery import find_audio_files
from overtone.cli.errors import print_error
from overtone.cli.options import (
    channel_arguments,
    channel_choice,
    load_recogniser,
    recogniser_arguments,
    threads_argument,
)
from overtone.cli.output import (
    check_dialect,
    check_output_suffix,
    choose_format,
    dialect_argument,
    format_argument,
    is_device,
    open_device,
)
from overtone.datatypes import Prediction
from overtone.each_channel import ChannelChoice
from overtone.errors import AudioError
from overtone.formats import PREDICTION_FORMATS, dialect_option, get_format, save
from overtone.inference.recogniser import Recogniser


def predict_arguments(parser: argparse.ArgumentParser) -> None:
    """Add PATH..., --format, --csv-dialect, --output, --channel, --channel-names and the options of the recogniser."""
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="an audio file, or a folder that is searched for audio files"
    )
    format_argument(parser, PREDICTION_FORMATS)
    dialect_argument(parser)
    parser.add_argument(
        "--output", metavar="FILE", type=Path, help="write the predictions atomically to this file (default: stdout)"
    )
    recogniser_arguments(parser)
    channel_arguments(parser)
    threads_argument(parser)


def predict(args: argparse.Namespace) -> int:
    """Write a prediction for every file; return 1 if a file could not be recognised."""
    format_name = choose_format(args.format, args.output, PREDICTION_FORMATS)
    check_output_suffix(args.format, args.output, PREDICTION_FORMATS)
    check_dialect(args.csv_dialect, format_name, PREDICTION_FORMATS)
    options = dialect_option(format_name, args.csv_dialect)
    choice = channel_choice(args)
    recogniser, skipped_clips = load_recogniser(args, args.threads, args.channel)
    sources = [source for path in args.paths for source in find_audio_files(path)]
    counts = Counter[str]()
    predictions = _predictions(recogniser, sources, choice, counts)
    if args.output is None:
        get_format(format_name).write(predictions, sys.stdout, **options)
    elif is_device(args.output):
        with open_device(args.output) as stream:
            get_format(format_name).write(predictions, stream, **options)
    else:
        shown = _with_progress(predictions, None if choice.is_each else len(sources))
        save(shown, args.output, format_name, dialect=args.csv_dialect)
    if counts["failures"]:
        print_error(f"{counts['failures']} of {counts.total()} could not be recognised")
    return 1 if counts["failures"] or skipped_clips else 0


def _predictions(
    recogniser: Recogniser, sources: list[Path | AudioError], choice: ChannelChoice, counts: Counter[str]
) -> Iterator[Prediction]:
    """Yield the predictions in order and count them; print every failure on stderr and count it too."""
    recognise = partial(recogniser.recognise_many, channel=choice.channel, channel_names=choice.names)
    for source in sources:
        for result in [source] if isinstance(source, AudioError) else recognise([source]):
            if isinstance(result, Prediction):
                counts["predictions"] += 1
                yield result
                continue
            counts["failures"] += 1
            sys.stdout.flush()
            print_error(str(result))


def _with_progress(predictions: Iterator[Prediction], total: int | None) -> Iterator[Prediction]:
    from tqdm import tqdm

    return iter(tqdm(predictions, total=total, unit=" predictions" if total is None else " files", disable=None))
