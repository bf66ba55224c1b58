"""The page in a real headless Chromium: it plays, follows, seeks, and asks nobody for anything."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from chromium import PHONE, Tab, chromium
from timelines import answer, branches, plain, timeline, turns

from overtone.formats import html_player
from overtone.formats.palette import contrast
from overtone.timeline import Segment, Timeline

TONE = [(0.3 * np.sin(np.arange(6 * 16_000) / 10)).astype(np.float32)]
TIME = "document.querySelector('audio').currentTime"


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with chromium() as running:
        yield running


class Opened(Tab):
    """A page of a timeline."""

    def __init__(self, browser, path: Path, **options) -> None:
        super().__init__(browser, path.as_uri(), **options)
        self.stage = self.tab.locator("#stage")

    def loaded(self) -> "Opened":
        self.until("document.querySelector('audio').readyState >= 2")
        return self

    @property
    def time_s(self) -> float:
        return self.tab.evaluate(TIME)

    @property
    def cursor_x(self) -> float:
        return self.tab.locator("#cursor").bounding_box()["x"] + 1

    def x_of(self, time_s: float) -> float:
        """Where the page draws a time."""
        return self.tab.evaluate(f"xOf({time_s}) + stage.getBoundingClientRect().left")

    def click_at(self, time_s: float) -> None:
        self.tab.mouse.click(self.x_of(time_s), self.stage.bounding_box()["y"] + 60)


@pytest.fixture
def open_page(browser, tmp_path: Path) -> Iterator:
    """Writes a timeline as a page and opens it; in the end nothing must have been asked of others, nor gone wrong."""
    opened: list[Opened] = []

    def write_and_open(given: Timeline, sound=TONE, **options) -> Opened:
        path = tmp_path / "page.html"
        with path.open("w", encoding="utf-8", newline="") as stream:
            html_player.write(given, stream, sound)
        opened.append(Opened(browser, path, **options))
        return opened[-1]

    yield write_and_open
    for one in opened:
        one.close(tmp_path.as_uri())


def test_it_plays_and_follows(open_page) -> None:
    opened = open_page(plain()).loaded()
    opened.tab.get_by_role("button", name="Play").click()
    opened.until(f"{TIME} > 1.2")
    opened.tab.get_by_role("button", name="Pause").click()
    assert opened.tab.evaluate("document.querySelector('audio').paused")
    opened.tab.wait_for_timeout(100)
    assert opened.cursor_x == pytest.approx(opened.x_of(opened.time_s), abs=2)
    assert opened.tab.locator("#now").inner_text() == "happy 81 %"
    assert opened.tab.locator("[aria-current=true]").inner_text().endswith("happy 81 %")


def test_a_click_seeks(open_page) -> None:
    opened = open_page(plain()).loaded()
    opened.click_at(4)
    assert opened.time_s == pytest.approx(4, abs=0.02)
    assert opened.cursor_x == pytest.approx(opened.x_of(4), abs=2)
    assert opened.tab.locator("#now").inner_text() == "uncertain (sad) 40 %"
    opened.tab.get_by_role("button", name="happy 81 %").click()
    assert opened.time_s == pytest.approx(1, abs=0.02)


def test_the_keyboard_does_it_all(open_page) -> None:
    opened = open_page(plain()).loaded()
    keys = opened.tab.keyboard
    keys.press("ArrowRight")
    keys.press("ArrowRight")
    keys.press("ArrowLeft")
    assert opened.time_s == pytest.approx(1, abs=0.02)
    opened.stage.focus()
    keys.press("End")
    assert opened.time_s == pytest.approx(6, abs=0.02)
    keys.press("Home")
    keys.press(" ")
    opened.until(f"{TIME} > 0.3")
    keys.press(" ")
    assert opened.tab.evaluate("document.querySelector('audio').paused")


def test_it_can_be_seen_closer(open_page) -> None:
    opened = open_page(plain()).loaded()
    overview = opened.tab.locator("#overview")
    assert overview.is_hidden()
    opened.click_at(3)
    opened.tab.keyboard.press("+")
    assert overview.is_visible()
    assert opened.x_of(4) - opened.x_of(3) == pytest.approx((opened.x_of(6) - opened.x_of(0)) / 6, abs=0.1)
    assert opened.tab.evaluate("view.to - view.from") == pytest.approx(3)
    overview.click(position={"x": 5, "y": 10})
    assert opened.tab.evaluate("view.from") == 0
    opened.tab.get_by_role("button", name="Show more").click()
    assert overview.is_hidden()


def test_pointing_shows_the_probabilities(open_page) -> None:
    opened = open_page(plain()).loaded()
    tip = opened.tab.locator("#tip")
    assert tip.is_hidden()
    opened.tab.mouse.move(opened.x_of(2.05), opened.stage.bounding_box()["y"] + 60)
    rows = tip.inner_text().split("\n")
    assert rows[:2] == ["0:02.0", "happy 81 %"]
    assert rows[2:] == ["neutral", "6 %", "happy", "81 %", "sad", "6 %", "angry", "6 %", "161 Hz, −25 dB"]
    opened.tab.mouse.move(opened.x_of(0.5), opened.stage.bounding_box()["y"] + 60)
    assert tip.inner_text().split("\n") == ["0:00.5", "no speech", "no pitch, −70 dB"]


def test_pointing_shows_what_the_branches_hear(open_page) -> None:
    opened = open_page(branches()).loaded()
    opened.tab.mouse.move(opened.x_of(3), opened.stage.bounding_box()["y"] + 60)
    told = opened.tab.locator("#tip").inner_text().split("\n")
    assert told[:3] == ["0:03.0", "uncertain (sad) 40 %", "mel angry 60 % ≠ prosody sad 60 %"]


def test_those_who_do_not_see_it_are_told(open_page) -> None:
    opened = open_page(turns("Anna", "Ben")).loaded()
    opened.click_at(1.2)
    slider = opened.tab.get_by_role("slider", name="Position in the recording")
    assert slider.get_attribute("aria-valuetext") == "0:01 / 0:06, Anna: angry 60 %, Anna: happy 90 %, Ben: angry 60 %"
    assert [slider.get_attribute(f"aria-value{name}") for name in ("min", "now", "max")] == ["0", "1", "6"]


def test_a_name_is_never_a_script(open_page) -> None:
    attack = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
    opened = open_page(timeline(Segment(1, 2, answer("sad"), attack), turns=True, source=f"{attack[:20]}.wav")).loaded()
    opened.click_at(1.5)
    assert opened.tab.locator("img").count() == 0
    assert opened.tab.locator("#now").inner_text() == f"{attack}: sad 70 %"
    assert opened.tab.locator("#tip b").last.inner_text() == f"{attack}: sad 70 %"


def test_the_sound_may_lie_beside(open_page, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a #1 50%.wav", TONE[0], 16_000)
    opened = open_page(plain(source="/elsewhere/a #1 50%.wav"), sound=None).loaded()
    opened.click_at(2)
    assert opened.time_s == pytest.approx(2, abs=0.02)
    assert opened.tab.locator("#message").inner_text() == ""


def test_a_missing_sound_is_named(open_page) -> None:
    opened = open_page(plain(), sound=None)
    opened.until("document.getElementById('message').textContent !== ''")
    assert "put “talk.wav” beside this page" in opened.tab.locator("#message").inner_text()
    opened.click_at(4)
    assert opened.tab.locator("#now").inner_text() == "uncertain (sad) 40 %"
    opened.complaints.clear()  # the browser's own word on the missing file


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_words_can_be_read(colours: str, open_page) -> None:
    opened = open_page(plain(), color_scheme=colours)
    read = "name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()"
    back, band, *inks = (opened.tab.evaluate(read, f"--{name}") for name in ("back", "band", "ink", "soft", "cursor"))
    assert opened.tab.evaluate("getComputedStyle(document.body).backgroundColor") == rgb(back)
    assert min(contrast(ink, behind) for ink in inks[:2] for behind in (back, band)) >= 4.5  # WCAG 2.2, AA
    assert contrast(inks[2], back) >= 4.5


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"


def test_it_fits_a_phone(open_page) -> None:
    opened = open_page(turns("Anna", "someone with a very long name"), viewport=PHONE, is_mobile=True, has_touch=True)
    assert opened.tab.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    for button in opened.tab.get_by_role("button").all():
        assert button.bounding_box()["height"] >= 40
    opened.loaded()
    opened.tab.touchscreen.tap(opened.x_of(3), opened.stage.bounding_box()["y"] + 60)
    opened.until(f"Math.abs({TIME} - 3) < 0.05")
