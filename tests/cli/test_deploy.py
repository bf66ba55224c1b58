"""The files in deploy/ start an existing command with existing options, and keep their security settings."""

import json
import re
import shlex
from pathlib import Path

import pytest

from overtone.cli.environment import variable_name
from overtone.cli.main import Parser
from overtone.cli.serve import serve_arguments

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def check_command(command: list[str]) -> None:
    """Check that `overtone serve` accepts these options."""
    assert command[:2] == ["overtone", "serve"]
    parser = Parser(prog="overtone serve")
    serve_arguments(parser)
    parser.parse_all_args(command[2:])


def check_variables(text: str, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Check that `overtone serve` accepts the variables set in a file, and return their names."""
    variables = dict(re.findall(r"\b(OVERTONE_\w+)(?:=|: )([\w./:-]+)", text))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    parser = Parser(prog="overtone serve")
    serve_arguments(parser)
    parser.parse_all_args([])
    assert variables.keys() <= {variable_name(option) for action in parser._actions for option in action.option_strings}
    return set(variables)


def test_the_container_starts_an_existing_command(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    entry = re.search(r"^ENTRYPOINT (.*)$", text, re.MULTILINE)
    assert entry is not None
    check_command(json.loads(entry[1]))
    assert {"OVERTONE_HOST", "OVERTONE_STATE_DIR"} <= check_variables(text, monkeypatch)
    last_stage = text.split("\nFROM ")[-1]
    assert re.search(r"^USER overtone$", last_stage, re.MULTILINE)
    assert last_stage.index("USER overtone") < last_stage.index("ENTRYPOINT")
    extras = re.findall(r"\.\[([\w,]+)\]", text)
    assert extras == ["serve,pictures"], "no torch"
    assert "pip uninstall --yes pip" in text


def test_the_container_runs_without_privileges(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    for line in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", '"127.0.0.1:8080:8080"'):
        assert line in text
    assert "OVERTONE_ALLOW_HOST" in check_variables(text, monkeypatch)


def test_the_systemd_unit_starts_an_existing_command(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (DEPLOY / "overtone.service").read_text("utf-8")
    start = re.search(r"^ExecStart=/opt/overtone/bin/(.*)$", text, re.MULTILINE)
    assert start is not None
    check_command(shlex.split(start[1]))
    check_variables(text, monkeypatch)
    for line in ("DynamicUser=yes", "ProtectSystem=strict", "NoNewPrivileges=yes", "StateDirectory=overtone"):
        assert line in text
