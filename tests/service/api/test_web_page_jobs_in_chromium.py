"""The web page in headless Chromium: the jobs of a browser, cancelling, leaving, and files of speaker turns."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from synthetic_audio import RATE_HZ
from web_tab import WebPage

pytestmark = pytest.mark.slow
IS_ASKED = "!dispatchEvent(new Event('beforeunload', { cancelable: true }))"
RTTM = "SPEAKER {0} 1 0.0 3.0 <NA> <NA> Anna <NA> <NA>\nSPEAKER {0} 1 3.0 3.0 <NA> <NA> Ben <NA> <NA>\n"


@pytest.fixture
def stopped(served, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The service starts no job until `undo` is called."""
    monkeypatch.setattr(served.backend.store, "claim", lambda: None)
    return monkeypatch


def job_in_address(tab) -> str:
    found = re.fullmatch("#job=([0-9a-f]{32})", tab.evaluate("location.hash"))  # `tab.url` may lag behind
    return found[1] if found else ""


def wait_for_job(page: WebPage, other_than: str = "") -> str:
    """Wait until the address names a job; return its id."""
    page.wait_while(lambda: job_in_address(page.tab) in ("", other_than))
    return job_in_address(page.tab)


def test_a_job_survives_a_reload_a_new_tab_and_the_back_button(
    open_page, talk: Path, tmp_path: Path, stopped: pytest.MonkeyPatch
) -> None:
    page = open_page()
    page.add_files(talk)
    job = wait_for_job(page)
    page.wait_until("/queued/.test(document.querySelector('#recordings').innerText)")
    assert not page.tab.evaluate(IS_ASKED), "the job goes on without the page"
    stored = page.tab.evaluate("Object.entries(localStorage).join()")
    assert job in stored and "talk.flac" in stored
    others = [
        "no JSON",
        "null",
        '{"name": 3, "createdS": 0, "turns": ""}',
        '{"name": "x", "createdS": null, "turns": ""}',
    ]
    for number, text in enumerate(others):
        entry = [f"overtone-job:/:{number:032x}", text]
        page.tab.evaluate("entry => localStorage.setItem(...entry)", entry)
    page.tab.reload()
    page.wait_until("/queued/.test(document.querySelector('#recordings')?.innerText)")
    assert page.tab.locator("progress").count() == 1
    tab = page.context.new_page()
    tab.goto(page.tab.url)
    stopped.undo()
    for each in (page.tab, tab):
        each.frame_locator("iframe").locator("h1").wait_for()
        assert each.frame_locator("iframe").locator("h1").inner_text() == "talk.flac"
    page.frame.locator("#play:disabled").wait_for()  # a page cannot open files by itself
    wrong = tmp_path / "wrong.wav"
    soundfile.write(wrong, np.zeros(3 * RATE_HZ), RATE_HZ)
    choice = page.tab.get_by_label("Audio of talk.flac")
    choice.set_input_files(wrong)
    alert = page.tab.get_by_role("alert").filter(has_text="lasts 0:03 and this recording 0:08")
    alert.wait_for()
    choice.set_input_files(talk)
    alert.wait_for(state="detached")
    page.wait_for_result()
    other = tmp_path / "other.flac"
    other.write_bytes(talk.read_bytes())
    page.add_files(other)
    wait_for_job(page, job)
    page.tab.go_back()
    page.wait_until("document.querySelector('#recordings .selected').innerText.includes('talk.flac')")
    assert job_in_address(page.tab) == job
    page.tab.go_forward()
    page.wait_until("document.querySelector('#recordings .selected').innerText.includes('other.flac')")
    page.wait_for_result()
    tab.get_by_role("button", name="Delete talk.flac").click()
    page.wait_until("document.querySelectorAll('#recordings li').length === 1")
    assert page.row.locator("b").all_inner_texts() == ["other.flac"], "another tab has deleted the first one"


def test_a_cancelled_job_stays_until_it_is_deleted(open_page, talk: Path, stopped: pytest.MonkeyPatch) -> None:
    page = open_page()
    page.add_files(talk)
    job = wait_for_job(page)
    page.press("Cancel talk.flac")
    page.wait_until("/cancelled/.test(document.querySelector('#recordings').innerText)")
    assert page.served.ask("GET", f"/v1/jobs/{job}").json["state"] == "cancelled"
    page.tab.reload()
    page.wait_until("/cancelled/.test(document.querySelector('#recordings')?.innerText)")
    page.press("Delete talk.flac")
    page.wait_until("document.querySelector('#recordings') === null")
    assert page.served.ask("GET", f"/v1/jobs/{job}").status == 404
    assert job not in page.tab.evaluate("Object.entries(localStorage).join() + location.href")
    page.expect_errors("404")


def test_leaving_asks_only_while_an_upload_would_be_lost(open_page, talk: Path) -> None:
    page = open_page()
    assert not page.tab.evaluate(IS_ASKED)
    page.tab.route("**/v1/timeline", lambda route: None)  # the upload does not end
    page.add_files(talk)
    page.wait_until("document.querySelector('progress') !== null")
    assert page.tab.evaluate(IS_ASKED)
    page.press("Cancel talk.flac")
    page.wait_until("/cancelled/.test(document.querySelector('#recordings').innerText)")
    assert not page.tab.evaluate(IS_ASKED)
    page.tab.unroute("**/v1/timeline")
    page.press("Try again")
    page.wait_for_result()
    assert not page.tab.evaluate(IS_ASKED)


