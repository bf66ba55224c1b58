"""`overtone timeline FILE...`: emotions over time in recordings of any length, in a format of `overtone.formats`.

Files that cannot be processed are reported on stderr and the others are still processed; the exit code is then 1.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from overtone.audio.blocks import blocks, measure_duration
from overtone.audio.discovery import find_audio_files, is_folder
from overtone.audio.source import Source, read_pipe
from overtone.channels import MIX
from overtone.cli.errors import UsageError, print_error
from overtone.cli.joined_table import JoinedTable, joins
from overtone.cli.options import (
    channel_arguments,
    channel_choice,
    load_recogniser,
    no_adapt_argument,
    recogniser_arguments,
    threads_argument,
)
from overtone.cli.output import (
    DEFAULT_FORMAT,
    check_dialect,
    check_output_folder,
    check_output_suffix,
    choose_format,
    dialect_argument,
    format_argument,
    is_device,
    open_device,
)
from overtone.cli.turns_option import check_turns_options, read_given_turns, turns_arguments
from overtone.each_channel import EACH
from overtone.errors import OptionError, OvertoneError
from overtone.formats import TIMELINE_FORMATS, AudioBlocks, get_timeline_format, save_timeline, write_timeline
from overtone.formats.table import printable, shorten
from overtone.inference.kept_labels import keep_labels
from overtone.inference.recogniser import Recogniser
from overtone.timeline import Segment, Timeline

NAME_CELLS = 40

Task = tuple[Path | OvertoneError, Path | None]  # a recording, and the file of its timeline: None for stdout


def timeline_arguments(parser: argparse.ArgumentParser) -> None:
    """Add FILE..., the options of turns, of the output and of channels, --no-adapt, and those of the recogniser."""
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="FILE",
        help="a recording of any length, or a folder that is searched for recordings",
    )
    turns_arguments(parser)
    recogniser_arguments(parser)
    channel_arguments(parser)
    no_adapt_argument(parser)
    threads_argument(parser)
    format_arguments(parser)


def format_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --format, --csv-dialect and --output of timelines."""
    format_argument(parser, TIMELINE_FORMATS)
    dialect_argument(parser)
    parser.add_argument(
        "--output", metavar="PATH", type=Path,
        help="write the timeline atomically to this file; with several recordings, a folder, or the file of one table "
        "of all (formats csv and summary) (default: stdout)",
    )  # fmt: skip


def timeline(args: argparse.Namespace) -> int:
    """Write the timeline of every recording; return 1 if a recording could not be processed."""
    format_name = choose_format(args.format, args.output, TIMELINE_FORMATS)
    check_dialect(args.csv_dialect, format_name, TIMELINE_FORMATS)
    tasks = list(_tasks(args.paths, args.output, format_name))
    if any(target == args.output for _, target in tasks):
        check_output_suffix(args.format, args.output, TIMELINE_FORMATS)
    elif args.output is not None:
        check_output_folder(args.output)
    check_turns_options(args, len(tasks), format_name)
    choice = channel_choice(args)
    if args.turns is not None and choice.is_each:
        raise UsageError(f"--turns: cannot be combined with --channel {EACH}: turns name the speakers already")
    recogniser, skipped_clips = load_recogniser(args, channel=args.channel)
    failures = invalid_turns = 0
    is_joined = joins(format_name, args.output, len(tasks))
    with JoinedTable(args.output, format_name, args.csv_dialect) as table:
        for source, target in tasks:
            try:
                if isinstance(source, OvertoneError):
                    raise source
                recording = read_pipe(source) or source  # which is read several times
                turns = read_given_turns(args, source, recording, format_name)
                invalid_turns += turns.invalid
                timeline = _recognise(recogniser, source, recording, args, turns.segments)
                if turns.labels is not None:
                    timeline = keep_labels(timeline, turns.labels)
                if is_joined:
                    table.add(timeline)
                    continue
                audio = blocks(recording, MIX if choice.is_each else args.channel)  # for the formats that embed it
                options = {"original": turns.original, "words": args.words, "dialect": args.csv_dialect}
                write_output(timeline, target, format_name, audio, **options)
            except OvertoneError as error:
                failures += 1
                sys.stdout.flush()
                print_error(str(error))
    if failures:
        print_error(f"{failures} of {len(tasks)} could not be recognised")
    return 1 if failures or skipped_clips or invalid_turns else 0


def write_output(
    timeline: Timeline, target: Path | None, format_name: str, audio: AudioBlocks | None = None, **options: Any
) -> None:
    """Write a timeline atomically to a file, or to a device, or to stdout.

    Args:
        timeline: what to write.
        target: path of the file or device; None for stdout.
        format_name: a key of `TIMELINE_FORMATS`.
        audio: the audio of the recording, for formats that embed it.
        options: `original`, `words` and `dialect`, as for `overtone.formats.write_timeline`.
    """
    if target is None:
        write_timeline(timeline, sys.stdout, format_name, audio, **options)
    elif is_device(target):
        with open_device(target) as stream:
            write_timeline(timeline, stream, format_name, audio, **options)
    else:
        save_timeline(timeline, target, format_name, audio, **options)


def _tasks(paths: list[str], output: Path | None, format_name: str) -> Iterator[Task]:
    """Yield every recording with the path of its timeline.

    With several recordings, each gets a file in a folder; or all have the same path, if they become one table.
    """
    recordings = [(source, _relative_name(path, source)) for path in paths for source in find_audio_files(path)]
    if joins(format_name, output, len(recordings)):
        yield from ((source, output) for source, _ in recordings)
        return
    if output is None and len(recordings) > 1 and format_name != DEFAULT_FORMAT:
        raise OptionError(f"--format {format_name}: with several recordings, name a folder with --output")
    if output is None or (len(recordings) == 1 and not output.is_dir()):
        yield from ((source, output) for source, _ in recordings)
        return
    if output.exists() and not output.is_dir():
        raise OptionError(f"--output {output}: is not a folder; with {len(recordings)} recordings, name a folder")
    suffix = get_timeline_format(format_name).suffix
    targets = [output / name.with_suffix(suffix) for _, name in recordings]
    readable = [target for target, (source, _) in zip(targets, recordings, strict=True) if isinstance(source, Path)]
    duplicates = [str(target) for target, count in Counter(readable).items() if count > 1]
    if duplicates:
        raise OptionError(
            f"--output: several timelines would be written to {duplicates[0]}; process these files one by one"
        )
    yield from ((source, target) for (source, _), target in zip(recordings, targets, strict=True))


def _relative_name(path: str, source: Path | OvertoneError) -> Path:
    """Return the path of a recording relative to the given folder."""
    if isinstance(source, OvertoneError):
        return Path("-")
    return source.relative_to(path) if is_folder(path) else Path(source.name)


def _recognise(
    recogniser: Recogniser,
    source: Path,
    recording: Source,
    args: argparse.Namespace,
    turns: Sequence[Segment] | None,
) -> Timeline:
    """Return the timeline of a recording, which is the file or the content of a pipe."""
    with tqdm(
        total=round(measure_duration(recording)),
        desc=shorten(printable(str(source)), NAME_CELLS),
        unit=" s",
        disable=None,
        leave=False,
    ) as bar:
        return recogniser.timeline(
            recording,
            channel=args.channel,
            channel_names=args.channel_names,
            turns=turns,
            threads=args.threads,
            adapt=not args.no_adapt,
            on_progress=lambda time_s: bar.update(round(time_s) - bar.n),
        )
