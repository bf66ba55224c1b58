"""`overtone COMMAND ...`: a table of commands, and what they have in common when something goes wrong.

To add a command, write a module of this folder with two functions named after it

    def shout_arguments(parser): ...      adds its options to an `argparse.ArgumentParser`
    def shout(args) -> int: ...           runs it and returns the exit code

and add a row to `COMMANDS`. A module may hold several commands; it is imported only when one of them is called.

Exit codes: 0 all went well, 1 something could not be done (it is named on stderr), 2 the call was wrong,
130 stopped with Ctrl-C, 141 nobody reads the output any more.
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
from overtone.cli.errors import print_error, single_line
from overtone.errors import MissingExtraError, OvertoneError, suggest

FAILED = 1
MISUSED = 2
INTERRUPTED = 130
PIPE_CLOSED = 141
TRAIN_EXTRA = frozenset({"torch", "onnx", "onnxscript", "safetensors", "sklearn", "matplotlib"})


class Command(NamedTuple):
    """One row of the table: name on the command line, what it does, module that holds it."""

    name: str
    help: str
    module: str


COMMANDS: tuple[Command, ...] = (
    Command("predict", "say which emotion is heard in files and folders", "overtone.cli.predict"),
    Command("batch", "answer for folders and manifests of any size, by all cores", "overtone.cli.batch"),
    Command("timeline", "say what is heard when in recordings of any length", "overtone.cli.timeline"),
    Command("listen", "say what is heard by the microphone, while it is said", "overtone.cli.listen"),
    Command("serve", "answer over HTTP and WebSocket, for other programs", "overtone.cli.serve"),
    Command("info", "tell what a model is: training data, licence, scores, limits", "overtone.cli.info"),
    Command("corpora", "list, download and verify emotional speech corpora", "overtone.cli.corpora"),
    Command("train", "train a model on a corpus and export it", "overtone.cli.training"),
    Command("evaluate", "train every fold of a protocol and keep the predictions", "overtone.cli.training"),
    Command("reproduce", "rebuild the paper and measure it without its leaks", "overtone.cli.training"),
    Command("experiment", "evaluate a matrix of recipes and protocols out of a TOML file", "overtone.cli.experiment"),
    Command("results", "make tables and figures from the files in results/", "overtone.cli.results"),
)


class Parser(argparse.ArgumentParser):
    """An argument parser that names the nearest option or choice."""

    def __init__(self, **options: object) -> None:
        super().__init__(**{"allow_abbrev": False, "formatter_class": argparse.RawDescriptionHelpFormatter, **options})  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """One line with a hint on stderr, and exit code 2."""
        wrong = re.fullmatch(r"(argument .*: )?invalid choice: '(.*)' \(choose from (.*)\)", message)
        if wrong:
            known = re.findall(r"[\w-]+", wrong[3])
            message = f"{wrong[1] or ''}unknown {wrong[2]!r}{suggest(wrong[2], known)}"
        self.exit(MISUSED, f"{self.prog}: {single_line(message)}\n{self.prog}: see {self.prog} --help\n")

    def parse_whole(self, arguments: list[str]) -> argparse.Namespace:
        """The parsed arguments; an option that does not exist is an error that names the nearest."""
        args, unknown = self.parse_known_args(arguments)
        if unknown:
            option = next((word for word in unknown if word.startswith("-")), unknown[0])
            name = option.split("=")[0]
            self.error(f"unknown {name!r}{suggest(name, sorted(set(_options_of(self))))}")
        return args


def main(arguments: list[str] | None = None) -> int:
    """Runs a command and returns its exit code; every `OvertoneError` is one line on stderr."""
    _settle_streams()
    try:
        try:
            return _run(sys.argv[1:] if arguments is None else arguments)
        finally:
            sys.stdout.flush()
    except OvertoneError as error:
        return _failed(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _give_up_stdout()
        return PIPE_CLOSED
    except OSError as error:
        if not error.filename:  # every other file is named where it is opened
            _give_up_stdout()
        return _failed(f"{error.filename or 'stdout'}: {error.strerror or error}")


def _run(arguments: list[str]) -> int:
    commands = {command.name: command for command in COMMANDS}
    if not arguments or arguments[0].startswith("-"):
        _front().parse_whole(arguments)
        _front().print_help(sys.stderr)
        return MISUSED
    if arguments[0] not in commands:
        _front().error(f"unknown command {arguments[0]!r}{suggest(arguments[0], commands)}")
    name, text, module_name = commands[arguments[0]]
    try:
        module = importlib.import_module(module_name)
        parser = Parser(prog=f"overtone {name}", description=f"{text[0].upper()}{text[1:]}.")
        getattr(module, f"{name}_arguments")(parser)
        return getattr(module, name)(parser.parse_whole(arguments[1:]))
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in TRAIN_EXTRA:
            raise
        raise MissingExtraError(
            f"'overtone {name}' needs {error.name}, which is not installed: pip install 'overtone[train]'"
        ) from error


def _front() -> Parser:
    rows = "\n".join(f"  {command.name:10} {command.help}" for command in COMMANDS)
    parser = Parser(
        prog="overtone",
        usage="overtone COMMAND ...",
        description=f"Hears how something was said: emotion from speech.\n\ncommands:\n{rows}",
        epilog="overtone COMMAND --help tells more.",
    )
    parser.add_argument("--version", action="version", version=f"overtone {overtone.__version__}")
    return parser


def _options_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from _options_of(inner)


class _Closed(io.TextIOBase):
    """Stands where stdout was closed before the start (`>&-`): whoever writes to it learns so."""

    def write(self, text: str, /) -> int:
        raise OSError(errno.EBADF, "is closed; send it to a file or to /dev/null")


def _settle_streams() -> None:
    """Both streams are there and take every text."""
    if sys.stdout is None or sys.stderr is None:
        null = os.open(os.devnull, os.O_RDWR)  # takes the place of the closed one, lest a file of ours gets it
        sys.stdout = sys.stdout or _Closed()
        sys.stderr = sys.stderr or os.fdopen(os.dup(null), "w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names need not be text


def _give_up_stdout() -> None:
    """Python flushes stdout once more at its end; lets that go to nowhere."""
    with contextlib.suppress(io.UnsupportedOperation):  # it is no file, and so has nowhere to fail
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(message: str) -> int:
    print_error(message)
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
