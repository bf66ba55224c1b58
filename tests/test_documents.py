"""What the documents promise is there: files, links, targets, commands, markers, version."""

import re
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
PAGES = (
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md"),
    *("docs/map.md", "docs/forms.md", "docs/scale.md", "docs/sound.md", "docs/serve.md"),
)
MADE_BY_COMMANDS: tuple[str, ...] = ()


def text_of(page: str) -> str:
    """A page of the project."""
    return (PROJECT / page).read_text("utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)", text_of(page))
    for target in targets:
        if not target.startswith("https://") and target not in MADE_BY_COMMANDS:
            assert ((PROJECT / page).parent / target).exists(), f"{page}: {target}"


@pytest.mark.parametrize("page", PAGES)
def test_files_named_are_there(page: str) -> None:
    named = re.findall(r"`((?:overtone|tests|docs|examples|benchmarks)/[\w./-]+)`", text_of(page))
    missing = [name for name in named if name not in MADE_BY_COMMANDS and not (PROJECT / name).exists()]
    assert not missing, f"{page} names {missing}"


@pytest.mark.parametrize("page", PAGES)
def test_make_targets_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))
    asked = set(re.findall(r"(?:`|^)make (?:PYTHON=\S+ )?([a-z]+)", text_of(page), re.MULTILINE))
    assert asked <= targets, f"{page} asks for {asked - targets}"


def test_every_room_is_on_the_map() -> None:
    plan = text_of("docs/map.md")
    ignored = ("__pycache__", "__init__.py", "__main__.py")
    rooms = [path.name for path in (PROJECT / "overtone").iterdir() if path.name not in ignored]
    missing = [room for room in rooms if not re.search(rf"^[├└]── {re.escape(room)}/? ", plan, re.MULTILINE)]
    assert not missing, f"docs/map.md does not draw {missing}"


@pytest.mark.parametrize("marker", ["results", "bench"])
def test_readme_has_room_for_what_commands_write(marker: str) -> None:
    readme = text_of("README.md")
    start, end = f"<!-- {marker}:start -->", f"<!-- {marker}:end -->"
    assert readme.count(start) == readme.count(end) == 1
    assert readme.index(start) < readme.index(end)


def test_changelog_knows_the_version() -> None:
    version = tomllib.loads(text_of("pyproject.toml"))["project"]["version"]
    assert f"## [{version}]" in text_of("CHANGELOG.md")


def test_ci_runs_the_test_command_of_the_readme_and_the_check() -> None:
    commands = re.findall(r"^make \w+", text_of(".ci/run"), re.MULTILINE)
    assert commands == ["make check", "make test"], "the summary of the tests comes last"
    assert "\nmake test " in text_of("README.md")


def test_licence_is_whole() -> None:
    licence = text_of("LICENSE")
    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
