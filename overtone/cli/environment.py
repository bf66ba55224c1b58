"""Defaults of command-line options from environment variables: `OVERTONE_MAX_JOBS=10` for `--max-jobs 10`."""

import argparse
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

PREFIX = "OVERTONE_"
FLAG_VALUES = {"1": True, "true": True, "0": False, "false": False}


class RepeatableOption(argparse.Action):
    """Collect the values of an option that may be given several times; they replace those of the environment."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        """Append one value."""
        current = getattr(namespace, self.dest)
        setattr(namespace, self.dest, [*(current if isinstance(current, list) else ()), values])


class _VariableText(str):
    """The text of an environment variable, as opposed to text from the command line."""


def add_environment_defaults(
    parser: argparse.ArgumentParser, environment: Mapping[str, str], exclude: Collection[str] = ()
) -> None:
    """Let every option of a parser take its default from an environment variable, if that is set and not empty.

    The values of a `RepeatableOption` are separated by commas or spaces; a flag takes 1 or true, 0 or false. A value is
    checked only if the option is not on the command line; the error then names the variable.

    Args:
        parser: a parser that already has its options.
        environment: values by name of the variable.
        exclude: options without a variable, such as "--help".
    """
    for action in parser._actions:
        option = next((name for name in action.option_strings if name.startswith("--")), "")
        text = environment.get(variable_name(option), "")
        if option and option not in exclude and text:
            convert = _converter(variable_name(option), action)
            action.type, action.default = convert, _VariableText(text)  # argparse converts a default that is a string


def variable_name(option: str) -> str:
    """Return the name of the environment variable of an option, such as `OVERTONE_MAX_JOBS` for "--max-jobs"."""
    return PREFIX + option.removeprefix("--").replace("-", "_").upper()


def _converter(variable: str, action: argparse.Action) -> Callable[[str], Any]:
    """Return an argument type for text from the variable and from the command line."""
    original: Callable[[str], Any] = action.type or str  # type: ignore[assignment]
    parse = _value_parser(action, original)

    def convert(text: str) -> Any:
        if not isinstance(text, _VariableText):
            return original(text)
        try:
            return parse(str(text))
        except argparse.ArgumentTypeError as error:
            raise argparse.ArgumentTypeError(f"{variable}: {error}") from error

    return convert


def _value_parser(action: argparse.Action, original: Callable[[str], Any]) -> Callable[[str], Any]:
    if isinstance(action, RepeatableOption):
        return lambda text: [original(word) for word in re.split(r"[,\s]+", text) if word]
    if action.nargs == 0:
        unset = action.default
        return lambda text: action.const if _flag(text) else unset
    return original


def _flag(text: str) -> bool:
    if text.lower() not in FLAG_VALUES:
        raise argparse.ArgumentTypeError(f"expected 1 or true, 0 or false, got {text!r}")
    return FLAG_VALUES[text.lower()]
