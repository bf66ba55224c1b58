"""The page of the service in a real headless Chromium: files, microphone, errors, downloads, phone and keyboard."""

import base64
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audio_files import encoded
from chromium import PHONE, Tab, chromium
from serving import Served, serving
from sounds import RATE_HZ, speech_like

from overtone.formats import TIMELINE_FORMATS
from overtone.service.api import timelines
from overtone.service.api.auth import ApiKeys, hash_key
from overtone.service.job_store import TimelineJob
from overtone.service.settings import Settings

RTTM = "SPEAKER talk 1 0.0 3.0 <NA> <NA> Anna <NA> <NA>\nSPEAKER talk 1 3.0 3.0 <NA> <NA> Ben <NA> <NA>\n"
DROP = """(place, [name, base64]) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)), moved = new DataTransfer();
    moved.items.add(new File([bytes], name));
    for (const type of ["dragover", "drop"])
        place.dispatchEvent(new DragEvent(type, { dataTransfer: moved, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds that pass for speech."""
    path = tmp_path_factory.mktemp("sounds") / "talk.flac"
    path.write_bytes(encoded(speech_like(np.random.default_rng(5), 8.0), RATE_HZ, "FLAC"))
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """One whose microphone hears the talk again and again."""
    heard = tmp_path_factory.mktemp("microphone") / "heard.wav"
    sound = np.resize(speech_like(np.random.default_rng(6), 8.0), 48_000 * 8 // 3)
    soundfile.write(heard, np.repeat(sound, 3), 48_000, subtype="PCM_16")
    with chromium("--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={heard}") as running:
        yield running


class Opened(Tab):
    """The page of a service, open in a browser."""

    def __init__(self, browser, served: Served, **options) -> None:
        super().__init__(browser, f"http://127.0.0.1:{served.port}/", **options)
        self.served = served
        self.row = self.tab.locator("#recordings li")
        self.alert = self.tab.locator("#say")

    def give(self, *paths: Path) -> None:
        self.tab.locator("input[type=file]").set_input_files(list(paths))

    def press(self, name: str) -> None:
        self.tab.get_by_role("button", name=name, exact=True).click()

    @property
    def frame(self):
        return self.tab.frame_locator("iframe")

    def heard(self) -> "Opened":
        """Waits for the timeline of the chosen recording, and its sound."""
        self.until("document.querySelector('iframe')?.contentDocument?.querySelector('audio')?.readyState >= 2")
        return self

    def of_sound(self, what: str):
        return self.tab.evaluate(f"document.querySelector('iframe').contentDocument.querySelector('audio').{what}")

    def jobs(self) -> list[str]:
        return re.findall("/v1/jobs/([0-9a-f]{32})(?=$|\\n)", "\n".join(self.asked))


@pytest.fixture
def open_page(browser, served: Served) -> Iterator:
    """Opens the page; in the end nothing must have been asked of others, nor gone wrong."""
    opened: list[Opened] = []

    def opening(at: Served = served, **options) -> Opened:
        opened.append(Opened(browser, at, **options))
        return opened[-1]

    yield opening
    for one in opened:
        at = f"127.0.0.1:{one.served.port}/"
        one.close(f"http://{at}", f"ws://{at}", "about:")


def test_a_file_is_heard_and_played(open_page, talk: Path) -> None:
    opened = open_page()
    opened.give(talk)
    opened.heard()
    assert opened.row.locator("b").inner_text() == "talk.flac"
    assert "0:08" in opened.row.inner_text()
    assert opened.frame.locator("h1").inner_text() == "talk.flac"
    buttons = opened.frame.locator("#segments button")
    assert re.fullmatch(
        r"0:00.0 – \d:\d\d.\d\D+\d+ %mel \w+ \d+ % [≠·] prosody \w+ \d+ %", buttons.first.text_content()
    )
    opened.frame.locator("#stage").click(position={"x": 500, "y": 100})
    assert 2 < opened.of_sound("currentTime") < 7
    buttons.first.click()
    assert opened.of_sound("currentTime") == pytest.approx(0, abs=0.02)
    opened.frame.get_by_role("button", name="Play").click()
    opened.until("document.querySelector('iframe').contentDocument.querySelector('audio').currentTime > 0.5")
    inside = "document.querySelector('iframe').contentDocument.documentElement"
    assert opened.tab.evaluate(f"{inside}.scrollHeight === {inside}.clientHeight"), "as high as what stands in it"
    assert opened.frame.locator("#message").text_content() == ""


def test_files_are_dropped(open_page, talk: Path) -> None:
    opened = open_page()
    place = opened.tab.locator(".giving")
    place.evaluate(DROP, ["dropped.flac", base64.b64encode(talk.read_bytes()).decode()])
    opened.heard()
    assert opened.row.locator("b").all_inner_texts() == ["dropped.flac"]


def test_turns_come_along(open_page, talk: Path, tmp_path: Path) -> None:
    turns = tmp_path / "talk.rttm"
    turns.write_text(RTTM)
    opened = open_page()
    opened.give(turns)
    assert opened.alert.inner_text().startswith("talk.rttm: speaker turns that go with no recording")
    opened.give(talk, turns)
    opened.heard()
    assert opened.alert.is_hidden()
    assert opened.frame.locator("#segments .who").all_text_contents() == ["Anna", "Ben"]
    assert "with talk.rttm" in opened.row.inner_text()
    other = tmp_path / "other.flac"
    other.write_bytes(talk.read_bytes())
    spare = tmp_path / "spare.rttm"
    spare.write_text(RTTM)
    opened.give(talk, other, spare)
    assert opened.alert.inner_text().startswith("spare.rttm: "), "nothing is dropped silently"


def test_an_example_needs_no_file(open_page) -> None:
    opened = open_page()
    opened.press("The same, with speaker turns")
    opened.heard()
    assert opened.frame.locator("td:first-child").all_inner_texts() == ["Anna", "Ben"]


def test_what_cannot_be_heard_is_named_and_the_rest_goes_on(open_page, talk: Path, tmp_path: Path) -> None:
    broken, large = tmp_path / "broken.flac", tmp_path / "large.wav"
    broken.write_bytes(talk.read_bytes()[:900])
    large.write_bytes(bytes(4_000_001))
    opened = open_page()
    opened.give(broken, talk, large)
    opened.until("document.querySelectorAll('progress').length === 0")
    rows = dict(zip(opened.row.locator("b").all_inner_texts(), opened.row.all_inner_texts(), strict=True))
    assert re.search(r"failed.*Try again.*broken.flac: ", rows["broken.flac"], re.DOTALL)
    assert "takes files of up to 4 MB" in rows["large.wav"]
    assert "0:08" in rows["talk.flac"]
    opened.row.filter(has_text="talk.flac").locator(".name").click()
    opened.heard()
    broken_row = opened.row.filter(has_text="broken.flac")
    broken_row.get_by_role("button", name="Try again").click()
    assert "broken.flac: " not in broken_row.inner_text()
    broken_row.locator(".error").wait_for()
    assert sum(url.endswith("/v1/timeline") for url in opened.asked) == 3


def test_every_form_can_be_downloaded(open_page, talk: Path) -> None:
    opened = open_page()
    opened.give(talk)
    opened.heard()
    buttons = opened.tab.locator("h2:has-text('Download') + .row button")
    assert buttons.count() == len(TIMELINE_FORMATS)
    job = opened.jobs()[0]
    for button in buttons.all():
        with opened.tab.expect_download() as waiting:
            button.click()
        saved = waiting.value
        form = next(name for name, form in TIMELINE_FORMATS.items() if saved.suggested_filename == f"talk{form.SUFFIX}")
        content = Path(saved.path()).read_bytes()
        asked = opened.served.ask("GET", f"/v1/jobs/{job}/timeline?format={form}").content
        assert len(content) == len(asked) if form == "parquet" else content == asked, form


def test_forgetting_reaches_the_service(open_page, talk: Path) -> None:
    opened = open_page()
    opened.give(talk)
    opened.heard()
    job = opened.jobs()[0]
    assert opened.served.ask("GET", f"/v1/jobs/{job}").status == 200
    opened.press("Forget talk.flac")
    opened.until("document.querySelector('#recordings') === null")
    assert opened.tab.locator("iframe").count() == 0
    assert opened.served.ask("GET", f"/v1/jobs/{job}").status == 404
    assert opened.tab.evaluate("document.activeElement.id") == "choose"


def test_what_is_forgotten_once_it_is_sent_is_forgotten_by_the_service(
    open_page, talk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, take = [], timelines._taken

    def taken_slowly(*given) -> TimelineJob:
        made.append(take(*given))
        time.sleep(1.5)
        return made[-1]

    monkeypatch.setattr(timelines, "_taken", taken_slowly)
    opened = open_page()
    opened.give(talk)
    opened.until("document.querySelector('#recordings')?.innerText.includes('100 % sent')")
    opened.press("Forget talk.flac")
    opened.until("document.querySelector('#recordings') === null")
    deadline = time.monotonic() + 5
    while not made or opened.served.ask("GET", f"/v1/jobs/{made[0].id}").status != 404:
        opened.tab.wait_for_timeout(20)
        assert time.monotonic() < deadline


def test_what_cannot_be_deleted_stays_and_says_so(open_page, talk: Path) -> None:
    opened = open_page()
    opened.give(talk)
    opened.heard()
    opened.tab.route("**/v1/jobs/*", lambda route: route.abort())
    opened.press("Forget talk.flac")
    opened.until("document.querySelector('#recordings')?.innerText.includes('Not deleted')")
    opened.tab.unroute("**/v1/jobs/*")
    opened.press("Forget talk.flac")
    opened.until("document.querySelector('#recordings') === null")
    opened.complaints.clear()  # the browser's own words


def test_trying_again_makes_no_second_job(open_page, talk: Path) -> None:
    opened = open_page()
    opened.tab.route("**/timeline?format=html", lambda route: route.fulfill(status=418, body="no tea"))
    opened.give(talk)
    opened.until("document.querySelector('#recordings .error') !== null")
    opened.tab.unroute("**/timeline?format=html")
    opened.press("Try again")
    opened.heard()
    assert sum(url.endswith("/v1/timeline") for url in opened.asked) == 1
    opened.complaints.clear()  # the browser's own words


def test_a_file_that_has_gone_keeps_nobody_waiting(open_page, talk: Path) -> None:
    opened = open_page()
    opened.tab.evaluate(
        """() => {
            const gone = new File(["x"], "gone.flac"), moved = { files: [gone] };
            gone.slice = () => ({ arrayBuffer: () => Promise.reject(new DOMException("", "NotFoundError")) });
            window.dispatchEvent(Object.assign(new Event("drop"), { dataTransfer: moved }));
        }"""
    )
    opened.until("document.querySelector('#recordings .error') !== null")
    assert "cannot be read: a folder, or moved or changed since it was chosen" in opened.row.inner_text()
    opened.give(talk)
    opened.heard()


def test_what_is_dropped_beside_the_card_is_taken_too(open_page) -> None:
    opened = open_page()
    opened.tab.locator("footer").evaluate(DROP, ["x.flac", ""])
    opened.until("document.querySelector('#recordings .error') !== null")
    assert opened.row.locator("b").all_inner_texts() == ["x.flac"]


def test_it_waits_for_a_busy_service(open_page, talk: Path) -> None:
    opened = open_page()
    refused = {"error": {"code": "busy", "message": "the service has all it can do", "status": 503}}
    times = []

    def busy_once(route) -> None:
        times.append(route.request.headers["idempotency-key"])
        if len(times) == 1:
            route.fulfill(status=503, headers={"Retry-After": "1"}, body=json.dumps(refused))
        else:
            route.continue_()

    opened.tab.route("**/v1/timeline", busy_once)
    opened.give(talk)
    opened.until("document.querySelector('#recordings')?.innerText.includes('Trying again in 1 s')")
    opened.heard()
    assert len(times) == 2 and times[0] == times[1], "a retry makes no second job"
    opened.complaints = [one for one in opened.complaints if "503" not in one]  # the browser's own word


def test_an_unreachable_service_is_told(open_page, talk: Path) -> None:
    opened = open_page()
    opened.tab.route("**/v1/timeline", lambda route: route.abort())
    opened.give(talk)
    opened.until("document.querySelector('#recordings')?.innerText.includes('cannot be reached')")
    opened.complaints.clear()  # the browser's own words


def test_the_microphone_is_answered_while_it_hears_and_kept(open_page) -> None:
    opened = open_page(permissions=["microphone"])
    opened.press("Record")
    opened.until("document.querySelectorAll('.strip i').length >= 2")
    assert re.search(r"\w+ \d+ %", opened.tab.locator(".now").inner_text())
    assert opened.tab.locator("meter").evaluate("one => one.value") > 0.1
    assert opened.tab.locator(".bars .number").count() == 8
    assert opened.tab.evaluate("document.activeElement.textContent.trim()") == "Stop"
    opened.press("Stop")
    opened.heard()
    assert opened.tab.evaluate("document.activeElement.id") == "record"
    with opened.tab.expect_download() as waiting:
        opened.tab.get_by_role("link", name="Save").click()
    rate_hz = soundfile.info(waiting.value.path()).samplerate
    assert rate_hz >= 16_000
    assert re.match(r"recording \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.wav", opened.row.inner_text())
    processed_s = opened.of_sound("duration")
    assert 4 < processed_s < 15
    assert opened.tab.get_by_role("button", name="Record", exact=True).is_visible()


def test_a_recording_can_be_thrown_away(open_page) -> None:
    opened = open_page(permissions=["microphone"])
    opened.tab.get_by_label("answer while I speak").uncheck()
    opened.press("Record")
    opened.until("document.querySelector('meter')?.value > 0")
    assert opened.tab.locator(".strip").count() == opened.tab.locator(".now").count() == 0
    assert not [url for url in opened.asked if url.startswith("ws:")]
    opened.press("Throw away")
    opened.until("document.querySelector('.giving') !== null")
    assert opened.row.count() == 0


def test_a_recording_ends_where_the_service_would_refuse_it(open_page, tiny: Path, tmp_path: Path) -> None:
    with serving(Settings(tmp_path, str(tiny), workers=1, recording_s=4.0)) as short:
        opened = open_page(short, permissions=["microphone"])
        opened.press("Record")
        opened.heard()
        assert 3 <= opened.of_sound("duration") <= 4
        assert "no longer recordings" in opened.alert.inner_text()


def test_no_leave_to_use_the_microphone_is_explained(open_page) -> None:
    opened = open_page()
    opened.press("Record")
    opened.until("document.getElementById('say').textContent !== ''")
    assert "not allowed to use the microphone" in opened.alert.inner_text()
    assert opened.tab.get_by_role("button", name="Record", exact=True).is_visible()


def test_a_key_opens_it(open_page, talk: Path, tiny: Path, tmp_path: Path) -> None:
    keys = ApiKeys({"anna": hash_key("key-of-anna")})
    with serving(Settings(tmp_path, str(tiny), workers=1), keys=keys) as guarded:
        opened = open_page(guarded, permissions=["microphone"])
        field = opened.tab.get_by_label("This service asks for a key.")
        field.fill("guess")
        opened.press("Use it")
        opened.until("document.querySelector('form .error').textContent !== ''")
        field.fill("\u200bkey-of-anna”")  # as it may come out of a chat
        opened.press("Use it")
        opened.until("document.querySelector('form') === null")
        opened.give(talk)
        opened.heard()
        opened.press("Record")
        opened.until("document.querySelectorAll('.strip i').length >= 1")
        opened.press("Throw away")
        opened.until("document.querySelector('.giving') !== null")
        opened.complaints = [one for one in opened.complaints if "401" not in one]  # the browser's own word


def test_a_key_that_is_no_more_is_asked_for_again(open_page, talk: Path, tiny: Path, tmp_path: Path) -> None:
    keys = ApiKeys({"anna": hash_key("key-of-anna")})
    with serving(Settings(tmp_path, str(tiny), workers=1), keys=keys) as guarded:
        opened = open_page(guarded)
        opened.tab.get_by_label("This service asks for a key.").fill("key-of-anna")
        opened.press("Use it")
        opened.until("document.querySelector('form') === null")
        keys._digests = {"anna": hash_key("new-key-of-anna")}
        opened.give(talk)
        opened.until("document.querySelector('form') !== null")
        assert "asks for a key" in opened.row.inner_text()
        opened.tab.get_by_label("This service asks for a key.").fill("new-key-of-anna")
        opened.press("Use it")
        opened.until("document.querySelector('form') === null")
        opened.press("Try again")
        opened.heard()
        opened.complaints.clear()  # the browser's own words


def test_a_stream_that_is_refused_costs_no_recording(open_page, tiny: Path, tmp_path: Path) -> None:
    with serving(Settings(tmp_path, str(tiny), workers=1, streams=0)) as full:
        opened = open_page(full, permissions=["microphone"])
        opened.press("Record")
        opened.until("document.querySelector('.card .error') !== null")
        opened.until("document.querySelector('.time').textContent === '0:02'")
        opened.press("Stop")
        opened.heard()
        opened.complaints = [one for one in opened.complaints if "503" not in one]  # the browser's own word


def test_a_name_is_never_a_script(open_page, talk: Path, tmp_path: Path) -> None:
    attack = tmp_path / "<img src=x onerror=alert(1)>.flac"
    attack.write_bytes(talk.read_bytes())
    opened = open_page()
    opened.give(attack)
    opened.heard()
    assert opened.row.locator("b").inner_text() == attack.name
    assert opened.tab.locator("img").count() == opened.frame.locator("img").count() == 0


def test_the_keyboard_does_it_all(open_page) -> None:
    opened = open_page()
    keys = opened.tab.keyboard
    focused = "document.activeElement.textContent.trim()"
    for _ in range(10):
        keys.press("Tab")
        if opened.tab.evaluate(focused) == "Five manners of speaking":
            break
    keys.press("Enter")
    opened.heard()
    inside = "document.querySelector('iframe').contentDocument.activeElement"
    for _ in range(20):
        keys.press("Tab")
        if opened.tab.evaluate(f"{inside}?.id") == "stage":
            break
    keys.press("End")
    assert opened.of_sound("currentTime") == pytest.approx(15, abs=0.1)
    for _ in range(30):
        keys.press("Tab")
        if opened.tab.evaluate(focused) == "CSV":
            break
    with opened.tab.expect_download() as waiting:
        keys.press("Enter")
    assert waiting.value.suggested_filename == "talk.csv"


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_everybody_can_use_it(open_page, talk: Path, tmp_path: Path, colours: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="comes with the [dev] extra")
    opened = open_page(color_scheme=colours, permissions=["microphone"])
    broken = tmp_path / "broken.flac"
    broken.write_bytes(talk.read_bytes()[:900])
    opened.give(talk, broken)
    opened.heard()
    opened.until("document.querySelectorAll('progress').length === 0")
    for state in ("heard", "hearing"):
        if state == "hearing":
            opened.press("Record")
            opened.until("document.querySelectorAll('.strip i').length >= 1")
        found = axe.Axe().run(opened.tab)
        assert found.violations_count == 0, f"{state}: {found.generate_report()}"


def test_it_fits_a_phone(open_page) -> None:
    opened = open_page(viewport=PHONE, is_mobile=True, has_touch=True)
    opened.tab.get_by_role("button", name="The same, with speaker turns").tap()
    opened.heard()
    assert opened.tab.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    inside = "document.querySelector('iframe').contentDocument.documentElement"
    assert opened.tab.evaluate(f"{inside}.scrollWidth <= {inside}.clientWidth")
    for button in opened.tab.get_by_role("button").all():
        assert button.bounding_box()["height"] >= 40
