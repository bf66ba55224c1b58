"""Options of `overtone serve` on the command line and from environment variables."""

import argparse
import re
from pathlib import Path

import pytest

from overtone.cli.main import Parser, main
from overtone.cli.serve import LIMITS, build_settings, serve_arguments
from overtone.service.settings import MB, Settings

pytest.importorskip("fastapi", reason="fastapi comes with the [serve] extra")


def parse(*options: str) -> argparse.Namespace:
    """The parsed options of `overtone serve`."""
    parser = Parser(prog="overtone serve")
    serve_arguments(parser)
    return parser.parse_all_args(list(options))


def test_options_set_the_limits() -> None:
    assert build_settings(parse("--state-dir", "d")) == Settings(Path("d"))
    options = [word for limit in LIMITS for word in (f"--{limit.option}", "3")]
    settings = build_settings(parse("--state-dir", "d", *options))._asdict()
    assert {limit.field: settings[limit.field] for limit in LIMITS} == {
        limit.field: 3 * limit.scale for limit in LIMITS
    }
    assert (settings["max_clip_bytes"], settings["max_recording_bytes"], settings["keep_s"]) == (3 * MB, 3 * MB, 10_800)


def test_every_option_can_be_set_by_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"ALLOW_ORIGIN": "http://a.example,https://b.example", "UNCERTAIN_BELOW": "0.5", "NO_PAGE": "1"}
    texts["EMOTIONS"] = "happy,sad angry"
    parser = Parser(prog="overtone serve")
    serve_arguments(parser)
    options = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
    for option in options - {"--help"}:
        name = option.removeprefix("--").replace("-", "_").upper()
        monkeypatch.setenv(f"OVERTONE_{name}", texts.get(name, "3"))
    args = vars(parse())
    assert args.pop("new_key") is None, "a command that exits is not a setting"
    assert args.pop("allow_origin") == ["http://a.example", "https://b.example"]
    assert args.pop("allow_host") == ["3"]
    assert args.pop("page") is False
    assert args.pop("uncertain_below") == 0.5
    assert (args.pop("emotions"), args.pop("branches")) == (("happy", "sad", "angry"), ("3",))
    assert {name: str(value) for name, value in args.items()} == dict.fromkeys(args, "3")
    assert parse("--max-jobs", "4").max_jobs == 4, "the command line overrides the variable"


@pytest.mark.parametrize(
    "options",
    [
        ["--port", "70000"],
        ["--workers", "0"],
        ["--uncertain-below", "2"],
        ["--allow-origin", "page.example/"],
        ["--max-jobs-per-kye", "1"],
    ],
)
def test_a_bad_option_is_a_usage_error(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["serve", *options])
    assert exit_.value.code == 2
    assert options[0] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OVERTONE_PORT", "tcp://10.0.0.1:8080"),
        ("OVERTONE_MAX_JOBS", "0"),
        ("OVERTONE_ALLOW_ORIGIN", "https://page.example page.example/"),
        ("OVERTONE_NO_PAGE", "perhaps"),
    ],
)
def test_a_bad_value_of_a_variable_is_a_usage_error(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit) as exit_:
        main(["serve"])
    assert exit_.value.code == 2
    assert re.search(f"{variable}: expected ", capsys.readouterr().err)


def test_a_new_key_and_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from overtone.service.api.auth import read_keys

    assert main(["serve", "--new-key", "anna"]) == 0
    key, line = (text.split(":", 1)[1].strip() for text in capsys.readouterr().out.splitlines())
    (tmp_path / "keys").write_text(line)
    assert read_keys(tmp_path / "keys").owner(key) == "anna"


@pytest.mark.parametrize("name", ["", "anna b", "#anna", "a" * 65, "a\nb"])
def test_a_key_name_that_the_key_file_could_not_hold_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--new-key", name])
    out, err = capsys.readouterr()
    assert "up to 64 characters" in err
    assert out == ""
