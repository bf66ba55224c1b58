"""One page of a timeline in two tabs: neither replaces the corrections of the other."""

from pathlib import Path

import pytest
from chromium import chromium
from timeline_tab import SEGMENTS, EditorTab
from timelines import plain_timeline

from overtone.formats import save_timeline

pytestmark = pytest.mark.slow


def test_a_tab_shows_the_corrections_of_another_one(tmp_path: Path) -> None:
    save_timeline(plain_timeline(), tmp_path / "page.html", "html")
    with chromium() as browser:
        page = EditorTab(browser, tmp_path / "page.html").start()
        page.expect_errors()  # the audio file is missing
        other = page.context.new_page()
        other.goto(page.tab.url)
        original = page.segments()
        other.get_by_role("button", name="Correct", exact=True).click()
        other.keyboard.press("4")
        corrected = other.evaluate(SEGMENTS)
        assert corrected != original
        page.tab.locator("#correction-status", has_text="Kept in this browser").wait_for()
        assert page.segments() == corrected
        page.press("n", "w")
        both = page.segments()
        other.locator("#segments .label", has_text="wrong (").wait_for()
        assert other.evaluate(SEGMENTS) == both != corrected
        page.press("Control+z", "Control+z")
        other.locator("#segments .label", has_text="(person)").wait_for(state="detached")
        assert other.evaluate(SEGMENTS) == page.segments() == original
        page.close(tmp_path.as_uri())
