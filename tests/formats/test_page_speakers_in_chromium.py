"""The shares of the speakers on a page follow the corrections: they are those of the converted timeline."""

import csv
import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from timeline_tab import EditorTab
from timelines import (
    TEXTS,
    branch_timeline,
    channels_timeline,
    corrected_timeline,
    make_prediction,
    make_timeline,
    plain_timeline,
    turns_timeline,
    words_timeline,
)

from overtone.cli.main import main
from overtone.formats import save_timeline
from overtone.shares import ShareEstimate
from overtone.timeline import CORRECTED, Segment, Timeline

pytestmark = pytest.mark.slow
ABOUT = "document.querySelector('.about').textContent"
# Name, speech time and shares of each row.
ROWS = """[...document.querySelectorAll("#speakers tbody tr")].map((row) =>
    [...row.children].map(({ textContent }) => textContent.replaceAll("\\u00a0", " ").trim()))"""
NOTES = "[...document.querySelectorAll('#speakers .help')].map(({ textContent }) => textContent)"
KEYS = ("1", "2", "3", "4", "w", "s", "m", "a", "d", "f", "g", "n", "p", "Shift+F", "Control+z", "Control+Shift+z")


@pytest.fixture
def open_page(browser, tmp_path: Path) -> Iterator:
    """Return a function that writes a timeline as a page without audio and opens it; check errors afterwards."""
    tabs: list[EditorTab] = []

    def write_and_open(timeline: Timeline) -> EditorTab:
        save_timeline(timeline, tmp_path / "page.html", "html")
        tabs.append(EditorTab(browser, tmp_path / "page.html"))
        tabs[-1].expect_errors()  # the audio file is missing
        return tabs[-1]

    yield write_and_open
    for tab in tabs:
        tab.close(tmp_path.as_uri())


def rows(page: EditorTab) -> list[list[str]]:
    return page.tab.evaluate(ROWS)


def converted(page: EditorTab, folder: Path, format_name: str) -> Path:
    """Return the timeline of a page as `overtone convert` writes it."""
    saved, output = page.save("json", folder), folder / f"converted.{format_name}"
    assert main(["convert", str(saved), "--format", format_name, "--output", str(output)]) == 0
    return output


def table_rows(path: Path) -> list[list[str]]:
    """Return the table of the speakers in the HTML of a page."""
    section = re.search("<section id=.speakers.>(.*?)</section>", path.read_text("utf-8"), re.DOTALL)[1]
    cells = [re.findall("<td>(.*?)</td>", row) for row in section.split("<tr>")[2:]]
    return [[html.unescape(re.sub("<[^>]+>", "", cell)).strip() for cell in row] for row in cells]


def summary_shares(path: Path) -> dict[str, dict[str, float]]:
    """Return the shares in a summary, and "uncertain", by speaker; those of the recording are of "all"."""
    found: dict[str, dict[str, float]] = {}
    for row in csv.DictReader(path.read_text("utf-8").splitlines()):
        if float(row["speech_s"]):
            name = row["speaker"] or "(unknown)" if row["of"] == "speaker" else "all"
            of = found.setdefault(name, {"uncertain": float(row["uncertain_share"])})
            of[row["emotion"]] = float(row["share"])
    return found


def shown_shares(page: EditorTab) -> dict[str, dict[str, int]]:
    """Return the shares of a page in per cent, by speaker and emotion; the only speaker is "all", too."""
    shares = {
        name: {emotion: int(percent) for emotion, percent in re.findall(r"(\S.*?) (\d+) %", text)}
        for name, _, text in rows(page)
    }
    return shares if len(shares) != 1 else {**shares, "all": next(iter(shares.values()))}


TIMELINES = {
    "plain": plain_timeline(),
    "branches": branch_timeline(),
    "turns": turns_timeline("Anna", "Ben", ""),
    "words": words_timeline(*TEXTS),
    "corrected": corrected_timeline("tired", "sad"),
    "channels": channels_timeline("agent", "customer", "silent"),
    "silent turn": make_timeline(Segment(1, 2, None, "Cleo"), Segment(2, 4, None, "Dan"), turns=True),
}


@pytest.mark.parametrize("timeline", TIMELINES.values(), ids=TIMELINES)
def test_the_table_is_that_of_the_converted_timeline(open_page, tmp_path: Path, timeline: Timeline) -> None:
    page, rng = open_page(timeline), np.random.default_rng(3)
    before = rows(page), page.tab.evaluate(ABOUT), page.tab.evaluate(NOTES)
    page.start()
    for _ in range(4):
        for key in rng.choice(KEYS, 6):
            page.tab.evaluate(f"audio.pause(); seek({rng.uniform(0, 6)})")
            page.press(key)
        page.press("o")
        page.tab.get_by_label("Another label").fill("at ease")
        page.tab.get_by_label("Another label").press("Enter")
        page.tab.locator("#stage").focus()
        output = converted(page, tmp_path, "html")
        assert rows(page) == table_rows(output)
        about = re.search('<p class="about">(.*?)</p>', output.read_text("utf-8"))[1]
        assert page.tab.evaluate(ABOUT) == re.sub("<[^>]+>", "", about)
        expected, shown = summary_shares(converted(page, tmp_path, "summary")), shown_shares(page)
        assert "all" in shown and shown.keys() >= expected.keys()
        for name, shares in expected.items():
            for label, share in shares.items():
                assert shown[name].get(label, 0) == pytest.approx(100 * share, abs=0.501), (name, label)
        (note,) = page.tab.evaluate(NOTES)
        assert CORRECTED in note and "estimated:" not in page.tab.locator("#speakers").text_content()
    page.press(*["Control+z"] * 60)
    assert (rows(page), page.tab.evaluate(ABOUT), page.tab.evaluate(NOTES)) == before


def test_estimates_are_shown_as_long_as_nothing_is_corrected(open_page, tmp_path: Path) -> None:
    estimates = tuple(ShareEstimate(0.25, 0.1, 0.6) for _ in range(4))
    timeline = replace(plain_timeline(), share_estimates=(estimates, estimates), no_estimates="")
    page = open_page(timeline).start()
    section = page.tab.locator("#speakers")
    assert "estimated: " in section.text_content()
    assert "estimated: " in converted(page, tmp_path, "html").read_text("utf-8"), "nothing is corrected yet"
    page.press("f")  # an edge is moved: no emotion is decided
    assert "estimated: " not in section.text_content() and CORRECTED in section.text_content()
    assert CORRECTED in converted(page, tmp_path, "html").read_text("utf-8")
    page.tab.reload()
    assert "estimated: " not in section.text_content(), "the corrections are kept"
    page.start()
    page.press("Control+z")
    assert "estimated: " in section.text_content() and CORRECTED not in section.text_content()


def test_the_mean_of_a_half_is_rounded_as_in_the_files(open_page, tmp_path: Path) -> None:
    happy, sad = (Segment(start, end, make_prediction(name)) for start, end, name in [(0, 1, "happy"), (1, 8, "sad")])
    page = open_page(make_timeline(happy, sad, duration_s=8)).start()
    page.press("2")  # confirmed: 12.5 % and 87.5 %
    assert (
        rows(page) == table_rows(converted(page, tmp_path, "html")) == [["(unknown)", "0:08", "sad 88 %  happy 12 %"]]
    )
