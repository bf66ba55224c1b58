"""What the files in deploy/ start is a command that exists, and as they promise: no root, no torch, nothing written."""

import json
import re
import shlex
from pathlib import Path

from overtone.cli.main import Parser
from overtone.cli.serve import serve_arguments

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def parsed(command: list[str]) -> None:
    """Nothing, where `overtone serve` takes these options."""
    assert command[:2] == ["overtone", "serve"]
    parser = Parser(prog="overtone serve")
    serve_arguments(parser)
    parser.parse_whole(command[2:])


def test_the_container_starts_a_command_that_exists() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    entry = re.search(r"^ENTRYPOINT (.*)$", text, re.MULTILINE)
    assert entry is not None
    parsed(json.loads(entry[1]))
    last_stage = text.split("\nFROM ")[-1]
    assert re.search(r"^USER overtone$", last_stage, re.MULTILINE)
    assert last_stage.index("USER overtone") < last_stage.index("ENTRYPOINT")
    extras = re.findall(r"\.\[([\w,]+)\]", text)
    assert extras == ["serve,pictures"], "no torch"
    assert "pip uninstall --yes pip" in text


def test_the_container_runs_without_rights() -> None:
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    for line in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", '"127.0.0.1:8080:8080"'):
        assert line in text
    command = re.search(r"^ +command: (\[.*\])", text, re.MULTILINE)
    assert command is not None
    parsed(["overtone", "serve", *json.loads(command[1])])


def test_the_unit_starts_a_command_that_exists() -> None:
    text = (DEPLOY / "overtone.service").read_text("utf-8")
    start = re.search(r"^ExecStart=/opt/overtone/bin/(.*)$", text, re.MULTILINE)
    assert start is not None
    parsed(shlex.split(start[1]))
    for line in ("DynamicUser=yes", "ProtectSystem=strict", "NoNewPrivileges=yes", "StateDirectory=overtone"):
        assert line in text
