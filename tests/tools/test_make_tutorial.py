"""The tutorial: its blocks run on synthetic speech, and the notebook is the same as the page."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import small_corpus

from overtone.errors import InputError
from tools.make_tutorial import (
    NOTEBOOK,
    PAGE,
    Piece,
    duration_table,
    make_workplace,
    notebook,
    notebook_text,
    parse,
    run,
)

MAX_NOTEBOOK_BYTES = 100_000


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text("utf-8")


def test_the_pieces_are_the_page(page: str) -> None:
    assert "".join(piece.markdown for piece in parse(page)) == page
    assert {piece.language for piece in parse(page)} == {"", "sh", "python", "toml", "diff", "text"}


def test_the_notebook_is_that_of_the_page_and_small(page: str) -> None:
    text = NOTEBOOK.read_text("utf-8")
    assert text == notebook_text(page), "run: python -m tools.make_tutorial"
    assert len(text.encode()) < MAX_NOTEBOOK_BYTES
    cells = json.loads(text)["cells"]
    assert all(cell["cell_type"] in ("markdown", "code") and cell["source"] for cell in cells)
    outputs = [cell["outputs"] for cell in cells if cell["cell_type"] == "code"]
    assert sum(map(bool, outputs)) == sum(piece.language == "text" for piece in parse(page))


def test_cells_do_what_blocks_do() -> None:
    blocks = "```toml a.toml\nx = 1\n```\n```diff\n-a\n```\n```sh\nls\n```\n```text\na\n```\n```python\n1\n```\n"
    cells = notebook(parse(f"Text\n{blocks}".replace("```text", "\n```text")))["cells"]
    assert ["".join(cell["source"]) for cell in cells] == [
        "Text", "%%writefile a.toml\nx = 1\n", "%%bash\ngit apply <<'END'\n-a\nEND", "%%bash\nls\n", "1\n",
    ]  # fmt: skip
    assert cells[3]["outputs"] == [{"output_type": "stream", "name": "stdout", "text": ["a\n"]}]


def test_a_failing_block_is_named(tmp_path: Path) -> None:
    workplace = make_workplace(tmp_path, tmp_path)
    with pytest.raises(InputError, match=r"this block failed:\nls no-such-file\n\n.*no-such-file"):
        run(parse("```sh\nls no-such-file\n```\n"), workplace)


def test_durations_are_added_up_by_section(tmp_path: Path) -> None:
    page = "## One\n\n```sh\ntrue\n```\n```sh\nsleep 0.2\n```\n## Two\n\n```sh\necho done\n```\n```text\nold\n```\n"
    pieces, durations = run(parse(page), make_workplace(tmp_path, tmp_path))
    assert list(durations) == ["One", "Two"] and durations["One"][0] > 0.2
    assert pieces[-1].text == "done\n"
    assert "| One | 0 s | 0 s |" in duration_table({"One": (0.2, 0.0)})


@pytest.mark.slow
def test_every_block_of_the_tutorial_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    corpus = small_corpus.write(tmp_path / "ravdess")
    (tmp_path / "clone").mkdir()
    workplace = make_workplace(tmp_path / "clone", corpus)
    quick = [_quick(piece) if piece.file == "small.toml" else piece for piece in parse(page)]
    pieces, _ = run(quick, workplace)
    outputs = [piece.text for piece in pieces if piece.language == "text"]
    scores = [text for text in outputs if "report.html" in text]
    for name, text in zip(("small", "wider", "centroid"), scores, strict=True):
        assert re.search(rf"^{name}, fusion, luna5: UAR \d+", text, re.MULTILINE)
        assert "0 of 5 test speakers" in text
    assert "0.500 kHz\n1.000 kHz\n4.000 kHz\n" in outputs
    assert "Comparison of small, wider, centroid" in outputs[-2]
    assert outputs[-1].count("\n") == 4, "the table of the comparison, with a row per model"
    assert (workplace.folder / "runs" / "centroid" / "model.onnx").is_file()
    assert not (PAGE.parents[1] / "overtone" / "features" / "spectral_centroid.py").exists(), "it ran in a copy"


def _quick(piece: Piece) -> Piece:
    """Return the recipe with fewer epochs."""
    return replace(piece, text=piece.text.replace("epochs = 8", "epochs = 2"))
