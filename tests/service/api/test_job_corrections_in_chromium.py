"""Corrections on the web page of the service: stored in the service, in all downloads, and still there afterwards."""

import csv
import io
import json
from pathlib import Path

import pytest
from test_timelines import wait_until_finished

pytestmark = pytest.mark.slow
RTTM = "\n".join(
    f"SPEAKER talk 1 {start} 2.0 <NA> <NA> {name} <NA> <NA>" for start, name in [(0, "Anna"), (2.5, "Ben"), (5, "Ben")]
)


def wait_until_saved(page) -> None:
    page.frame.locator("#correction-status:text('Saved in the service')").wait_for()


def correct_but_fail(page, status: int, code: str, message: str) -> None:
    """Mark a segment as wrong while the service refuses corrections with this error."""
    error = json.dumps({"error": {"message": message, "status": status, "code": code}})
    page.tab.route("**/corrections", lambda route: route.fulfill(status=status, body=error))
    page.tab.keyboard.press("w")
    page.frame.locator(f"#correction-status:text('Not saved: {message}')").wait_for()


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
    page.wait_for_page_of("other.flac")
    page.row.filter(has_text="talk.flac").locator(".name").click()
    page.wait_for_page_of("talk.flac")
    label = page.frame.locator("#segments .label", has_text="onerror=alert(1)> (person)")
    label.first.wait_for()
    assert page.frame.locator("img").count() == 0
    page.frame.get_by_role("button", name="Correct", exact=True).click()
    page.frame.get_by_role("button", name="Undo", exact=True).click()
    wait_until_saved(page)
    job = page.job_ids()[0]
    assert page.served.ask("GET", f"/v1/jobs/{job}/corrections").json == {"segments": []}
    assert label.count() == 0


SHARES = """(rows) => {
    const split = (share) => share.textContent.trim().match(/^(.*) (\\d+) %$/).slice(1);
    const sharesOf = (row) => Object.fromEntries([...row.querySelectorAll(".share")].map(split));
    return Object.fromEntries(rows.map((row) => [row.cells[0].textContent, sharesOf(row)]));
}"""


def test_the_shares_of_the_speakers_are_those_of_the_corrected_timeline(open_page, talk: Path, tmp_path: Path) -> None:
    (tmp_path / "talk.rttm").write_text(RTTM)
    page = open_page()
    page.add_files(talk, tmp_path / "talk.rttm")
    page.press("Upload")
    page.wait_for_result()
    rows = page.frame.locator("#speakers tbody tr")
    before = rows.evaluate_all(SHARES)
    page.frame.get_by_role("button", name="Correct", exact=True).click()
    for key in ("w", "n", "d", "1", "n", "o"):
        page.tab.keyboard.press(key)
    page.frame.get_by_label("Another label").fill("at ease")
    page.tab.keyboard.press("Enter")
    wait_until_saved(page)
    job = page.job_ids()[0]
    content = page.served.ask("GET", f"/v1/jobs/{job}/timeline?format=summary").content.decode()
    expected: dict[str, dict[str, str]] = {}
    for row in csv.DictReader(io.StringIO(content)):
        shares = {"uncertain": row["uncertain_share"], row["emotion"]: row["share"]}
        of = expected.setdefault(row["speaker"] if row["of"] == "speaker" else "all", {})
        of |= {label: f"{100 * float(share):.0f}" for label, share in shares.items() if float(share)}
    assert rows.evaluate_all(SHARES) == expected != before
    assert expected["Anna"]["uncertain"] and expected["Ben"]["at ease"]
    page.tab.reload()
    page.frame.locator("#speakers", has_text="at ease").wait_for()
    assert rows.evaluate_all(SHARES) == expected, "the stored corrections are shown"
    page.frame.get_by_role("button", name="Correct", exact=True).click()
    page.frame.get_by_role("button", name="Undo", exact=True).click()
    assert rows.evaluate_all(SHARES) == before


