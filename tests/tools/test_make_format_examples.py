"""The examples in docs/formats.md match the current output of every format."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from overtone.formats import TIMELINE_FORMATS

PROJECT = Path(__file__).resolve().parents[2]
SCRIPT = PROJECT / "tools" / "make_format_examples.py"
WITHOUT_EXAMPLE = {"png", "svg", "html", "parquet"}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """Return `tools/make_format_examples.py` as a module."""
    spec = importlib.util.spec_from_file_location("make_format_examples", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_examples_are_up_to_date(script: ModuleType) -> None:
    page = script.PAGE.read_text("utf-8")
    assert page == script.with_examples(page), f"run: python tools/{SCRIPT.name}"
    assert "Björn" in script.with_examples("<!-- csv -->\n```\nold\n```\n")


def test_every_format_is_shown(script: ModuleType) -> None:
    page = script.PAGE.read_text("utf-8")
    assert {name for _, name, _ in script.EXAMPLE.findall(page)} == set(TIMELINE_FORMATS) - WITHOUT_EXAMPLE
    cells = re.findall(r"^\| (.*?) \|", page, re.MULTILINE)
    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} == set(TIMELINE_FORMATS)
    for name, row in TIMELINE_FORMATS.items():
        assert re.search(rf"^\| .*`{name}`.*`{re.escape(row.suffix)}`", page, re.MULTILINE), row.suffix
