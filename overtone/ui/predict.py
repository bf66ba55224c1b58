"""`overtone predict PATH...`: files and folders -> one answer per file, in one of the forms of `overtone.outputs`.

A file that cannot be recognised is named on stderr and the others are still answered; the exit code is then 1.
"""

import argparse
import contextlib
import math
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from overtone.audio.container import FOREIGN_SUFFIXES
from overtone.audio.read import SUFFIXES
from overtone.errors import AudioError, OvertoneError
from overtone.outputs import FORMS, form_named, save
from overtone.tasks.recognise import Recogniser, load
from overtone.ui.message import complain
from overtone.values import Answer

DEFAULT_FORM = "table"
SOUND_SUFFIXES = SUFFIXES | FOREIGN_SUFFIXES


def predict_arguments(parser: argparse.ArgumentParser) -> None:
    """PATH... --model --adapt-from --form --output --uncertain-below --threads."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a sound file, or a folder to search for them")
    model_arguments(parser)
    parser.add_argument(
        "--form",
        choices=sorted(FORMS),
        help=f"of the answers; without it, as the suffix of --output says, else {DEFAULT_FORM}",
    )
    parser.add_argument(
        "--output", metavar="FILE", type=Path, help="write there, whole or not at all, instead of stdout"
    )


def model_arguments(parser: argparse.ArgumentParser) -> None:
    """--model --adapt-from --uncertain-below --threads: which recogniser, for every command that asks one."""
    parser.add_argument("--model", metavar="FILE", type=Path, help="a model file; without it, the one of the package")
    parser.add_argument(
        "--adapt-from", metavar="PATH", action="append", default=[],
        help="unlabelled clips of the one who speaks, or a folder of them: ten or more in different moods",
    )  # fmt: skip
    parser.add_argument(
        "--uncertain-below",
        metavar="X",
        type=_share,
        help="confidence from 0 to 1 under which an answer is called uncertain; without it, as the model's card says",
    )
    parser.add_argument("--threads", metavar="N", type=_at_least_one, default=1, help="cores to use (default: 1)")


def predict(args: argparse.Namespace) -> int:
    """Answers for all files; 1 where one could not be recognised."""
    form = args.form or _form_of(args.output)
    recogniser, left_out = recogniser_of(args, args.threads)
    found = [source for path in args.paths for source in sound_files(path)]
    failures: list[OvertoneError] = []
    if args.output is None:
        form_named(form).write(_answers(recogniser, found, failures), sys.stdout)
    elif is_device(args.output):
        with opened_device(args.output) as stream:
            form_named(form).write(_answers(recogniser, found, failures), stream)
    else:
        save(_with_progress(_answers(recogniser, found, failures), len(found)), args.output, form)
    if failures:
        complain(f"{len(failures)} of {len(found)} could not be recognised")
    return 1 if failures or left_out else 0


def recogniser_of(args: argparse.Namespace, threads: int = 1) -> tuple[Recogniser, int]:
    """The recogniser that `model_arguments` ask for, and how many clips to adapt to had to be left out.

    Args:
        args: as parsed.
        threads: cores to use for one sound.
    """
    recogniser = load(args.model, threads=threads, uncertain_below=args.uncertain_below)
    return _adapted(recogniser, args.adapt_from) if args.adapt_from else (recogniser, 0)


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


def sound_files(path: str) -> Iterator[Path | AudioError]:
    """The file itself, or every sound file in a folder and below, sorted; an error for what cannot be searched.

    What counts in a folder is the suffix, and sound of kinds that are not read here counts too: it is refused by name.
    Links to folders are followed, each folder is searched once. Hidden files and folders are passed over.
    """
    if not path:
        yield AudioError("'': an empty name; give the name of a sound file or a folder")
        return
    if not Path(path).is_dir():
        yield Path(path)
        return
    errors: list[OSError] = []
    found = sorted(_files_in(path, errors))
    yield from (AudioError(f"{file}: is not a regular file") if _is_special(file) else file for file in found)
    yield from (AudioError(f"{error.filename}: cannot be searched: {error.strerror}") for error in errors)
    if not found and not errors:
        yield AudioError(f"{path}: a folder without sound files ({' '.join(sorted(SUFFIXES))})")


def _files_in(path: str, errors: list[OSError]) -> Iterator[Path]:
    """Every file with the suffix of a sound in a folder and below; folders that cannot be searched go to `errors`."""
    seen: set[str] = set()
    for folder, folders, names in os.walk(path, onerror=errors.append, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link back up would be followed for ever
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in SOUND_SUFFIXES:
                yield Path(folder) / name


def _is_special(file: Path) -> bool:
    """Whether it is a pipe, a socket or a device, which might never end; what is not there is for the reader to say."""
    try:
        return not stat.S_ISREG(file.stat().st_mode)
    except OSError:
        return False


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
