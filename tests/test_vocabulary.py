"""Code and documents use the field's standard terms: words that this project once used instead do not come back."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
FOLDERS = ("overtone", "docs", "tools", "benchmarks", "examples", "experiments", "deploy", "tests")
PAGES = ("README.md", "CONTRIBUTING.md", "Makefile", "pyproject.toml")  # the changelog names what was renamed
SUFFIXES = {".py", ".md", ".toml", ".js", ".html", ".css", ".yaml"}
WORDS = (
    *(
        "houses?",
        r"house-?keep\w*",
        "desks?",
        "plug-?boards?",
        "peers",
        "anew",
        "begun",
        "films?",
        "likeliest",
        "beside",
    ),
    *("hears", "heard", "unheard", "told", "untold", "whoever", "nobody", "somebody", "unanimous", "sorted out"),
    *("mel pictures?", "pictures? of", "learned from", "from nothing", "what is usual", "usual for (?:the|a) voice"),
    *("whole or not at all", "goes on where", "who ?asks", "lies in"),
)
PATTERN = re.compile(rf"\b({'|'.join(WORDS)})\b", re.IGNORECASE)
EXCEPTIONS: dict[str, set[str]] = {}  # file -> words, in lower case, that it needs


def rejected_words(text: str, allowed: frozenset[str] | set[str] = frozenset()) -> list[str]:
    """Return the rejected words of a text as `line: word`."""
    found = ((number, word) for number, line in enumerate(text.splitlines(), 1) for word in PATTERN.findall(line))
    return [f"{number}: {word}" for number, word in found if word.lower() not in allowed]


def test_files_use_standard_terms() -> None:
    paths = [path for folder in FOLDERS for path in (PROJECT / folder).rglob("*") if path.suffix in SUFFIXES]
    names = {path.relative_to(PROJECT).as_posix() for path in paths if path != Path(__file__).resolve()} | {*PAGES}
    found = {name: rejected_words((PROJECT / name).read_text("utf-8"), EXCEPTIONS.get(name, set())) for name in names}
    found = {name: words for name, words in sorted(found.items()) if words}
    assert not found, "\n".join(f"{name}: {', '.join(words)}" for name, words in found.items())


@pytest.mark.parametrize("text", ["A desk\nof films.", "what was Heard", "nobody", "a picture of the voice"])
def test_other_terms_are_found(text: str) -> None:
    assert len(rejected_words(text)) == len(text.splitlines())
    assert not rejected_words(text, {"desk", "films", "heard", "nobody", "picture of"})
