"""The page in headless Chromium: playback, seeking, zoom, accessibility; and no request to another server."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from chromium import PHONE
from timeline_tab import TimelineTab
from timelines import (
    branch_timeline,
    channels_timeline,
    make_prediction,
    make_timeline,
    plain_timeline,
    turns_timeline,
)

from overtone.formats import html_player
from overtone.formats.palette import contrast
from overtone.speaker_turns import read_turns
from overtone.timeline import Segment, Timeline

pytestmark = pytest.mark.slow
TONE = [(0.3 * np.sin(np.arange(6 * 16_000) / 10)).astype(np.float32)]
CURRENT_TIME = "document.querySelector('audio').currentTime"


class PlayerTab(TimelineTab):
    """A tab with the page of a timeline, and what is at a time."""

    def __init__(self, browser, path: Path, **options) -> None:
        super().__init__(browser, path.as_uri(), **options)
        self.stage = self.tab.locator("#stage")

    @property
    def time_s(self) -> float:
        return self.tab.evaluate(CURRENT_TIME)

    @property
    def cursor_x(self) -> float:
        return self.tab.locator("#cursor").bounding_box()["x"] + 1

    def x_of(self, time_s: float) -> float:
        """Return the horizontal position of a time in the window."""
        return self.tab.evaluate(f"xOf({time_s}) + stage.getBoundingClientRect().left")

    def click_at(self, time_s: float) -> None:
        self.tab.mouse.click(self.x_of(time_s), self.stage.bounding_box()["y"] + 60)

    def hover_at(self, time_s: float) -> None:
        self.tab.mouse.move(self.x_of(time_s), self.stage.bounding_box()["y"] + 60)


@pytest.fixture
def open_page(browser, tmp_path: Path) -> Iterator:
    """Return a function that writes a timeline as a page and opens it; check errors and requests afterwards."""
    tabs: list[PlayerTab] = []

    def write_and_open(timeline: Timeline, audio=TONE, **options) -> PlayerTab:
        path = tmp_path / "page.html"
        with path.open("w", encoding="utf-8", newline="") as stream:
            html_player.write(timeline, stream, audio)
        tabs.append(PlayerTab(browser, path, **options))
        return tabs[-1]

    yield write_and_open
    for tab in tabs:
        tab.close(tmp_path.as_uri())


def test_it_plays_and_moves_the_cursor(open_page) -> None:
    # Long, as a slow machine pauses late.
    timeline = make_timeline(Segment(0, 1), Segment(1, 60, make_prediction("happy", 0.8125)), duration_s=60)
    page = open_page(timeline, audio=10 * TONE).wait_for_audio()
    page.tab.get_by_role("button", name="Play").click()
    page.wait_until("now > 1.2")
    page.tab.get_by_role("button", name="Pause").click()
    assert page.tab.evaluate("document.querySelector('audio').paused")
    page.wait_until(f"now === {CURRENT_TIME}")
    assert page.cursor_x == pytest.approx(page.x_of(page.time_s), abs=2)
    assert page.tab.locator("#now").inner_text() == "happy 81 %"
    # Not `inner_text`: the browser does not render segments below the window.
    assert page.tab.locator("[aria-current=true]").text_content().endswith("happy 81 %")


def test_a_click_seeks(open_page) -> None:
    page = open_page(plain_timeline()).wait_for_audio()
    page.click_at(4)
    assert page.time_s == pytest.approx(4, abs=0.02)
    assert page.cursor_x == pytest.approx(page.x_of(4), abs=2)
    assert page.tab.locator("#now").inner_text() == "uncertain (sad) 40 %"
    page.tab.get_by_role("button", name="happy 81 %").click()
    assert page.time_s == pytest.approx(1, abs=0.02)


def test_it_is_controlled_by_the_keyboard(open_page) -> None:
    page = open_page(plain_timeline()).wait_for_audio()
    keyboard = page.tab.keyboard
    keyboard.press("ArrowRight")
    keyboard.press("ArrowRight")
    keyboard.press("ArrowLeft")
    assert page.time_s == pytest.approx(1, abs=0.02)
    page.stage.focus()
    keyboard.press("End")
    assert page.time_s == pytest.approx(6, abs=0.02)
    keyboard.press("Home")
    keyboard.press(" ")
    page.wait_until(f"{CURRENT_TIME} > 0.3")
    keyboard.press(" ")
    assert page.tab.evaluate("document.querySelector('audio').paused")


def test_it_zooms(open_page) -> None:
    page = open_page(plain_timeline()).wait_for_audio()
    overview = page.tab.locator("#overview")
    assert overview.is_hidden()
    page.click_at(3)
    page.tab.keyboard.press("+")
    assert overview.is_visible()
    assert page.x_of(4) - page.x_of(3) == pytest.approx((page.x_of(6) - page.x_of(0)) / 6, abs=0.1)
    assert page.tab.evaluate("view.to - view.from") == pytest.approx(3)
    overview.click(position={"x": 5, "y": 10})
    assert page.tab.evaluate("view.from") == 0
    page.tab.get_by_role("button", name="Zoom out").click()
    assert overview.is_hidden()
    page.tab.get_by_role("button", name="Zoom in").click()
    assert overview.is_visible()


def test_hovering_shows_the_probabilities(open_page) -> None:
    page = open_page(plain_timeline()).wait_for_audio()
    tip = page.tab.locator("#tip")
    assert tip.is_hidden()
    page.hover_at(2.05)
    lines = tip.inner_text().split("\n")
    assert lines[:2] == ["0:02.0", "happy 81 %"]
    assert lines[2:] == ["neutral", "0.06", "happy", "0.81", "sad", "0.06", "angry", "0.06", *lines[-2:]]
    assert lines[-2:] == ["161 Hz, −25 dB", "arousal 0.88, valence 0.84"]
    page.hover_at(0.5)
    assert tip.inner_text().split("\n") == ["0:00.5", "no speech", "no pitch, −70 dB"]


def test_hovering_shows_the_branches(open_page) -> None:
    page = open_page(branch_timeline()).wait_for_audio()
    page.hover_at(3)
    lines = page.tab.locator("#tip").inner_text().split("\n")
    assert lines[:3] == ["0:03.0", "uncertain (sad) 40 %", "parts disagree: spectrum angry 60 %, melody sad 60 %"]


def test_each_channel_has_tracks_of_its_own(open_page) -> None:
    page = open_page(channels_timeline("agent", "customer", "silent")).wait_for_audio()
    one = open_page(plain_timeline()).stage.bounding_box()["height"]
    assert page.stage.bounding_box()["height"] > 2.5 * one
    page.click_at(0.7)
    assert page.tab.locator("#now").inner_text() == "agent: angry 60 %, customer: happy 60 %"
    page.hover_at(0.7)
    lines = page.tab.locator("#tip").inner_text().splitlines()
    agent, customer, silent = (lines.index(name) for name in ("agent", "customer", "silent"))
    assert "angry" in lines[agent:customer] and lines[agent:customer].count("0.60") == 1
    assert lines[customer:silent].count("0.60") == 1
    assert lines[silent + 1] == "no pitch, −70 dB"


def test_the_position_is_accessible_to_screen_readers(open_page) -> None:
    page = open_page(turns_timeline("Anna", "Ben")).wait_for_audio()
    page.click_at(1.2)
    slider = page.tab.get_by_role("slider", name="Position in the recording")
    assert slider.get_attribute("aria-valuetext") == "0:01 / 0:06, Anna: angry 60 %, Anna: happy 90 %, Ben: angry 60 %"
    assert [slider.get_attribute(f"aria-value{name}") for name in ("min", "now", "max")] == ["0", "1", "6"]


def test_names_cannot_inject_scripts(open_page) -> None:
    attack = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
    segment = Segment(1, 2, make_prediction("sad"), attack)
    page = open_page(make_timeline(segment, turns=True, source=f"{attack[:20]}.wav")).wait_for_audio()
    page.click_at(1.5)
    assert page.tab.locator("img").count() == 0
    assert page.tab.locator("#now").inner_text() == f"{attack}: sad 70 %"
    assert page.tab.locator("#tip b").last.inner_text() == f"{attack}: sad 70 %"


PAYLOADS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<!--<script>",
    "]]><script>alert(1)</script>",
    "${alert(1)}`;alert(1)//",
    "\\u003cscript\\u003ealert(1)",
    "<a href='javascript:alert(1)'>",
    "</style><style>@import 'http://localhost/x';",
    "\u2028alert(1)",
)


def test_names_and_words_of_turns_run_no_script(open_page, tmp_path: Path) -> None:
    turns = [{"start": k / 4, "end": k / 4 + 1, "speaker": text, "text": text} for k, text in enumerate(PAYLOADS)]
    (tmp_path / "turns.json").write_text(json.dumps(turns))
    segments = [replace(turn, prediction=make_prediction("sad")) for turn in read_turns(tmp_path / "turns.json")]
    dialogs: list[str] = []
    page = open_page(make_timeline(*segments, turns=True, source=f"{PAYLOADS[0]}.wav")).wait_for_audio()
    page.tab.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    for segment in segments:
        page.click_at(segment.start_s + 0.2)
    texts = page.tab.locator("#segments .text").all_text_contents()
    assert texts == page.tab.locator("#segments .speaker").all_text_contents() == [turn.text for turn in segments]
    tips = page.tab.locator("#tip small").all_text_contents()
    assert texts[-1] in tips
    for tag in ("img", "svg", "iframe", "a", "main script"):
        assert page.tab.locator(tag).count() == 0
    assert dialogs == [] and page.tab.evaluate("document.scripts.length") == 4


def test_it_plays_an_audio_file_in_its_folder(open_page, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a #1 50%.wav", TONE[0], 16_000)
    page = open_page(plain_timeline(source="/elsewhere/a #1 50%.wav"), audio=None).wait_for_audio()
    page.click_at(2)
    assert page.time_s == pytest.approx(2, abs=0.02)
    assert page.tab.locator("#message").inner_text() == ""


def test_a_missing_audio_file_is_named(open_page) -> None:
    page = open_page(plain_timeline(), audio=None)
    page.wait_until("document.getElementById('message').textContent !== ''")
    assert "“talk.wav”" in page.tab.locator("#message").inner_text()
    page.click_at(4)
    assert page.tab.locator("#now").inner_text() == "uncertain (sad) 40 %"
    page.expect_errors()  # the browser logs the missing file


@pytest.mark.parametrize("colour_scheme", ["light", "dark"])
def test_text_has_enough_contrast(colour_scheme: str, open_page) -> None:
    page = open_page(plain_timeline(), color_scheme=colour_scheme)
    read = "name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()"
    back, band, *inks = (page.tab.evaluate(read, f"--{name}") for name in ("back", "band", "ink", "soft", "cursor"))
    assert page.tab.evaluate("getComputedStyle(document.body).backgroundColor") == css_rgb(back)
    assert min(contrast(ink, background) for ink in inks[:2] for background in (back, band)) >= 4.5  # WCAG 2.2, AA
    assert contrast(inks[2], back) >= 4.5


def css_rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[start : start + 2], 16)) for start in (1, 3, 5))})"


def test_it_fits_a_phone(open_page) -> None:
    timeline = turns_timeline("Anna", "someone with a very long name")
    page = open_page(timeline, viewport=PHONE, is_mobile=True, has_touch=True)
    assert page.tab.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    for button in page.tab.get_by_role("button").all():
        assert button.bounding_box()["height"] >= 40
    page.wait_for_audio()
    page.tab.touchscreen.tap(page.x_of(3), page.stage.bounding_box()["y"] + 60)
    page.wait_until(f"Math.abs({CURRENT_TIME} - 3) < 0.05")