def test_any_job_is_opened_by_its_address_and_one_that_the_service_lacks_is_reported(open_page, talk: Path) -> None:
    page = open_page()
    address = page.tab.url
    job = page.served.raw("/v1/timeline?name=sent.flac", talk.read_bytes()).json["id"]
    page.tab.goto(f"{address}#job={job}")
    page.frame.locator("h1", has_text="sent.flac").wait_for()
    assert job in page.tab.evaluate("Object.entries(localStorage).join()")
    page.press("Delete sent.flac")
    page.wait_until("document.querySelector('#recordings') === null")
    unknown = "0123456789abcdef" * 2
    page.tab.goto(f"{address}#job={unknown}")
    page.wait_until("document.querySelector('#recordings .error') !== null")
    assert "does not have this job" in page.row.inner_text()
    page.press(f"Delete Job {unknown[:8]}")
    page.wait_until("document.querySelector('#recordings') === null")
    page.expect_errors("404")


PAIRS = [  # recordings; files of turns, and the recordings that an RTTM file names; the expected file of each recording
    (["interview1.wav", "interview2.mp3"], {"interview2.rttm": [], "interview1.TextGrid": []}, [1, 0]),
    (["a.wav", "b.wav"], {"b_turns.csv": [], "A-diarization.json": []}, [1, 0]),
    (["talk 1.m4a", "talk 2.m4a"], {"talk_1.m4a.en.srt": [], "talk 2 (speakers).eaf": []}, [0, None]),
    (["a.wav", "b.wav", "c.wav"], {"all.rttm": ["a", "b.wav", "sub/x"]}, [0, 0, None]),
    (["a.wav", "b.wav"], {"all.rttm": ["a", "b"], "b.eaf": []}, [0, 1]),
    (["call.wav"], {"speakers.rttm": ["other"]}, [0]),
    (["call.wav"], {"speakers.rttm": ["x", "y"]}, [None]),
    (["call.wav"], {"1.srt": [], "2.srt": []}, [None]),
    (["turns.wav", "x.wav"], {"x.wav.rttm": []}, [None, 0]),
]
MATCH = """async ([recordings, turns]) => {
    const { matchTurns } = await import("/page/turns_matching.js");
    const given = Object.entries(turns).map(([name, recordings]) => ({ file: { name }, recordings }));
    const found = matchTurns(recordings.map((name) => ({ name })), given);
    return found.map((one) => one && given.indexOf(one));
}"""
READ = """async (text) => {
    const { recordingsIn } = await import("/page/turns_matching.js");
    return recordingsIn(new File([text], "x.RTTM"));
}"""


def test_recordings_and_files_of_turns_find_each_other(open_page, talk: Path, tmp_path: Path) -> None:
    page = open_page()
    for recordings, turns, expected in PAIRS:
        assert page.tab.evaluate(MATCH, [recordings, turns]) == expected, (recordings, turns)
    text = (
        RTTM.format("call 2.wav") + ";; a\nSPKR-INFO x 1 <NA>\n" + RTTM.format("talk").replace(" <NA> <NA> B", " a b B")
    )
    assert page.tab.evaluate(READ, text) == ["call 2.wav", "talk"]
    files = [tmp_path / name for name in ("one.flac", "two.flac", "both.rttm", "spare.srt", "notes.pdf")]
    for file in files[:2]:
        file.write_bytes(talk.read_bytes())
    files[2].write_text(RTTM.format("one") + RTTM.format("two").replace("Anna", "Cleo"))
    files[3].write_text("1\n00:00:01,000 --> 00:00:02,000\nDora: yes\n")
    files[4].write_bytes(b"%PDF-1.7")
    page.add_files(files[3])
    panel = page.tab.locator("section[aria-label='Speaker turns']")
    panel.locator(".error").wait_for()
    assert panel.locator(".error").inner_text().startswith("spare.srt: ")
    assert panel.get_by_role("button", name="Upload").is_disabled(), "there is no recording"
    page.add_files(*files[:3], files[4])
    panel.get_by_label("two.flac").wait_for()
    assert page.alert.inner_text().startswith("notes.pdf: ")
    assert page.row.count() == 0, "nothing is uploaded yet"
    choices = [panel.get_by_label(f"{name}.flac") for name in ("one", "two")]
    chosen = [choice.evaluate("select => select.selectedOptions[0].text") for choice in choices]
    assert chosen == ["both.rttm", "both.rttm"]
    choices[0].select_option("spare.srt")
    assert panel.locator(".error").count() == 0
    page.tab.get_by_label("Channels").select_option("each")
    assert panel.get_by_role("button", name="Upload").is_disabled(), "the channels are the turns"
    page.tab.get_by_label("Channels").select_option("mix")
    panel.get_by_role("button", name="Upload").click()
    page.wait_for_result()
    assert page.frame.locator("h1").inner_text() == "one.flac"
    assert page.frame.locator("td:first-child").all_inner_texts() == ["Dora"]
    page.row.filter(has_text="two.flac").locator(".name").click()
    page.wait_for_page_of("two.flac")
    assert page.frame.locator("td:first-child").all_inner_texts() == ["Ben", "Cleo", "all"]
