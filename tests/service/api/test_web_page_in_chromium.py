"""The web page in headless Chromium: files, downloads, deletion, errors, keyboard, phone."""

import base64
import json
import re
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
from chromium import PHONE
from synthetic_audio import RATE_HZ

from overtone.formats import TIMELINE_FORMATS
from overtone.service.api import timelines
from overtone.service.job_records import TimelineJob

pytestmark = pytest.mark.slow
RTTM = "SPEAKER talk 1 0.0 3.0 <NA> <NA> Anna <NA> <NA>\nSPEAKER talk 1 3.0 3.0 <NA> <NA> Ben <NA> <NA>\n"
DROP = """(target, [name, base64]) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)), transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name));
    for (const type of ["dragover", "drop"])
        target.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


def test_a_file_is_processed_and_played(open_page, talk: Path) -> None:
    page = open_page()
    page.add_files(talk)
    page.wait_for_result()
    assert page.row.locator("b").inner_text() == "talk.flac"
    assert "0:08" in page.row.inner_text()
    assert page.frame.locator("h1").inner_text() == "talk.flac"
    buttons = page.frame.locator("#segments button")
    assert re.fullmatch(
        r"0:00.0 – \d:\d\d.\d\D+\d+ %(parts disagree: )?spectrum \w+ \d+ %( ·|,) melody \w+ \d+ %",
        buttons.first.text_content(),
    )
    page.frame.locator("#stage").click(position={"x": 500, "y": 100})
    assert 2 < page.audio_property("currentTime") < 7
    buttons.first.click()
    assert page.audio_property("currentTime") == pytest.approx(0, abs=0.02)
    page.frame.get_by_role("button", name="Play").click()
    page.wait_until("document.querySelector('iframe').contentDocument.querySelector('audio').currentTime > 0.5")
    inside = "document.querySelector('iframe').contentDocument.documentElement"
    page.wait_until(f"{inside}.scrollHeight === {inside}.clientHeight")  # the frame is as high as its content
    assert page.frame.locator("#message").text_content() == ""


def test_files_can_be_dropped(open_page, talk: Path) -> None:
    page = open_page()
    page.tab.locator(".card.input").evaluate(DROP, ["dropped.flac", base64.b64encode(talk.read_bytes()).decode()])
    page.wait_for_result()
    assert page.row.locator("b").all_inner_texts() == ["dropped.flac"]


def test_speaker_turns_belong_to_their_recording(open_page, talk: Path, tmp_path: Path) -> None:
    turns = tmp_path / "talk.rttm"
    turns.write_text(RTTM)
    page = open_page()
    page.add_files(talk, turns)
    page.press("Upload")
    page.wait_for_result()
    assert page.alert.is_hidden()
    assert page.frame.locator("#segments .speaker").all_text_contents() == ["Anna", "Ben"]
    assert "with talk.rttm" in page.row.inner_text()


def test_the_channels_of_a_recording_can_be_chosen(open_page, talk: Path, tmp_path: Path) -> None:
    side = soundfile.read(talk)[0]
    call = tmp_path / "call.flac"
    soundfile.write(call, np.stack([side, 0.5 * side[::-1]], 1), RATE_HZ)
    page = open_page()
    choice = page.tab.get_by_label("Channels")
    assert choice.locator("option").all_inner_texts() == ["the mean of all", "left", "right", "each is a speaker"]
    choice.select_option("each")
    page.tab.get_by_label("Name of channel 1").fill('Anna "A", agent')
    page.add_files(call)
    page.wait_for_result()
    assert page.frame.locator("td:first-child").all_inner_texts() == ['Anna "A", agent', "right", "all"]
    assert "channels as speakers" in page.row.inner_text()
    assert choice.input_value() == "each"
    choice.select_option("right")
    page.add_files(call, talk)
    refused = page.row.filter(has_text="talk.flac")
    refused.locator(".error").wait_for()
    assert "talk.flac: has 1 channel, so there is no right channel; choose mix" in refused.inner_text()
    page.press("Five speaking styles")
    page.wait_until_ended(4)
    assert "right channel" not in page.row.first.inner_text(), "examples and recordings are mono"
    jobs = [page.served.ask("GET", f"/v1/jobs/{job}/timeline").json for job in dict.fromkeys(page.job_ids())]
    assert sorted("channels" in job for job in jobs if "segments" in job) == [False, False, True]


def test_examples(open_page) -> None:
    page = open_page()
    page.press("With speaker turns")
    page.wait_for_result()
    assert page.frame.locator("td:first-child").all_inner_texts() == ["Anna", "Ben", "all"]


def test_a_failed_file_is_reported_and_the_others_are_processed(open_page, talk: Path, tmp_path: Path) -> None:
    broken, large = tmp_path / "broken.flac", tmp_path / "large.wav"
    broken.write_bytes(talk.read_bytes()[:900])
    large.write_bytes(bytes(4_000_001))
    page = open_page()
    page.add_files(broken, talk, large)
    page.wait_until_ended(3)
    rows = dict(zip(page.row.locator("b").all_inner_texts(), page.row.all_inner_texts(), strict=True))
    assert re.search(r"failed.*Try again.*broken.flac: ", rows["broken.flac"], re.DOTALL)
    assert "up to 4 MB" in rows["large.wav"]
    assert "0:08" in rows["talk.flac"]
    page.row.filter(has_text="talk.flac").locator(".name").click()
    page.wait_for_result()
    broken_row, uploads = page.row.filter(has_text="broken.flac"), []
    page.tab.route("**/v1/timeline", lambda route: uploads.append(route))
    broken_row.get_by_role("button", name="Try again").click()
    assert "broken.flac: " not in broken_row.inner_text(), "it has not been uploaded yet"
    page.wait_while(lambda: not uploads)
    uploads[0].continue_()
    broken_row.locator(".error").wait_for()
    assert sum(url.endswith("/v1/timeline") for url in page.requested_urls) == 3


def test_every_format_can_be_downloaded(open_page, talk: Path) -> None:
    page = open_page()
    page.add_files(talk)
    page.wait_for_result()
    buttons = page.tab.locator("h2:has-text('Download') + .row button")
    assert buttons.count() == len(TIMELINE_FORMATS)
    job = page.job_ids()[0]
    for button in buttons.all():
        with page.tab.expect_download() as waiting:
            button.click()
        saved = waiting.value
        (name,) = (name for name, row in TIMELINE_FORMATS.items() if saved.suggested_filename == f"talk{row.suffix}")
        content = Path(saved.path()).read_bytes()
        expected = page.served.ask("GET", f"/v1/jobs/{job}/timeline?format={name}").content
        assert len(content) == len(expected) if name == "parquet" else content == expected, name


def test_deleting_reaches_the_service(open_page, talk: Path) -> None:
    page = open_page()
    page.add_files(talk)
    page.wait_for_result()
    job = page.job_ids()[0]
    assert page.served.ask("GET", f"/v1/jobs/{job}").status == 200
    page.press("Delete talk.flac")
    page.wait_until("document.querySelector('#recordings') === null")
    assert page.tab.locator("iframe").count() == 0
    assert page.served.ask("GET", f"/v1/jobs/{job}").status == 404
    page.wait_until("document.activeElement.id === 'choose'")  # set after the list is drawn


def test_deleting_right_after_the_upload_deletes_the_job(
    open_page, talk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, create_job, is_deleted = [], timelines._create_job, threading.Event()

    def create_job_slowly(*args) -> TimelineJob:
        jobs.append(create_job(*args))
        assert is_deleted.wait(60)
        return jobs[-1]

    monkeypatch.setattr(timelines, "_create_job", create_job_slowly)
    page = open_page()
    page.add_files(talk)
    page.wait_until("document.querySelector('#recordings')?.innerText.includes('100 % uploaded')")
    page.press("Delete talk.flac")
    page.wait_until("document.querySelector('#recordings') === null")
    is_deleted.set()
    page.wait_while(lambda: not jobs or page.served.ask("GET", f"/v1/jobs/{jobs[0].id}").status != 404)


def test_a_failed_deletion_is_reported(open_page, talk: Path) -> None:
    page = open_page()
    page.add_files(talk)
    page.wait_for_result()
    page.tab.route("**/v1/jobs/*", lambda route: route.abort())
    page.press("Delete talk.flac")
    page.wait_until("document.querySelector('#recordings')?.innerText.includes('Not deleted')")
    page.tab.unroute("**/v1/jobs/*")
    page.press("Delete talk.flac")
    page.wait_until("document.querySelector('#recordings') === null")
    page.expect_errors()


def test_a_retry_creates_no_second_job(open_page, talk: Path) -> None:
    page = open_page()
    page.tab.route("**/timeline?format=html&corrected=false", lambda route: route.fulfill(status=418, body="no tea"))
    page.add_files(talk)
    page.wait_until("document.querySelector('#recordings .error') !== null")
    page.tab.unroute("**/timeline?format=html&corrected=false")
    page.press("Try again")
    page.wait_for_result()
    assert sum(url.endswith("/v1/timeline") for url in page.requested_urls) == 1
    page.expect_errors()


def test_an_unreadable_file_does_not_block_the_others(open_page, talk: Path) -> None:
    page = open_page()
    page.tab.evaluate(
        """() => {
            const gone = new File(["x"], "gone.flac"), transfer = { files: [gone] };
            gone.slice = () => ({ arrayBuffer: () => Promise.reject(new DOMException("", "NotFoundError")) });
            window.dispatchEvent(Object.assign(new Event("drop"), { dataTransfer: transfer }));
        }"""
    )
    page.wait_until("document.querySelector('#recordings .error') !== null")
    assert "cannot be read" in page.row.inner_text()
    page.add_files(talk)
    page.wait_for_result()


def test_files_can_be_dropped_anywhere_on_the_page(open_page) -> None:
    page = open_page()
    page.tab.locator("footer").evaluate(DROP, ["x.flac", ""])
    page.wait_until("document.querySelector('#recordings .error') !== null")
    assert page.row.locator("b").all_inner_texts() == ["x.flac"]


def test_uploads_are_retried_while_the_service_is_overloaded(open_page, talk: Path) -> None:
    page = open_page()
    error = {"error": {"code": "overloaded", "message": "the service is overloaded", "status": 503}}
    keys = []

    def reject_once(route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fulfill(status=503, headers={"Retry-After": "1"}, body=json.dumps(error))
        else:
            route.continue_()

    page.tab.route("**/v1/timeline", reject_once)
    page.record_texts()
    page.add_files(talk)
    page.wait_for_result()
    assert page.has_shown("Retrying in 1 s")
    assert len(keys) == 2 and keys[0] == keys[1], "a retry creates no second job"
    page.expect_errors("503")


def test_an_unreachable_service_is_reported(open_page, talk: Path) -> None:
    page = open_page()
    page.tab.route("**/v1/timeline", lambda route: route.abort())
    page.add_files(talk)
    page.wait_until("document.querySelector('#recordings')?.innerText.includes('cannot be reached')")
    page.expect_errors()


def test_a_file_name_cannot_inject_a_script(open_page, talk: Path, tmp_path: Path) -> None:
    attack = tmp_path / "<img src=x onerror=alert(1)>.flac"
    attack.write_bytes(talk.read_bytes())
    page = open_page()
    page.add_files(attack)
    page.wait_for_result()
    assert page.row.locator("b").inner_text() == attack.name
    assert page.tab.locator("img").count() == page.frame.locator("img").count() == 0


def test_the_keyboard_reaches_everything(open_page) -> None:
    page = open_page()
    keys = page.tab.keyboard
    focused = "document.activeElement.textContent.trim()"
    for _ in range(10):
        keys.press("Tab")
        if page.tab.evaluate(focused) == "Five speaking styles":
            break
    keys.press("Enter")
    page.wait_for_result()
    inside = "document.querySelector('iframe').contentDocument.activeElement"
    for _ in range(20):
        keys.press("Tab")
        if page.tab.evaluate(f"{inside}?.id") == "stage":
            break
    keys.press("End")
    assert page.audio_property("currentTime") == pytest.approx(15, abs=0.1)
    for _ in range(30):
        keys.press("Tab")
        if page.tab.evaluate(focused) == "CSV":
            break
    with page.tab.expect_download() as waiting:
        keys.press("Enter")
    assert waiting.value.suggested_filename == "talk.csv"


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_accessibility(open_page, talk: Path, tmp_path: Path, colours: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="comes with the [dev] extra")
    page = open_page(color_scheme=colours, permissions=["microphone"])
    broken = tmp_path / "broken.flac"
    broken.write_bytes(talk.read_bytes()[:900])
    page.add_files(talk, broken)
    page.wait_for_result()
    page.wait_until_ended(2)
    turns = tmp_path / "talk.rttm"
    turns.write_text(RTTM)
    page.add_files(turns)
    page.tab.get_by_label("Channels").select_option("each")
    page.tab.get_by_label("Name of channel 2").wait_for()
    for state in ("finished", "recording"):
        if state == "recording":
            page.press("Record")
            page.wait_until("document.querySelectorAll('.strip i').length >= 1")
        found = axe.Axe().run(page.tab)
        assert found.violations_count == 0, f"{state}: {found.generate_report()}"


def test_the_page_fits_a_phone(open_page) -> None:
    page = open_page(viewport=PHONE, is_mobile=True, has_touch=True)
    page.tab.get_by_role("button", name="With speaker turns").tap()
    page.wait_for_result()
    assert page.tab.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.tab.get_by_label("Channels").select_option("each")
    page.tab.get_by_label("Name of channel 2").wait_for()
    assert page.tab.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    inside = "document.querySelector('iframe').contentDocument.documentElement"
    assert page.tab.evaluate(f"{inside}.scrollWidth <= {inside}.clientWidth")
    for button in page.tab.get_by_role("button").all():
        assert button.bounding_box()["height"] >= 40
