"""The documents match the project: the files, links, commands, layers, versions and workflow that they name exist."""

import argparse
import importlib
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from test_layers import LAYERS

from overtone.cli.main import COMMANDS, Parser
from overtone.corpora import CORPORA

PROJECT = Path(__file__).resolve().parent.parent
PAGES = (
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md", "docs/map.md", "docs/glossary.md"),
    *(
        "docs/audio-formats.md",
        "docs/compare.md",
        "docs/explain.md",
        "docs/finetune.md",
        "docs/formats.md",
        "docs/own-labels.md",
        "docs/research.md",
        "docs/scale.md",
        "docs/serve.md",
        "docs/turns.md",
    ),
)
FOLDERS = "overtone|tests|docs|tools|examples|experiments|benchmarks|results"
MAX_README_LINES = 200


def read(page: str) -> str:
    """Return the text of a page of the project."""
    return (PROJECT / page).read_text("utf-8")


def code_blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", read(page), re.MULTILINE | re.DOTALL)


def heading_anchors(page: str) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", read(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_existing_files_and_headings(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", read(page)):
        if target.startswith(("https://", "http://")):
            continue
        name, _, anchor = target.partition("#")
        path = (PROJECT / page).parent / name if name else PROJECT / page
        assert path.exists(), f"{page}: {target}"
        if anchor:
            linked = path.resolve().relative_to(PROJECT).as_posix()
            assert anchor in heading_anchors(linked), f"{page}: {target}"


@pytest.mark.parametrize("page", PAGES)
def test_named_files_exist(page: str) -> None:
    named = re.findall(rf"`((?:{FOLDERS})/[\w./-]+)`", read(page))
    missing = [name for name in named if not (PROJECT / name).exists()]
    assert not missing, f"{page} names {missing}"


@pytest.mark.parametrize("page", PAGES)
def test_make_targets_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make (?:PYTHON=\S+ )?([a-z-]+)", read(page), re.MULTILINE))
    assert named <= targets, f"{page} names {named - targets}"


def shell_commands(page: str) -> list[str]:
    """Return the `overtone` commands in the shell blocks of a page; continued lines are joined."""
    lines = "".join(code_blocks(page, "sh")).replace("\\\n", "").splitlines()
    return [line for line in lines if line.startswith("overtone ")]


@pytest.mark.parametrize("page", PAGES)
def test_command_lines_are_valid(page: str) -> None:
    modules = {command.name: command.module for command in COMMANDS}
    for line in shell_commands(page):
        words = shlex.split(line, comments=True)
        words = words[1 : next((index for index, word in enumerate(words) if word in ("|", "&", ">")), None)]
        parser = Parser(prog=f"overtone {words[0]}")
        getattr(importlib.import_module(modules[words[0]]), f"{words[0]}_arguments")(parser)
        assert isinstance(parser.parse_all_args(words[1:]), argparse.Namespace), line


def test_the_readme_has_commands_to_check() -> None:
    assert len(shell_commands("README.md")) > 10


def test_the_python_example_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    speech = PROJECT / "examples" / "speech"
    for name in ("clip.wav", "talk.flac", "clips-of-anna/1.wav"):  # the decoder goes by the content, not the suffix
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(speech / "level.flac", tmp_path / name)
    monkeypatch.chdir(tmp_path)
    (block,) = code_blocks("README.md", "python")
    names: dict[str, object] = {}
    exec(block, names)
    assert type(names["timeline"]).__name__ == "Timeline"


def test_the_readme_is_short_and_has_markers_for_generated_tables() -> None:
    readme = read("README.md")
    assert len(readme.splitlines()) <= MAX_README_LINES
    for marker in ("results", "bench"):
        start, end = f"<!-- {marker}:start -->", f"<!-- {marker}:end -->"
        assert readme.count(start) == readme.count(end) == 1
        assert readme.index(start) < readme.index(end)


def test_the_readme_names_its_limits_first() -> None:
    first_screen = "\n".join(read("README.md").splitlines()[:24])
    for phrase in ("not felt emotion", "non-commercial", "AI Act", "much less accurate"):
        assert phrase in first_screen.replace("\n  ", " ")


def test_the_readme_lists_every_corpus() -> None:
    missing = [corpus.INFO.label for corpus in CORPORA.values() if corpus.INFO.label not in read("README.md")]
    assert not missing


def test_the_map_shows_every_package_and_module() -> None:
    tree = re.findall(r"^[├└]── ([\w.]+)/? ", read("docs/map.md"), re.MULTILINE)
    ignored = {"__pycache__"}
    assert set(tree) == {path.name for path in (PROJECT / "overtone").iterdir()} - ignored


def test_the_map_shows_the_layers() -> None:
    (block,) = re.findall(r"^## Layers\n.*?^```\n(.*?)^```", read("docs/map.md"), re.MULTILINE | re.DOTALL)
    shown = [set(line.split(" · ")) for line in block.splitlines()]
    assert shown == [set(row) - {"__main__"} for row in reversed(LAYERS) if set(row) != {"__main__"}]


def test_changelog_and_citation_have_the_version() -> None:
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert f"## [{version}]" in read("CHANGELOG.md")
    assert "## [Unreleased]" in read("CHANGELOG.md")
    assert yaml.safe_load(read("CITATION.cff"))["version"] == version


FAKE_MAKE = """#!/bin/sh
echo "start of $1"
[ "$1" = check ] && sleep 0.1
echo "end of $1"
case " $FAIL " in *" $1 "*) exit 2 ;; esac
"""


@pytest.mark.parametrize("failing", ["", "check", "test", "check test", ".venv/.installed-dev"])
def test_ci_runs_the_check_and_the_tests(tmp_path: Path, failing: str) -> None:
    for name, content in ((".ci/run", read(".ci/run")), ("bin/make", FAKE_MAKE)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o755)
    paths = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    environment |= {"PATH": paths, "FAIL": failing}
    done = subprocess.run([tmp_path / ".ci" / "run"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (not failing)
    steps = [".venv/.installed-dev"] if failing.startswith(".venv") else [".venv/.installed-dev", "check", "test"]
    lines = [f"{part} of {step}" for step in steps for part in ("start", "end")]
    assert done.stdout.splitlines() == lines, "each output in one piece, the summary of the tests last"
    assert "\nmake test " in read("README.md")


def test_the_workflow_tests_every_supported_python_and_platform() -> None:
    jobs = yaml.safe_load(read(".github/workflows/tests.yml"))["jobs"]
    classifiers = tomllib.loads(read("pyproject.toml"))["project"]["classifiers"]
    supported = [line.rpartition(" ")[2] for line in classifiers if re.search(r":: 3\.\d+$", line)]
    matrix = jobs["tests"]["strategy"]["matrix"]
    assert matrix["python"] == supported
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos"}
    commands = [step["run"] for step in jobs["windows"]["steps"] if "run" in step]
    assert commands[:2] == ["pip install .", "overtone predict examples/speech/level.flac"]
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    steps = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
    assert {step.removeprefix("make ") for step in steps if step.startswith("make ")} <= targets


def test_the_licence_is_complete() -> None:
    licence = read("LICENSE")
    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