def test_a_failure_to_store_is_shown_and_tried_again(open_page, talk: Path) -> None:
    page = open_page()
    page.add_files(talk)
    page.wait_for_result()
    page.frame.get_by_role("button", name="Correct", exact=True).click()
    correct_but_fail(page, 503, "overloaded", "no space")
    page.tab.unroute("**/corrections")
    wait_until_saved(page)
    page.expect_errors()


def test_corrections_of_other_programs_and_tabs_are_shown(open_page, talk: Path) -> None:
    page = open_page()
    address = page.tab.url
    reply = page.served.post("/v1/timeline", ("talk.flac", talk.read_bytes()))
    job = wait_until_finished(page.served, reply)
    rows = page.served.ask("GET", job["timeline"]).json["segments"]
    place, first = next((place, row) for place, row in enumerate(rows) if row["speech"])
    row = {"start_s": first["start_s"], "end_s": first["end_s"], "model_segment": place, "decided_by": "person"}
    document = json.dumps({"segments": [{**row, "emotion": "SAD"}]}).encode()
    path = f"/v1/jobs/{job['id']}/corrections"
    assert page.served.ask("PUT", path, document, Content_Type="application/json").status == 204
    page.tab.goto(f"{address}#job={job['id']}")
    page.frame.locator("#segments .label", has_text="sad (person)").wait_for()
    other = page.context.new_page()
    other.goto(page.tab.url)
    frame = other.frame_locator("iframe")
    frame.locator("#segments .label", has_text="sad (person)").wait_for()
    page.frame.get_by_role("button", name="Correct", exact=True).click()
    page.tab.keyboard.press("w")
    frame.locator("#segments .label", has_text="wrong (").wait_for()
    page.frame.get_by_role("button", name="Undo", exact=True).click()
    frame.locator("#segments .label", has_text="sad (person)").wait_for()
    page.frame.get_by_role("button", name="Undo", exact=True).click()
    frame.locator("#segments .label", has_text="(person)").wait_for(state="detached")
    wait_until_saved(page)
    assert page.served.ask("GET", path).json == {"segments": []}


def test_nothing_can_be_corrected_before_the_corrections_are_loaded(open_page, talk: Path) -> None:
    page = open_page()
    error = '{"error": {"message": "broken", "status": 500, "code": "internal_error"}}'
    page.tab.route("**/corrections", lambda route: route.fulfill(status=500, body=error))
    page.add_files(talk)
    page.wait_for_result()
    page.frame.locator("#correction-status", has_text="broken").wait_for()
    assert page.frame.get_by_role("button", name="Correct", exact=True).is_disabled(), "it would replace them"
    unknown = '{"segments": [{"start_s": 0, "end_s": 1, "model_segment": 900, "decided_by": "model"}]}'
    page.tab.unroute("**/corrections")
    page.tab.route("**/corrections", lambda route: route.fulfill(status=200, body=unknown))
    page.tab.reload()
    page.frame.locator("#correction-status", has_text="cannot show").wait_for()
    assert page.frame.get_by_role("button", name="Correct", exact=True).is_disabled()
    page.expect_errors()


def test_a_change_that_is_refused_is_kept_and_sent_again_before_a_download(open_page, talk: Path) -> None:
    page = open_page()
    page.add_files(talk)
    page.wait_for_result()
    page.frame.get_by_role("button", name="Correct", exact=True).click()
    correct_but_fail(page, 401, "unauthorized", "no key")
    assert page.tab.evaluate("!dispatchEvent(new Event('beforeunload', { cancelable: true }))"), "it would be lost"
    page.press("CSV")
    page.tab.get_by_role("alert").filter(has_text="The corrections are not saved: no key").wait_for()
    page.tab.unroute("**/corrections")
    with page.tab.expect_download() as waiting:
        page.press("CSV")
    assert ",person," in Path(waiting.value.path()).read_text("utf-8")
    page.expect_errors()


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
