"""`overtone timeline FILE...`: emotions over time in recordings of any length, in a format of `overtone.formats`.

Files that cannot be processed are reported on stderr and the others are still processed; the exit code is then 1.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from overtone.audio.blocks import blocks, measure_duration
from overtone.audio.discovery import find_audio_files, is_folder
from overtone.channels import MIX
from overtone.cli.errors import UsageError, print_error
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
    choose_format,
    format_argument,
    format_by_suffix,
    is_device,
    open_device,
)
from overtone.each_channel import EACH
from overtone.errors import InputError, OptionError, OvertoneError, format_errors
from overtone.formats import TIMELINE_FORMATS, AudioBlocks, get_timeline_format, save_timeline, write_timeline
from overtone.formats.table import printable, shorten
from overtone.inference.recogniser import Recogniser
from overtone.speaker_turns import SUFFIXES, TurnsFile, read_turns_file
from overtone.timeline import Segment, Timeline

NAME_CELLS = 40

Task = tuple[Path | OvertoneError, Path | None]  # a recording, and the file of its timeline: None for stdout


def timeline_arguments(parser: argparse.ArgumentParser) -> None:
    """Add FILE..., --turns, --strict, the options of the output, of channels, and those of the recogniser."""
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="FILE",
        help="a recording of any length, or a folder that is searched for recordings",
    )
    parser.add_argument(
        "--turns", metavar="FILE", type=Path,
        help=f"a file of speaker turns ({', '.join(SUFFIXES)}): one prediction per turn (default: split the recording "
        "where the emotion changes)",
    )  # fmt: skip
    parser.add_argument(
        "--strict", action="store_true",
        help="refuse a file of turns with an invalid turn (default: report it, and recognise the others)",
    )  # fmt: skip
    recogniser_arguments(parser)
    channel_arguments(parser)
    no_adapt_argument(parser)
    threads_argument(parser)
    format_arguments(parser)


def format_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --format and --output of timelines."""
    format_argument(parser, TIMELINE_FORMATS)
    parser.add_argument(
        "--output", metavar="PATH", type=Path,
        help="write the timeline atomically to this file; with several recordings, a folder (default: stdout)",
    )  # fmt: skip


def timeline(args: argparse.Namespace) -> int:
    """Write the timeline of every recording; return 1 if a recording could not be processed."""
    format_name = choose_format(args.format, args.output, TIMELINE_FORMATS)
    tasks = list(_tasks(args.paths, args.output, format_name))
    if any(target == args.output for _, target in tasks):
        check_output_suffix(args.format, args.output)
    if args.turns is not None and len(tasks) > 1:
        raise OptionError(f"--turns {args.turns}: needs exactly one recording, got {len(tasks)}")
    choice = channel_choice(args)
    if args.turns is not None and choice.is_each:
        raise UsageError(f"--turns: cannot be combined with --channel {EACH}: turns name the speakers already")
    if args.strict and args.turns is None:
        raise OptionError("--strict: concerns speaker turns; name their file with --turns")
    recogniser, skipped_clips = load_recogniser(args, channel=args.channel)
    failures = invalid_turns = 0
    for source, target in tasks:
        try:
            if isinstance(source, OvertoneError):
                raise source
            _check_no_pipe(source)
            turns = _read_turns(source, args)
            invalid_turns += len(turns.invalid) if turns else 0
            timeline = _recognise(recogniser, source, args, turns.turns if turns else None)
            played = MIX if choice.is_each else args.channel  # by the formats that embed the audio
            write_output(timeline, target, format_name, blocks(source, played))
        except OvertoneError as error:
            failures += 1
            sys.stdout.flush()
            print_error(str(error))
    if failures:
        print_error(f"{failures} of {len(tasks)} could not be recognised")
    return 1 if failures or skipped_clips or invalid_turns else 0


def check_output_suffix(name: str | None, output: Path | None) -> None:
    """Check that the output has no suffix or that of a format, unless a format was requested.

    Raises:
        OptionError: the suffix belongs to no format.
    """
    if output and output.suffix and not name and not format_by_suffix(output, TIMELINE_FORMATS):
        suffixes = ", ".join(sorted(row.suffix for row in TIMELINE_FORMATS.values()))
        raise OptionError(f"--output {output}: no format has this suffix ({suffixes}); choose one with --format")


def write_output(timeline: Timeline, target: Path | None, format_name: str, audio: AudioBlocks | None = None) -> None:
    """Write a timeline atomically to a file, or to a device, or to stdout.

    Args:
        timeline: what to write.
        target: path of the file or device; None for stdout.
        format_name: a key of `TIMELINE_FORMATS`.
        audio: the audio of the recording, for formats that embed it.
    """
    if target is None:
        write_timeline(timeline, sys.stdout, format_name, audio)
    elif is_device(target):
        with open_device(target) as stream:
            write_timeline(timeline, stream, format_name, audio)
    else:
        save_timeline(timeline, target, format_name, audio)


def _tasks(paths: list[str], output: Path | None, format_name: str) -> Iterator[Task]:
    """Yield every recording with the path of its timeline; with several recordings, each gets a file in a folder."""
    recordings = [(source, _relative_name(path, source)) for path in paths for source in find_audio_files(path)]
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


def _check_no_pipe(source: Path) -> None:
    """Check that a recording is no pipe: it is read several times, and a pipe could be read only once."""
    if source.is_fifo():
        raise InputError(f"{source}: is a pipe; write the recording to a file first")


def _read_turns(source: Path, args: argparse.Namespace) -> TurnsFile | None:
    """Return the speaker turns of a recording; invalid ones are reported, unless they are to be an error."""
    if args.turns is None:
        return None
    read = read_turns_file(args.turns, str(source), measure_duration(source))
    if read.invalid:
        message = format_errors(str(args.turns), read.invalid, "turns")
        if args.strict:
            raise InputError(message)
        print_error(f"{message}\n  left out; the other turns are used")
    return read


def _recognise(
    recogniser: Recogniser, source: Path, args: argparse.Namespace, turns: Sequence[Segment] | None
) -> Timeline:
    with tqdm(
        total=round(measure_duration(source)),
        desc=shorten(printable(str(source)), NAME_CELLS),
        unit=" s",
        disable=None,
        leave=False,
    ) as bar:
        return recogniser.timeline(
            source,
            channel=args.channel,
            channel_names=args.channel_names,
            turns=turns,
            threads=args.threads,
            adapt=not args.no_adapt,
            on_progress=lambda time_s: bar.update(round(time_s) - bar.n),
        )
