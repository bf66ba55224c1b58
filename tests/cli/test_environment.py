"""Options of a command from environment variables."""

import argparse
import re
from collections.abc import Mapping

import pytest

from overtone.cli.argtypes import positive_int
from overtone.cli.environment import RepeatableOption, add_environment_defaults
from overtone.cli.main import Parser


def parse(environment: Mapping[str, str], *options: str) -> argparse.Namespace:
    """The parsed options of a small command under an environment."""
    parser = Parser(prog="overtone test")
    parser.add_argument("--max-jobs", type=positive_int, default=7)
    parser.add_argument("--host", default="localhost")
    parser.add_argument("--allow-host", type=str.lower, action=RepeatableOption, default=[])
    parser.add_argument("--no-page", dest="page", action="store_false")
    parser.add_argument("--once")
    add_environment_defaults(parser, environment, exclude=("--help", "--once"))
    return parser.parse_all_args(list(options))


def test_without_variables_the_defaults_hold() -> None:
    args = parse({"MAX_JOBS": "1", "OVERTONE_HELP": "1", "OVERTONE_ONCE": "x", "OVERTONE_HOST": ""})
    assert vars(args) == {"max_jobs": 7, "host": "localhost", "allow_host": [], "page": True, "once": None}
    assert parse({}, "--allow-host", "A", "--allow-host", "b").allow_host == ["a", "b"]


@pytest.mark.parametrize("separator", [",", " ", ", ", "\n"])
def test_variables_are_converted_like_options(separator: str) -> None:
    variables = {"OVERTONE_MAX_JOBS": "3", "OVERTONE_HOST": "::1", "OVERTONE_ALLOW_HOST": f"A{separator}b"}
    args = parse(variables)
    assert (args.max_jobs, args.host, args.allow_host) == (3, "::1", ["a", "b"])


@pytest.mark.parametrize(
    ("text", "page"), [("1", False), ("true", False), ("True", False), ("0", True), ("false", True)]
)
def test_a_flag_is_set_or_not(text: str, page: bool) -> None:
    assert parse({"OVERTONE_NO_PAGE": text}).page is page
    assert parse({"OVERTONE_NO_PAGE": text}, "--no-page").page is False


def test_an_option_on_the_command_line_overrides_its_variable() -> None:
    variables = {"OVERTONE_MAX_JOBS": "many", "OVERTONE_HOST": "::1", "OVERTONE_ALLOW_HOST": "a b"}
    args = parse(variables, "--max-jobs", "5", "--host", "h", "--allow-host", "c", "--allow-host", "D")
    assert (args.max_jobs, args.host, args.allow_host) == (5, "h", ["c", "d"])


@pytest.mark.parametrize(("variable", "value"), [("OVERTONE_MAX_JOBS", "0"), ("OVERTONE_NO_PAGE", "perhaps")])
def test_a_bad_value_names_the_variable(variable: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        parse({variable: value})
    assert exit_.value.code == 2
    assert re.search(f"{variable}: expected .*, got '{value}'", capsys.readouterr().err)


def test_a_bad_option_does_not_name_the_variable(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse({"OVERTONE_MAX_JOBS": "3"}, "--max-jobs", "0")
    err = capsys.readouterr().err
    assert "--max-jobs" in err
    assert "OVERTONE" not in err
