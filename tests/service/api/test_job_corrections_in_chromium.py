"""Corrections on the web page of the service: stored in the service, in all downloads, and still there afterwards."""

import csv
import io
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def wait_until_saved(page) -> None:
    page.frame.locator("#correction-status:text('Saved in the service')").wait_for()


def test_corrections_are_stored_and_downloaded(open_page, talk: Path, tmp_path: Path) -> None:
    page = open_page()
    page.add_files(talk)
    page.wait_for_result()
    page.frame.get_by_role("button", name="Correct", exact=True).click()
    assert page.frame.get_by_role("button", name="Corrected JSON").count() == 0, "the downloads are below"
    page.tab.keyboard.press("1")
    page.tab.keyboard.press("o")
    page.frame.get_by_label("Another label").fill("<img src=x onerror=alert(1)>")
    page.tab.keyboard.press("Enter")
    with page.tab.expect_download() as waiting:
        page.press("CSV")  # it waits until the correction is stored
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text("utf-8"))))
    corrected = [(row["emotion"], row["model_emotion"]) for row in rows if row["decided_by"] == "person"]
    assert [emotion for emotion, _ in corrected] == ["<img src=x onerror=alert(1)>"] and corrected[0][1]
    wait_until_saved(page)
    other = tmp_path / "other.flac"
    other.write_bytes(talk.read_bytes())
    page.add_files(other)
    page.wait_until("document.querySelector('iframe')?.title === 'Timeline of other.flac'")
    page.row.filter(has_text="talk.flac").locator(".name").click()
    page.wait_until("document.querySelector('iframe')?.title === 'Timeline of talk.flac'")
    label = page.frame.locator("#segments .label", has_text="onerror=alert(1)> (person)")
    label.first.wait_for()
    assert page.frame.locator("img").count() == 0
    page.frame.get_by_role("button", name="Correct", exact=True).click()
    page.frame.get_by_role("button", name="Undo", exact=True).click()
    wait_until_saved(page)
    job = page.job_ids()[0]
    assert page.served.ask("GET", f"/v1/jobs/{job}/corrections").json == {"segments": []}
    assert label.count() == 0


def test_a_failure_to_store_is_shown_and_tried_again(open_page, talk: Path) -> None:
    page = open_page()
    page.add_files(talk)
    page.wait_for_result()
    page.frame.get_by_role("button", name="Correct", exact=True).click()
    error = '{"error": {"message": "no space", "status": 503, "code": "overloaded"}}'
    page.tab.route("**/corrections", lambda route: route.fulfill(status=503, body=error))
    page.tab.keyboard.press("w")
    page.frame.locator("#correction-status:text('Not saved: no space')").wait_for()
    page.tab.unroute("**/corrections")
    wait_until_saved(page)
    page.errors.clear()  # of the browser itself


def test_the_tools_are_accessible(open_page, talk: Path) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="comes with the [dev] extra")
    page = open_page()
    page.add_files(talk)
    page.wait_for_result()
    page.frame.get_by_role("button", name="Correct", exact=True).click()
    page.frame.get_by_role("button", name="Keys").click()
    found = axe.Axe().run(page.tab)
    assert found.violations_count == 0, found.generate_report()
    assert page.frame.locator("#keys").is_visible()
