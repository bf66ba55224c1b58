"""The reproduction of the paper: four protocols in one report, six figures, both tables, the published results."""

import json
import re
from pathlib import Path

import pytest
import small_corpus
from small_corpus import PARTS, Corpus

from overtone.errors import CorpusError, OptionError
from overtone.training import cross_validation
from overtone.training.reproduce import PAPER_PROTOCOLS, PROTOCOLS, PUBLISHED, reproduce, score_rows

PROJECT = Path(__file__).resolve().parents[2]
LEAKS = {("paper", "fusion"), ("paper-duplicated", "prosody"), ("paper-duplicated", "fusion")}
PNG = b"\x89PNG\r\n"


def cells(line: str) -> list[str]:
    """Return the cells of a row of a Markdown table."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def test_the_report_has_six_figures(reproduced: Path) -> None:
    names = {f"{kind}-{part}.png" for kind in ("curves", "confusion") for part in PARTS}
    assert {path.name for path in (reproduced / "figures").iterdir()} == names
    assert all(path.read_bytes().startswith(PNG) for path in (reproduced / "figures").iterdir())
    text, page = ((reproduced / name).read_text("utf-8") for name in ("report.md", "report.html"))
    assert all(f"(figures/{name})" in text for name in names)
    assert page.count('src="data:image/png;base64,') == 6
    assert not re.search(r'(src|href)="(?!data:|#)', page), "the page must be self-contained"


def test_the_table_compares_protocols_with_audit_and_published_results(reproduced: Path) -> None:
    lines = (reproduced / "report.md").read_text("utf-8").splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("| Model"))
    header, rows = cells(lines[start]), [cells(line) for line in lines[start + 2 : start + 2 + 12]]
    table = [dict(zip(header, row, strict=True)) for row in rows]
    assert [(row["Model"], row["Protocol"]) for row in table] == [
        (f"phased recipe, {part}", protocol) for protocol in PROTOCOLS for part in PARTS
    ]
    for row in table:
        part = row["Model"].removeprefix("phased recipe, ")
        assert row["Published"] == (PUBLISHED[part] if row["Protocol"] in PAPER_PROTOCOLS else "–")
        assert (row["Test clips trained on"] != "0 %") == ((row["Protocol"], part) in LEAKS)
        assert (row["Speakers trained on"] == "0 %") == (row["Protocol"] == "luna5")
        tenth = part == "mel" and row["Protocol"] in PAPER_PROTOCOLS
        assert row["Clips"] == ("96" if row["Protocol"] == "luna5" else "10" if tenth else "20")


def test_every_model_has_a_table_of_classes(reproduced: Path) -> None:
    text = (reproduced / "report.md").read_text("utf-8")
    for protocol in PROTOCOLS:
        for part in PARTS:
            assert f"### phased recipe, {part} ({protocol})" in text
    assert text.count("| Emotion") == 12
    assert "Best class" in text and "disgust and sad for the fusion" in text


def test_rows_are_read_from_the_stored_predictions(reproduced: Path) -> None:
    rows = score_rows(reproduced, "phased")
    assert [row.published for row in rows] == 2 * [PUBLISHED[part] for part in PARTS] + [""] * 6
    assert {path.name for path in (reproduced / "oof").iterdir()} == {
        name
        for protocol in PROTOCOLS
        for name in (f"{protocol}-phased.json", *(f"{protocol}-phased-{part}.csv" for part in PARTS))
    }


def test_a_second_call_trains_nothing_and_writes_the_same_report(
    reproduced: Path, smaller_corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> str:
        pytest.fail("something was trained")

    for name in ("train", "load_features"):
        monkeypatch.setattr(cross_validation, name, fail)
    before = [(reproduced / name).read_bytes() for name in ("report.md", "report.html")]
    recipe = small_corpus.recipe(small_corpus.PHASED)
    paths = reproduce(smaller_corpus.clips, recipe, reproduced, launcher=fail, processes=2)
    assert paths == (reproduced / "report.md", reproduced / "report.html")
    assert [path.read_bytes() for path in paths] == before


def test_a_recipe_that_trains_parts_together_is_refused(smaller_corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="recipe 'joint' trains several together"):
        reproduce(smaller_corpus.clips, small_corpus.recipe(small_corpus.JOINT), tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_clips_that_do_not_fit_the_last_protocol_are_refused_before_the_first(
    smaller_corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("train", "load_features"):
        monkeypatch.setattr(cross_validation, name, lambda *a, **k: pytest.fail("something was trained"))
    recipe = small_corpus.recipe(small_corpus.PHASED)
    few = tuple(clip for clip in smaller_corpus.clips if clip.speaker <= "20")
    assert cross_validation.make_run_configs(few, recipe, "paper", [0]) and cross_validation.make_run_configs(
        few, recipe, "random", [0]
    )
    with pytest.raises(CorpusError, match=r"luna5.*no clip of actor 21"):
        reproduce(few, recipe, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_the_published_results_match_the_results_file() -> None:
    sections = json.loads((PROJECT / "results" / "published_results.json").read_text("utf-8"))["sections"]
    rows = {row["part"]: row for section in sections if section["protocol"] == "paper" for row in section["rows"]}
    metrics = {"wa": "accuracy", "macro_f1": "macro-F1"}
    assert {
        part: ", ".join(f"{rows[part][key]} {name}" for key, name in metrics.items() if key in rows[part])
        for part in PARTS
    } == PUBLISHED
