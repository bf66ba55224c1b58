"""`overtone COMMAND ...`: the table of commands, and their common error handling.

To add a command, write a module of this package with two functions named after it

    def shout_arguments(parser): ...      adds its options to an `argparse.ArgumentParser`
    def shout(args) -> int: ...           runs it and returns the exit code

and add a row to `COMMANDS`. The module is imported only when the command is called.

Exit codes: 0 success, 1 at least one failure (reported on stderr), 2 wrong usage, 130 interrupted with Ctrl-C,
141 the reader of stdout has gone (broken pipe).
"""

import argparse
import contextlib
import errno
import importlib
import io
import os
import re
import sys
from collections.abc import Iterator
from typing import NamedTuple, NoReturn

import overtone
from overtone.cli.errors import UsageError, print_error, single_line
from overtone.errors import MissingExtraError, OvertoneError, suggest

FAILURE = 1
USAGE_ERROR = 2
INTERRUPTED = 130
BROKEN_PIPE = 141
TRAIN_EXTRA = frozenset({"torch", "onnx", "onnxscript", "safetensors", "sklearn", "matplotlib"})


class Command(NamedTuple):
    """A row of the table: name on the command line, help text, and module of the command."""

    name: str
    help: str
    module: str


COMMANDS: tuple[Command, ...] = (
    Command("predict", "Recognise emotions in audio files and folders", "overtone.cli.predict"),
    Command("batch", "Recognise emotions in folders and manifests of any size, in parallel", "overtone.cli.batch"),
    Command("timeline", "Recognise emotions over time in recordings of any length", "overtone.cli.timeline"),
    Command("convert", "Write a timeline, also a corrected one, in another format", "overtone.cli.convert"),
    Command("explain", "Show which seconds, frequencies and properties made a prediction", "overtone.cli.explain"),
    Command("listen", "Recognise emotions live from the microphone", "overtone.cli.listen"),
    Command("serve", "Serve emotion recognition over HTTP and WebSocket", "overtone.cli.serve"),
    Command("info", "Show a model's training data, licence, scores and limits", "overtone.cli.info"),
    Command("corpora", "List, download and verify emotional speech corpora", "overtone.cli.corpora"),
    Command("encoders", "List and download the pretrained encoders that recipes name", "overtone.cli.encoders"),
    Command("train", "Train a model on one or more corpora and export it to ONNX", "overtone.cli.train"),
    Command("finetune", "Train a model further on a few labelled clips of your own", "overtone.cli.finetune"),
    Command("evaluate", "Train and test every fold of an evaluation protocol", "overtone.cli.evaluate"),
    Command("compare", "Compare runs, predictions and models on the same clips", "overtone.cli.compare"),
    Command("reproduce", "Reproduce the reference paper and measure it without its leaks", "overtone.cli.reproduce"),
    Command("experiment", "Evaluate a matrix of recipes and protocols from a TOML file", "overtone.cli.experiment"),
)


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors suggest the nearest option or choice."""

    def __init__(self, **options: object) -> None:
        super().__init__(**{"allow_abbrev": False, "formatter_class": argparse.RawDescriptionHelpFormatter, **options})  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """Print a one-line message with a hint on stderr, and exit with code 2."""
        invalid = re.fullmatch(r"(argument .*: )?invalid choice: '(.*)' \(choose from (.*)\)", message)
        if invalid:
            choices = re.findall(r"[\w.-]+", invalid[3])
            message = f"{invalid[1] or ''}unknown {invalid[2]!r}{suggest(invalid[2], choices)}"
        self.exit(USAGE_ERROR, f"{self.prog}: {single_line(message)}\n{self.prog}: see {self.prog} --help\n")

    def parse_all_args(self, arguments: list[str]) -> argparse.Namespace:
        """Return the parsed arguments; an unknown option is an error that suggests the nearest."""
        args, unknown = self.parse_known_args(arguments)
        if unknown:
            option = next((word for word in unknown if word.startswith("-")), unknown[0])
            name = option.split("=")[0]
            self.error(f"unknown {name!r}{suggest(name, sorted(set(_option_strings(self))))}")
        return args


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code; every `OvertoneError` is reported as one line on stderr."""
    _prepare_streams()
    try:
        try:
            return _run(sys.argv[1:] if arguments is None else arguments)
        finally:
            sys.stdout.flush()
    except UsageError as error:
        return _report_failure(str(error), USAGE_ERROR)
    except OvertoneError as error:
        return _report_failure(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _discard_stdout()
        return BROKEN_PIPE
    except OSError as error:
        if not error.filename:  # all other files are opened by code that names them, so this is stdout
            _discard_stdout()
        return _report_failure(f"{error.filename or 'stdout'}: {error.strerror or error}")


def _run(arguments: list[str]) -> int:
    commands = {command.name: command for command in COMMANDS}
    if not arguments or arguments[0].startswith("-"):
        _top_level_parser().parse_all_args(arguments)
        _top_level_parser().print_help(sys.stderr)
        return USAGE_ERROR
    if arguments[0] not in commands:
        _top_level_parser().error(f"unknown command {arguments[0]!r}{suggest(arguments[0], commands)}")
    name, text, module_name = commands[arguments[0]]
    try:
        module = importlib.import_module(module_name)
        parser = Parser(prog=f"overtone {name}", description=f"{text}.")
        getattr(module, f"{name}_arguments")(parser)
        return getattr(module, name)(parser.parse_all_args(arguments[1:]))
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in TRAIN_EXTRA:
            raise
        raise MissingExtraError(
            f"'overtone {name}' needs {error.name}, which is not installed: pip install 'overtone[train]'"
        ) from error


def _top_level_parser() -> Parser:
    table = "\n".join(f"  {command.name:10} {command.help}" for command in COMMANDS)
    parser = Parser(
        prog="overtone",
        usage="overtone COMMAND ...",
        description=f"Recognise emotions in speech.\n\ncommands:\n{table}",
        epilog="Run overtone COMMAND --help for the options of a command.",
    )
    parser.add_argument("--version", action="version", version=f"overtone {overtone.__version__}")
    return parser


def _option_strings(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from _option_strings(inner)


class _ClosedStdout(io.TextIOBase):
    """Replacement for a stdout that was closed before the start (`>&-`): writing to it fails."""

    def write(self, text: str, /) -> int:
        raise OSError(errno.EBADF, "is closed; redirect it to a file or to /dev/null")


def _prepare_streams() -> None:
    """Make sure that stdout and stderr exist and accept every text."""
    if sys.stdout is None or sys.stderr is None:
        null = os.open(os.devnull, os.O_RDWR)  # occupies the closed descriptor, so that no file we open gets it
        sys.stdout = sys.stdout or _ClosedStdout()
        sys.stderr = sys.stderr or os.fdopen(os.dup(null), "w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names may hold bytes that are not text


def _discard_stdout() -> None:
    """Redirect stdout to the null device, as Python flushes it once more at exit."""
    with contextlib.suppress(io.UnsupportedOperation):  # not a file, so flushing it cannot fail
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report_failure(message: str, exit_code: int = FAILURE) -> int:
    print_error(message)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
