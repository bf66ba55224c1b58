"""`overtone timeline FILE...`: recordings of any length -> what is heard when, in a form of `overtone.formats`.

A file that cannot be heard is named on stderr and the others are still answered; the exit code is then 1.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from overtone.audio.blocks import blocks, measure_duration
from overtone.audio.discovery import find_audio_files, is_folder
from overtone.cli.errors import print_error
from overtone.cli.options import load_recogniser, recogniser_arguments, threads_argument
from overtone.cli.predict import is_device, opened_device
from overtone.errors import OptionError, OvertoneError
from overtone.formats import TIMELINE_FORMATS, AudioBlocks, get_timeline_format, save_timeline, write_timeline
from overtone.formats.table import printable, shortened
from overtone.inference.recogniser import Recogniser
from overtone.speaker_turns import read_turns
from overtone.timeline import Timeline

DEFAULT_FORM = "table"
NAME_CELLS = 40

Job = tuple[Path | OvertoneError, Path | None]  # what is heard, and where its timeline goes: None for stdout


def timeline_arguments(parser: argparse.ArgumentParser) -> None:
    """FILE... --turns --model --adapt-from --uncertain-below --threads --format --output."""
    parser.add_argument("paths", nargs="+", metavar="FILE", help="a recording of any length, or a folder of them")
    parser.add_argument(
        "--turns",
        metavar="FILE",
        type=Path,
        help="who speaks when (.rttm, .csv with start_s,end_s,speaker, or .TextGrid): one answer for each turn",
    )
    recogniser_arguments(parser)
    threads_argument(parser)
    form_arguments(parser)


def form_arguments(parser: argparse.ArgumentParser) -> None:
    """--format --output of timelines."""
    parser.add_argument(
        "--format",
        choices=sorted(TIMELINE_FORMATS),
        help=f"of the timeline; without it, as the suffix of --output says, else {DEFAULT_FORM}",
    )
    parser.add_argument(
        "--output",
        metavar="PATH",
        type=Path,
        help="write there, whole or not at all, instead of stdout; of several recordings, a folder",
    )


def timeline(args: argparse.Namespace) -> int:
    """Timelines of all recordings; 1 where one could not be heard."""
    form = form_of(args.format, args.output)
    jobs = list(_jobs(args.paths, args.output, form))
    if any(target == args.output for _, target in jobs):
        check_form(args.format, args.output)
    if args.turns is not None and len(jobs) > 1:
        raise OptionError(f"--turns {args.turns}: goes with one recording, and {len(jobs)} were given")
    recogniser, left_out = load_recogniser(args)
    failures = 0
    for source, target in jobs:
        try:
            if isinstance(source, OvertoneError):
                raise source
            show(_heard(recogniser, source, args), target, form, blocks(source))
        except OvertoneError as error:
            failures += 1
            sys.stdout.flush()
            print_error(str(error))
    if failures:
        print_error(f"{failures} of {len(jobs)} could not be heard")
    return 1 if failures or left_out else 0


def form_of(asked: str | None, output: Path | None) -> str:
    """The form that is asked for, or that goes with the suffix of the output; the table where there is none."""
    return asked or _form_by_suffix(output) or DEFAULT_FORM


def check_form(asked: str | None, output: Path | None) -> None:
    """A file that is written has the suffix of a form, or none, or its form was asked for.

    Raises:
        OptionError: nobody could tell its form.
    """
    if output and output.suffix and not asked and not _form_by_suffix(output):
        known = ", ".join(sorted(row.SUFFIX for row in TIMELINE_FORMATS.values()))
        raise OptionError(f"--output {output}: no form has this suffix (they have {known}); name one with --format")


def _form_by_suffix(output: Path | None) -> str | None:
    """The form whose suffix the output has; of several the longest, as ".labels.txt" is ".txt" too."""
    name = output.name.lower() if output else ""
    fitting = [form for form, row in TIMELINE_FORMATS.items() if name.endswith(row.SUFFIX.lower())]
    return max(fitting, key=lambda form: len(TIMELINE_FORMATS[form].SUFFIX), default=None)


def show(timeline: Timeline, target: Path | None, form: str, sound: AudioBlocks | None = None) -> None:
    """Writes a timeline to a file, whole or not at all; to a device; or to stdout. Only some forms play the sound."""
    if target is None:
        write_timeline(timeline, sys.stdout, form, sound)
    elif is_device(target):
        with opened_device(target) as stream:
            write_timeline(timeline, stream, form, sound)
    else:
        save_timeline(timeline, target, form, sound)


def _jobs(paths: list[str], output: Path | None, form: str) -> Iterator[Job]:
    """Every recording with the place of its timeline: a file of its own name in a folder, where there are several."""
    found = [(source, _name_within(path, source)) for path in paths for source in find_audio_files(path)]
    if output is None and len(found) > 1 and form != DEFAULT_FORM:
        raise OptionError(f"--format {form}: of several recordings, name a folder with --output")
    if output is None or (len(found) == 1 and not output.is_dir()):
        yield from ((source, output) for source, _ in found)
        return
    if output.exists() and not output.is_dir():
        raise OptionError(f"--output {output}: of {len(found)} recordings, name a folder")
    targets = [output / name.with_suffix(get_timeline_format(form).SUFFIX) for _, name in found]
    heard = [target for target, (source, _) in zip(targets, found, strict=True) if isinstance(source, Path)]
    twice = [str(target) for target, count in Counter(heard).items() if count > 1]
    if twice:
        raise OptionError(f"--output: several timelines would be written to {twice[0]}; give their files one by one")
    yield from ((source, target) for (source, _), target in zip(found, targets, strict=True))


def _name_within(path: str, source: Path | OvertoneError) -> Path:
    """The name of a recording as it lies in the folder that was given."""
    if isinstance(source, OvertoneError):
        return Path("-")
    return source.relative_to(path) if is_folder(path) else Path(source.name)


def _heard(recogniser: Recogniser, source: Path, args: argparse.Namespace) -> Timeline:
    turns = None if args.turns is None else read_turns(args.turns, str(source))
    with tqdm(
        total=round(measure_duration(source)),
        desc=shortened(printable(str(source)), NAME_CELLS),
        unit=" s",
        disable=None,
        leave=False,
    ) as bar:
        return recogniser.timeline(
            source,
            segments=turns,
            threads=args.threads,
            on_progress=lambda time_s: bar.update(round(time_s) - bar.n),
        )
