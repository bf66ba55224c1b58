"""The web page in headless Chromium: microphone and API keys."""

import re
import time
from pathlib import Path

import pytest
import soundfile
from serving import serving

from overtone.service.api.auth import ApiKeys, hash_key
from overtone.service.settings import Settings

pytestmark = pytest.mark.slow


def test_the_microphone_shows_live_predictions_and_saves_the_recording(open_page) -> None:
    page = open_page(permissions=["microphone"])
    begin_s = time.monotonic()
    page.press("Record")
    page.wait_until("document.querySelectorAll('.strip i').length >= 2")
    assert re.search(r"\w+ \d+ %", page.tab.locator(".now").inner_text())
    page.wait_until("document.querySelector('meter').value > 0.1")  # speech has pauses
    assert page.tab.locator(".bars .number").count() == 8
    page.wait_until("document.activeElement.textContent.trim() === 'Stop'")
    page.press("Stop")
    longest_s = time.monotonic() - begin_s
    page.wait_for_result()
    page.wait_until("document.activeElement.id === 'record'")  # set after the result is drawn
    with page.tab.expect_download() as waiting:
        page.tab.get_by_role("link", name="Save").click()
    rate_hz = soundfile.info(waiting.value.path()).samplerate
    assert rate_hz >= 16_000
    assert re.match(r"recording \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.wav", page.row.inner_text())
    duration_s = page.audio_property("duration")
    assert 4 < duration_s < longest_s + 1
    assert page.tab.get_by_role("button", name="Record", exact=True).is_visible()


def test_the_focus_returns_to_the_record_button_also_where_frames_are_slow(open_page) -> None:
    page = open_page(permissions=["microphone"])
    # As on a busy machine: effects of one rendering may run just before the next one.
    page.tab.evaluate("window.requestAnimationFrame = () => 0")
    page.tab.evaluate("AudioContext.prototype.close = () => Promise.resolve()")
    for _ in range(10):  # the order of effects and rendering is a matter of milliseconds
        page.press("Record")
        page.wait_until("document.querySelector('meter')?.value > 0")
        page.press("Discard")
        page.wait_until("document.activeElement.id === 'record'")


def test_a_recording_can_be_discarded(open_page) -> None:
    page = open_page(permissions=["microphone"])
    page.tab.get_by_label("live predictions").uncheck()
    page.press("Record")
    page.wait_until("document.querySelector('meter')?.value > 0")
    assert page.tab.locator(".strip").count() == page.tab.locator(".now").count() == 0
    assert not [url for url in page.requested_urls if url.startswith("ws:")]
    page.press("Discard")
    page.wait_until("document.querySelector('.card.input') !== null")
    assert page.row.count() == 0


def test_a_recording_stops_at_the_limit_of_the_service(open_page, tiny: Path, tmp_path: Path) -> None:
    with serving(Settings(tmp_path, str(tiny), workers=1, max_recording_s=4.0)) as short:
        page = open_page(short, permissions=["microphone"])
        page.press("Record")
        page.wait_for_result()
        assert 3 <= page.audio_property("duration") <= 4
        assert "limit of the service" in page.alert.inner_text()


def test_a_denied_microphone_permission_is_explained(open_page) -> None:
    page = open_page()
    page.press("Record")
    page.wait_until("document.getElementById('message').textContent !== ''")
    assert "not allowed to use the microphone" in page.alert.inner_text()
    assert page.tab.get_by_role("button", name="Record", exact=True).is_visible()


def test_an_api_key_gives_access(open_page, talk: Path, tiny: Path, tmp_path: Path) -> None:
    keys = ApiKeys({"anna": hash_key("key-of-anna")})
    with serving(Settings(tmp_path, str(tiny), workers=1), keys=keys) as guarded:
        page = open_page(guarded, permissions=["microphone"])
        field = page.tab.get_by_label("This service needs an API key.")
        field.fill("guess")
        page.press("Use key")
        page.wait_until("document.querySelector('form .error').textContent !== ''")
        field.fill("\u200bkey-of-anna”")  # with invisible characters, as copied from a chat
        page.press("Use key")
        page.wait_until("document.querySelector('form') === null")
        page.add_files(talk)
        page.wait_for_result()
        page.press("Record")
        page.wait_until("document.querySelectorAll('.strip i').length >= 1")
        page.press("Discard")
        page.wait_until("document.querySelector('.card.input') !== null")
        page.expect_errors("401")


def test_an_expired_key_is_requested_again(open_page, talk: Path, tiny: Path, tmp_path: Path) -> None:
    keys = ApiKeys({"anna": hash_key("key-of-anna")})
    with serving(Settings(tmp_path, str(tiny), workers=1), keys=keys) as guarded:
        page = open_page(guarded)
        page.tab.get_by_label("This service needs an API key.").fill("key-of-anna")
        page.press("Use key")
        page.wait_until("document.querySelector('form') === null")
        keys._digests = {"anna": hash_key("new-key-of-anna")}
        page.add_files(talk)
        page.wait_until("document.querySelector('form') !== null")
        assert "needs an API key" in page.row.inner_text()
        page.tab.get_by_label("This service needs an API key.").fill("new-key-of-anna")
        page.press("Use key")
        page.wait_until("document.querySelector('form') === null")
        page.wait_for_result()  # what was refused is tried again
        page.expect_errors()


def test_a_rejected_stream_does_not_stop_the_recording(open_page, tiny: Path, tmp_path: Path) -> None:
    with serving(Settings(tmp_path, str(tiny), workers=1, max_streams=0)) as full:
        page = open_page(full, permissions=["microphone"])
        page.press("Record")
        page.wait_until("document.querySelector('.card .error') !== null")
        page.wait_until("document.querySelector('.time').textContent >= '0:02'")
        page.press("Stop")
        page.wait_for_result()
        page.expect_errors("503")
