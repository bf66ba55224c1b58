"""`overtone convert FILE`: the JSON of a timeline, also one that a person corrected, in another format.

The corrected labels of a page (`overtone timeline --output talk.html`) are such a file.
"""

import argparse
from pathlib import Path

from overtone.audio.blocks import blocks
from overtone.cli.output import check_dialect, check_output_suffix, choose_format
from overtone.cli.timeline import format_arguments, write_output
from overtone.errors import OptionError
from overtone.formats import TIMELINE_FORMATS
from overtone.formats.timeline_reader import read_timeline


def convert_arguments(parser: argparse.ArgumentParser) -> None:
    """Add FILE, --audio, and --format, --csv-dialect and --output of timelines."""
    parser.add_argument(
        "path", metavar="FILE", type=Path,
        help="the JSON of a timeline: corrected labels of its page, or the output of 'overtone timeline --format json'",
    )  # fmt: skip
    parser.add_argument(
        "--audio", metavar="FILE", type=Path,
        help="the recording, to be embedded in the page (with --format html; default: the page plays the file with the "
        "name of the recording in its own folder)",
    )  # fmt: skip
    format_arguments(parser)


def convert(args: argparse.Namespace) -> int:
    """Write the timeline in the chosen format."""
    format_name = choose_format(args.format, args.output, TIMELINE_FORMATS)
    check_output_suffix(args.format, args.output, TIMELINE_FORMATS)
    check_dialect(args.csv_dialect, format_name, TIMELINE_FORMATS)
    if args.audio is not None and not TIMELINE_FORMATS[format_name].embeds_audio:
        raise OptionError("--audio: is embedded in a page only; add --format html, or leave it out")
    timeline = read_timeline(args.path)
    audio = None if args.audio is None else blocks(args.audio)
    write_output(timeline, args.output, format_name, audio, dialect=args.csv_dialect)
    return 0
