"""docs/forms.md shows every form as it is written today."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from overtone.formats import TIMELINE_FORMATS

PROJECT = Path(__file__).resolve().parents[2]
NO_TEXT = {"png", "svg", "html", "parquet"}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """`tools/make_forms.py` as a module."""
    spec = importlib.util.spec_from_file_location("make_forms", PROJECT / "tools" / "make_forms.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_examples_are_what_the_forms_write(script: ModuleType) -> None:
    page = script.PAGE.read_text("utf-8")
    assert page == script.with_examples(page), "run: python tools/make_forms.py"
    assert "Björn" in script.with_examples("<!-- csv -->\n```\nold\n```\n")


def test_every_form_is_shown(script: ModuleType) -> None:
    page = script.PAGE.read_text("utf-8")
    assert {name for _, name, _ in script.EXAMPLE.findall(page)} == set(TIMELINE_FORMATS) - NO_TEXT
    listed = re.findall(r"^\| (.*?) \|", page, re.MULTILINE)
    assert {name for row in listed for name in re.findall(r"`(\w+)`", row)} == set(TIMELINE_FORMATS)
