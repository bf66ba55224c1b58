"""`overtone predict PATH...`: files and folders -> one answer per file, in one of the forms of `overtone.outputs`.

A file that cannot be recognised is named on stderr and the others are still answered; the exit code is then 1.
"""

import argparse
import math
import sys
from collections.abc import Iterator
from pathlib import Path

from overtone.audio.search import sound_files
from overtone.errors import AudioError, OvertoneError
from overtone.outputs import FORMS, form_named, save
from overtone.tasks.recognise import Recogniser, load
from overtone.ui.message import complain
from overtone.values import Answer

DEFAULT_FORM = "table"


def predict_arguments(parser: argparse.ArgumentParser) -> None:
    """PATH... --model --adapt-from --form --output --uncertain-below --threads."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a sound file, or a folder to search for them")
    parser.add_argument("--model", metavar="FILE", type=Path, help="a model file; without it, the one of the package")
    parser.add_argument(
        "--adapt-from", metavar="PATH", action="append", default=[],
        help="unlabelled clips of the one who speaks, or a folder of them: ten or more in different moods",
    )  # fmt: skip
    parser.add_argument(
        "--form",
        choices=sorted(FORMS),
        help=f"of the answers; without it, as the suffix of --output says, else {DEFAULT_FORM}",
    )
    parser.add_argument(
        "--output", metavar="FILE", type=Path, help="write there, whole or not at all, instead of stdout"
    )
    parser.add_argument(
        "--uncertain-below",
        metavar="X",
        type=_share,
        help="confidence from 0 to 1 under which an answer is called uncertain; without it, as the model's card says",
    )
    parser.add_argument("--threads", metavar="N", type=_at_least_one, default=1, help="cores per file (default: 1)")


def predict(args: argparse.Namespace) -> int:
    """Answers for all files; 1 where one could not be recognised."""
    form = args.form or _form_of(args.output)
    recogniser = load(args.model, threads=args.threads, uncertain_below=args.uncertain_below)
    left_out = 0
    if args.adapt_from:
        recogniser, left_out = _adapted(recogniser, args.adapt_from)
    found = [source for path in args.paths for source in sound_files(path)]
    failures: list[OvertoneError] = []
    if args.output is None:
        form_named(form).write(_answers(recogniser, found, failures), sys.stdout)
    elif args.output.exists() and not args.output.is_file() and not args.output.is_dir():
        _write_to_device(_answers(recogniser, found, failures), args.output, form)
    else:
        save(_with_progress(_answers(recogniser, found, failures), len(found)), args.output, form)
    if failures:
        complain(f"{len(failures)} of {len(found)} could not be recognised")
    return 1 if failures or left_out else 0


def _adapted(recogniser: Recogniser, paths: list[str]) -> tuple[Recogniser, int]:
    """The model for the speaker of these clips, and how many of them had to be left out; each is named on stderr."""
    left_out: list[OvertoneError] = []

    def leave_out(error: OvertoneError) -> None:
        left_out.append(error)
        complain(f"not adapted to: {error}")

    clips = []
    for source in (source for path in paths for source in sound_files(path)):
        if isinstance(source, AudioError):
            leave_out(source)
        else:
            clips.append(source)
    return recogniser.adapt(clips, on_error=leave_out), len(left_out)


def _answers(recogniser: Recogniser, found: list[Path | AudioError], failures: list[OvertoneError]) -> Iterator[Answer]:
    """The answers in order; failures are named on stderr and kept."""
    for source in found:
        results = [source] if isinstance(source, AudioError) else recogniser.recognise_many([source])
        for result in results:
            if isinstance(result, Answer):
                yield result
                continue
            failures.append(result)
            sys.stdout.flush()
            complain(str(result))


def _write_to_device(answers: Iterator[Answer], device: Path, form: str) -> None:
    try:
        with device.open("w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
            form_named(form).write(answers, stream)
    except OSError as error:
        error.filename = error.filename or str(device)
        raise


def _with_progress(answers: Iterator[Answer], total: int) -> Iterator[Answer]:
    from tqdm import tqdm

    return iter(tqdm(answers, total=total, unit=" files", disable=None))


def _form_of(output: Path | None) -> str:
    suffix = "" if output is None else output.suffix.lower().removeprefix(".")
    return suffix if suffix in FORMS else DEFAULT_FORM


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text!r}")
    return share


def _at_least_one(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)
