"""The examples of docs/research.md run on a small generated table, and find the difference that was put into it."""

import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from overtone.formats.timeline_csv import FIXED_COLUMNS
from overtone.formats.timeline_summary import COLUMNS

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "research.md").read_text("utf-8")
EFFECT = 0.2


def code(language: str, containing: str) -> str:
    """Return the code block of the page that contains a text."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if containing in block]
    return str(found)


@pytest.fixture
def study(tmp_path: Path, rng: np.random.Generator) -> Path:
    """A folder with segments of eight persons in two conditions, with two recordings each, and the design."""
    (tmp_path / "segments").mkdir()
    design = []
    for person in range(8):
        level = rng.normal(0.4, 0.05)
        for condition in ("a", "b"):
            for number in range(2):
                name = f"{person}-{condition}-{number}"
                design.append((f"{name}.flac", f"person {person}", condition))
                rows = []
                for turn in range(12):
                    speaker = ("interviewer", "participant")[turn % 2]
                    arousal = float(np.clip(level + EFFECT * (condition == "b") + rng.normal(0, 0.05), 0, 1))
                    times_s = 3 * turn, 3 * turn + 2
                    prediction = ("true", "sad", "model", "sad", 0.5, "true", 1.8, arousal, 0.5, 9)
                    rows.append((f"interviews/{name}.flac", *times_s, speaker, "", *prediction))
                write(tmp_path / "segments" / f"{name}.csv", FIXED_COLUMNS, rows)
    write(tmp_path / "design.csv", ("file", "person", "condition"), design)
    return tmp_path


def write(path: Path, header: tuple[str, ...], rows: list[tuple]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def effect(output: str) -> float:
    """Return the estimated difference of the conditions in the printed summary of a model."""
    (line,) = re.findall(r"^condition\S* +(\S+) .*$", output, re.MULTILINE)[:1]
    return float(line)


def test_the_python_example_finds_the_difference(study: Path) -> None:
    pytest.importorskip("statsmodels")
    command = [sys.executable, "-W", "ignore", "-c", code("python", "mixedlm")]
    result = subprocess.run(command, cwd=study, capture_output=True, text=True, check=True)
    assert effect(result.stdout) == pytest.approx(EFFECT, abs=0.03)


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="needs Rscript with lme4")
def test_the_r_example_finds_the_difference(study: Path) -> None:
    if subprocess.run(["Rscript", "-e", "library(lme4)"], capture_output=True, check=False).returncode:
        pytest.skip("needs lme4: apt-get install r-cran-lme4")
    (study / "study.R").write_text(code("r", "lmer"))
    result = subprocess.run(["Rscript", "study.R"], cwd=study, capture_output=True, text=True, check=True)
    assert effect(result.stdout) == pytest.approx(EFFECT, abs=0.03)


def test_the_page_names_every_column() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE))
    assert set(COLUMNS) <= named
    assert set(FIXED_COLUMNS) <= named
