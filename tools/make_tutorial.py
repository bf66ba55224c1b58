"""`python -m tools.make_tutorial [--data DIR]`: run docs/tutorial.md, and write it as the notebook docs/tutorial.ipynb.

With --data, the folder of RAVDESS, every block runs in a copy of the package, and the outputs in the page and the table
of durations are replaced; without it, only the notebook is made from the page. Run it in the project folder.

The info string of a block says what it is: `sh` and `python` run; a language with a path is written to that file;
`diff` is applied; `text` after one of them is its output.
"""

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from overtone._internal.atomic_write import write_text
from overtone.cli.progress import duration
from overtone.errors import InputError, OvertoneError

PROJECT = Path(__file__).resolve().parent.parent
PAGE, NOTEBOOK = PROJECT / "docs" / "tutorial.md", PROJECT / "docs" / "tutorial.ipynb"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
DURATIONS = re.compile(r"(?<=<!-- durations:start -->\n).*?(?=<!-- durations:end -->)", re.DOTALL)
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Piece:
    """Text of the page, or a block of code.

    Attributes:
        text: the Markdown, or the code.
        language: "" for Markdown.
        file: path that a block is written to; "" for none.
    """

    text: str
    language: str = ""
    file: str = ""

    @property
    def markdown(self) -> str:
        """The piece as it stands in the page."""
        info = f"{self.language} {self.file}".rstrip()
        return f"```{info}\n{self.text}```\n" if self.language else self.text


def parse(page: str) -> list[Piece]:
    """The pieces of a page, in order; their `markdown`, joined, is the page."""
    pieces, position = [], 0
    for match in BLOCK.finditer(page):
        pieces.append(Piece(page[position : match.start()]))
        pieces.append(Piece(match[3], match[1], match[2] or ""))
        position = match.end()
    return [piece for piece in (*pieces, Piece(page[position:])) if piece.text or piece.language]


@dataclass(frozen=True)
class Workplace:
    """A copy of the package, in which the blocks of a page run.

    Attributes:
        folder: of the copy.
        environment: variables of the processes.
    """

    folder: Path
    environment: dict[str, str]

    def run(self, piece: Piece) -> str:
        """Run a block; return what it prints on stdout.

        Raises:
            InputError: it fails; the message ends with what it printed on stderr.
        """
        if piece.file:
            (self.folder / piece.file).write_text(piece.text, "utf-8")
            return ""
        commands = {"sh": ["bash", "-e"], "python": [sys.executable, "-"], "diff": ["git", "apply", "-"]}
        process = subprocess.run(
            commands[piece.language],
            input=piece.text, capture_output=True, text=True, check=False, cwd=self.folder, env=self.environment,
        )  # fmt: skip
        if process.returncode:
            raise InputError(f"docs/tutorial.md: this block failed:\n{piece.text}\n{process.stderr[-2000:]}")
        return process.stdout


def make_workplace(folder: Path, ravdess: Path) -> Workplace:
    """A copy of the package with the corpus in `data/ravdess` and the command `overtone` on the PATH.

    Args:
        folder: an empty folder.
        ravdess: folder of RAVDESS.
    """
    shutil.copytree(PROJECT / "overtone", folder / "overtone", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "data").mkdir()
    (folder / "data" / "ravdess").symlink_to(ravdess.resolve(), target_is_directory=True)
    (folder / "bin").mkdir()
    command = folder / "bin" / "overtone"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m overtone "$@"\n')
    command.chmod(0o755)
    caches = {"XDG_CACHE_HOME": str(folder / "cache"), "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return Workplace(folder, {**os.environ, **caches, "PATH": path, "PYTHONPATH": str(folder), "COLUMNS": "120"})


def run(pieces: Sequence[Piece], workplace: Workplace) -> tuple[list[Piece], dict[str, tuple[float, float]]]:
    """Run all blocks; return the pieces with new outputs, and section -> seconds and CPU seconds."""
    found: list[Piece] = []
    section, output, durations = "", "", dict[str, tuple[float, float]]()
    for piece in pieces:
        if not piece.language:
            section = ([section, *HEADING.findall(piece.text)])[-1]
        elif piece.language == "text":
            piece = replace(piece, text=output)
        else:
            start_s, start_cpu_s = time.monotonic(), _cpu_s()
            output = workplace.run(piece)
            wall_s, cpu_s = durations.get(section, (0.0, 0.0))
            durations[section] = (wall_s + time.monotonic() - start_s, cpu_s + _cpu_s() - start_cpu_s)
        found.append(piece)
    return found, durations


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def duration_table(durations: dict[str, tuple[float, float]]) -> str:
    """A table of the durations of the sections, as Markdown."""
    rows = [f"| {name} | {duration(wall_s)} | {duration(cpu_s)} |" for name, (wall_s, cpu_s) in durations.items()]
    head = ["| Section | Time | CPU time |", "| --- | ---: | ---: |"]
    note = (
        f"Measured on {os.cpu_count()} cores that other programs used at the same time, with "
        f"{os.environ.get('OMP_NUM_THREADS', 'all')} thread(s): on an idle core, a section takes about its CPU time."
    )
    return "\n".join(["", *head, *rows, "", note, "", ""])


def notebook(pieces: Sequence[Piece]) -> dict[str, Any]:
    """The notebook with these pieces, in the format nbformat 4.5."""
    cells: list[dict[str, Any]] = []
    for piece in pieces:
        common = {"id": f"cell-{len(cells)}", "metadata": {}}
        if piece.language == "text":
            if piece.text:
                cells[-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": _lines(piece.text)}]
        elif piece.language:
            code = {"cell_type": "code", "execution_count": None, "outputs": [], "source": _lines(_cell(piece))}
            cells.append({**common, **code})
        elif piece.text.strip():
            cells.append({**common, "cell_type": "markdown", "source": _lines(piece.text.strip())})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _cell(piece: Piece) -> str:
    """The code of a cell that does the same as a block."""
    if piece.file:
        return f"%%writefile {piece.file}\n{piece.text}"
    if piece.language == "diff":
        return f"%%bash\ngit apply <<'END'\n{piece.text}END"
    return f"%%bash\n{piece.text}" if piece.language == "sh" else piece.text


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def notebook_text(page: str) -> str:
    """The notebook of a page, as JSON."""
    return json.dumps(notebook(parse(page)), indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the page, if it was run, and the notebook; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.make_tutorial", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", metavar="DIR", type=Path, help="folder of RAVDESS, to run the blocks")
    args = parser.parse_args(arguments)
    page = PAGE.read_text("utf-8")
    try:
        if args.data is not None:
            with tempfile.TemporaryDirectory() as folder:
                pieces, durations = run(parse(page), make_workplace(Path(folder), args.data))
            page = DURATIONS.sub(lambda _: duration_table(durations), "".join(piece.markdown for piece in pieces))
            write_text(PAGE, page)
        write_text(NOTEBOOK, notebook_text(page))
    except OvertoneError as error:
        print(f"make_tutorial: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
