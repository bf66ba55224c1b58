"""The HTML report in headless Chromium: it fits the screen of a laptop."""

from dataclasses import replace
from pathlib import Path

import pytest
from chromium import DESKTOP, Tab, chromium
from test_report import ROW

from overtone.evaluation.report import Report, write

pytestmark = pytest.mark.slow
TABLE_AND_ROOM = (
    "[...document.querySelectorAll('table')].map(each => [each.scrollWidth, each.parentElement.clientWidth])"
)


def test_all_columns_of_the_scores_are_visible(tmp_path: Path) -> None:
    rows = tuple(replace(ROW, name=f"encoder-one-corpus recipe, {part}") for part in ("encoder", "fusion", "adapted"))
    _, page = write(Report("Training seed0-fold1", rows=rows), tmp_path)
    assert DESKTOP["width"] <= 1100
    with chromium() as browser:
        tab = Tab(browser, page.as_uri())
        sizes = tab.tab.evaluate(TABLE_AND_ROOM)
        tab.close("file:")
    assert sizes and all(table <= room for table, room in sizes)
