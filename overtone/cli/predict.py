"""`overtone predict PATH...`: one prediction per audio file, in a format of `overtone.formats`.

Files that cannot be recognised are reported on stderr and the others are still processed; the exit code is then 1.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from overtone.audio.discovery import find_audio_files
from overtone.channels import Channel
from overtone.cli.errors import print_error
from overtone.cli.options import channel_argument, load_recogniser, recogniser_arguments, threads_argument
from overtone.cli.output import choose_format, format_argument, is_device, open_device
from overtone.datatypes import Prediction
from overtone.errors import AudioError, OvertoneError
from overtone.formats import PREDICTION_FORMATS, get_format, save
from overtone.inference.recogniser import Recogniser


def predict_arguments(parser: argparse.ArgumentParser) -> None:
    """Add PATH..., --format, --output, --channel and the options of the recogniser."""
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="an audio file, or a folder that is searched for audio files"
    )
    format_argument(parser, PREDICTION_FORMATS)
    parser.add_argument(
        "--output", metavar="FILE", type=Path, help="write the predictions atomically to this file (default: stdout)"
    )
    recogniser_arguments(parser)
    channel_argument(parser)
    threads_argument(parser)


def predict(args: argparse.Namespace) -> int:
    """Write a prediction for every file; return 1 if a file could not be recognised."""
    format_name = choose_format(args.format, args.output, PREDICTION_FORMATS)
    recogniser, skipped_clips = load_recogniser(args, args.threads, args.channel)
    sources = [source for path in args.paths for source in find_audio_files(path)]
    failures: list[OvertoneError] = []
    predictions = _predictions(recogniser, sources, args.channel, failures)
    if args.output is None:
        get_format(format_name).write(predictions, sys.stdout)
    elif is_device(args.output):
        with open_device(args.output) as stream:
            get_format(format_name).write(predictions, stream)
    else:
        save(_with_progress(predictions, len(sources)), args.output, format_name)
    if failures:
        print_error(f"{len(failures)} of {len(sources)} could not be recognised")
    return 1 if failures or skipped_clips else 0


def _predictions(
    recogniser: Recogniser, sources: list[Path | AudioError], channel: Channel, failures: list[OvertoneError]
) -> Iterator[Prediction]:
    """Yield the predictions in order; print every failure on stderr and append it to `failures`."""
    for source in sources:
        results = [source] if isinstance(source, AudioError) else recogniser.recognise_many([source], channel=channel)
        for result in results:
            if isinstance(result, Prediction):
                yield result
                continue
            failures.append(result)
            sys.stdout.flush()
            print_error(str(result))


def _with_progress(predictions: Iterator[Prediction], total: int) -> Iterator[Prediction]:
    from tqdm import tqdm

    return iter(tqdm(predictions, total=total, unit=" files", disable=None))
