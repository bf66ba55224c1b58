"""`overtone predict PATH...`: files and folders -> one answer per file, in one of the forms of `overtone.formats`.

A file that cannot be recognised is named on stderr and the others are still answered; the exit code is then 1.
"""

import argparse
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from overtone.audio.discovery import find_audio_files
from overtone.cli.errors import print_error
from overtone.cli.options import load_recogniser, recogniser_arguments, threads_argument
from overtone.datatypes import Prediction
from overtone.errors import AudioError, OvertoneError
from overtone.formats import FORMATS, get_format, save
from overtone.inference.recogniser import Recogniser

DEFAULT_FORM = "table"


def predict_arguments(parser: argparse.ArgumentParser) -> None:
    """PATH... --format --output --model --adapt-from --uncertain-below --threads."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a sound file, or a folder to search for them")
    parser.add_argument(
        "--format",
        choices=sorted(FORMATS),
        help=f"of the answers; without it, as the suffix of --output says, else {DEFAULT_FORM}",
    )
    parser.add_argument(
        "--output", metavar="FILE", type=Path, help="write there, whole or not at all, instead of stdout"
    )
    recogniser_arguments(parser)
    threads_argument(parser)


def predict(args: argparse.Namespace) -> int:
    """Answers for all files; 1 where one could not be recognised."""
    form = args.format or _form_of(args.output)
    recogniser, left_out = load_recogniser(args, args.threads)
    found = [source for path in args.paths for source in find_audio_files(path)]
    failures: list[OvertoneError] = []
    if args.output is None:
        get_format(form).write(_answers(recogniser, found, failures), sys.stdout)
    elif is_device(args.output):
        with opened_device(args.output) as stream:
            get_format(form).write(_answers(recogniser, found, failures), stream)
    else:
        save(_with_progress(_answers(recogniser, found, failures), len(found)), args.output, form)
    if failures:
        print_error(f"{len(failures)} of {len(found)} could not be recognised")
    return 1 if failures or left_out else 0


def _answers(
    recogniser: Recogniser, found: list[Path | AudioError], failures: list[OvertoneError]
) -> Iterator[Prediction]:
    """The answers in order; failures are named on stderr and kept."""
    for source in found:
        results = [source] if isinstance(source, AudioError) else recogniser.recognise_many([source])
        for result in results:
            if isinstance(result, Prediction):
                yield result
                continue
            failures.append(result)
            sys.stdout.flush()
            print_error(str(result))


def is_device(path: Path) -> bool:
    """Whether it is there, and neither a file nor a folder: what `write_bytes` must not put a file in the place of."""
    return path.exists() and not path.is_file() and not path.is_dir()


@contextlib.contextmanager
def opened_device(device: Path) -> Iterator[TextIO]:
    """A device or pipe to write text to; its errors name it."""
    try:
        with device.open("w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
            yield stream
    except OSError as error:
        error.filename = error.filename or str(device)
        raise


def _with_progress(answers: Iterator[Prediction], total: int) -> Iterator[Prediction]:
    from tqdm import tqdm

    return iter(tqdm(answers, total=total, unit=" files", disable=None))


def _form_of(output: Path | None) -> str:
    suffix = "" if output is None else output.suffix.lower().removeprefix(".")
    return suffix if suffix in FORMATS else DEFAULT_FORM
