"""The panel "Why?" of the web page in headless Chromium."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from chromium import PHONE
from synthetic_audio import RATE_HZ, speech_like

import overtone
from overtone.audio.decode import read
from overtone.formats.explanation_json import to_object

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, {"viewport": PHONE, "is_mobile": True}])
def test_a_segment_is_explained_on_demand(open_page, talk: Path, options: dict) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="comes with the [dev] extra")
    page = open_page(**options)
    page.add_files(talk)
    page.wait_for_result()
    why = page.tab.get_by_role("button", name="Why?")
    assert why.get_attribute("aria-expanded") == "false"
    assert not [url for url in page.requested_urls if "/v1/explain" in url], "only on demand"
    why.focus()
    page.tab.keyboard.press("Enter")
    assert why.get_attribute("aria-expanded") == "true"
    page.press("Explain")
    page.wait_until("document.querySelector('#findings table') !== null")
    assert page.tab.locator("#findings > p").count() >= 3
    assert page.tab.locator("#findings caption").all_inner_texts() == [
        "Frequencies",
        "Properties, made average",
        "Time",
    ]
    assert page.tab.locator("#findings svg rect.for, #findings svg rect.against").count() > 20
    found = axe.Axe().run(page.tab)
    assert found.violations_count == 0, found.generate_report()
    width = page.tab.evaluate("document.documentElement.clientWidth")
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= width


def test_an_error_of_the_service_is_shown(open_page, talk: Path) -> None:
    page = open_page()
    page.add_files(talk)
    page.wait_for_result()
    page.press("Why?")
    error = '{"error": {"code": "invalid_audio", "message": "<b>broken</b>", "status": 422}}'
    page.tab.route("**/v1/explain", lambda route: route.fulfill(status=422, body=error))
    page.press("Explain")
    page.wait_until("document.querySelector('#why .error').textContent !== ''")
    assert page.tab.locator("#why .error").inner_text() == "<b>broken</b>"
    page.expect_errors()  # the browser logs the status


RTTM = "SPEAKER call 1 0.0 2.0 <NA> <NA> Anna <NA> <NA>\nSPEAKER call 1 {0} {1} <NA> <NA> Ben <NA> <NA>\n"
START_S, END_S = 2.005, 3.605  # times 44 100 Hz, they are halves of a frame
STEREO_HZ = 44_100
RECORD_SENT = """() => {
    const { append } = FormData.prototype;
    window.sentBytes = [];
    FormData.prototype.append = function (name, value, ...rest) {
        if (value instanceof Blob) window.sentBytes.push(value.size);
        append.call(this, name, value, ...rest);
    };
}"""
CUT = """async ([text, start, end, duration]) => {
    const { cutExcerpt } = await import("/page/excerpt.js");
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const excerpt = await cutExcerpt(new Blob([bytes]), start, end, duration);
    if (!excerpt) return null;
    return btoa(Array.from(new Uint8Array(await excerpt.arrayBuffer()), (byte) => String.fromCharCode(byte)).join(""));
}"""


def write_call(path: Path, rate_hz: int = STEREO_HZ, **options) -> Path:
    """Write four seconds of stereo: speech on the left, other and quieter speech on the right."""
    left, right = (speech_like(np.random.default_rng(seed), 4.0) for seed in (7, 8))
    samples = soxr.resample(np.stack([left, 0.5 * right], axis=1), RATE_HZ, rate_hz)
    soundfile.write(path, samples, rate_hz, **options)
    return path


def explain_second_turn(page, call: Path):
    """Upload a call with two turns and explain the second; return the response. `sentBytes` has what was sent."""
    turns = call.with_suffix(".rttm")
    turns.write_text(RTTM.format(START_S, round(END_S - START_S, 3)))
    page.add_files(call, turns)
    page.press("Upload")
    page.wait_for_result()
    page.press("Why?")
    page.tab.get_by_label("Segment").select_option(index=1)
    page.tab.evaluate(RECORD_SENT)
    with page.tab.expect_response("**/v1/explain") as waiting:
        page.press("Explain")
    return waiting.value


def cut(page, path: Path) -> bytes | None:
    """Return what the page sends of a file to explain a tenth of a second; None for the whole file."""
    text = base64.b64encode(path.read_bytes()).decode()
    excerpt = page.tab.evaluate(CUT, [text, START_S, START_S + 0.1, soundfile.info(path).duration])
    return None if excerpt is None else base64.b64decode(excerpt)


@pytest.mark.parametrize("channel", ["mix", "right"])
def test_the_sound_of_the_segment_alone_is_sent(open_page, tiny: Path, tmp_path: Path, channel: str) -> None:
    call, page = write_call(tmp_path / "call.wav", subtype="PCM_16"), open_page()
    page.tab.get_by_label("Channels").select_option(channel)
    response = explain_second_turn(page, call)
    (sent_bytes,) = page.tab.evaluate("sentBytes")
    assert sent_bytes < 0.5 * call.stat().st_size
    expected = overtone.load(tiny).explain(call, start_s=START_S, end_s=END_S, channel=channel)
    prediction = replace(expected.prediction, source="call.wav")
    assert response.json()["explanation"] == to_object(replace(expected, prediction=prediction))
    page.wait_until("document.querySelector('#findings table') !== null")
    rows = page.tab.locator("#findings caption:text('Time') + tbody th").all_inner_texts()
    assert rows[0].startswith("2.0 – ") and rows[-1].endswith(" – 3.6 s"), "times of the recording"


def test_the_samples_of_the_segment_are_those_that_the_service_decodes(open_page, tmp_path: Path) -> None:
    page = open_page()
    exact = [
        write_call(tmp_path / "a.wav", subtype="PCM_24"),
        write_call(tmp_path / "b.wav", subtype="FLOAT"),
        write_call(tmp_path / "c.wav", format="WAVEX", subtype="PCM_16"),
        write_call(tmp_path / "d.wav", 8000, subtype="PCM_U8"),
    ]
    decoded = [
        write_call(tmp_path / "a.flac", subtype="PCM_24"),
        write_call(tmp_path / "b.flac", 16_000, subtype="PCM_16"),
        write_call(tmp_path / "c.mp3"),
        write_call(tmp_path / "d.mp3", 16_000),
        write_call(tmp_path / "e.ogg", 22_050),
    ]
    for path in (*exact, *decoded):
        excerpt = cut(page, path)
        for channel in ("mix", "right"):
            expected = read(path, start_s=START_S, end_s=START_S + 0.1, channel=channel).samples
            # Browsers divide positive integers of 16 bit by 32 767.
            tolerance = 0 if path in exact else 1e-4 if path.suffix == ".flac" else 2e-3
            np.testing.assert_allclose(read(excerpt, channel=channel).samples, expected, atol=tolerance)


def test_the_whole_file_is_sent_where_its_samples_are_not_certain(open_page, tmp_path: Path) -> None:
    page = open_page()
    wave = write_call(tmp_path / "call.wav", subtype="PCM_16")
    content = bytearray(wave.read_bytes())
    variants = {
        "unknown length": content[:4] + b"\xff" * 4 + content[8:40] + b"\xff" * 4 + content[44:],
        "two in a row": content + content,
        "truncated": content[:-1000],
        "compressed": content[:20] + b"\x55\0" + content[22:],
        "header alone": content[:30],
        "nothing": b"",
        "no audio": b"fLaC" + bytes(100_000),
        "damaged": content[:100] + b"\0",
    }
    for name, changed in variants.items():
        text = base64.b64encode(bytes(changed)).decode()
        assert page.tab.evaluate(CUT, [text, 1.0, 2.0, 4.0]) is None, name
    assert cut(page, write_call(tmp_path / "call.opus", 48_000, format="OGG", subtype="OPUS")) is None
    text = base64.b64encode(wave.read_bytes()).decode()
    assert page.tab.evaluate(CUT, [text, 1.0, 2.0, 4.1]) is None, "of another recording"
    assert page.tab.evaluate(CUT, [text, 0.0, 4.0, 4.0]) is None, "not smaller"
    with_tags = content[:4] + (len(content) - 8 + 12).to_bytes(4, "little") + content[8:] + b"LIST\4\0\0\0INFO"
    assert page.tab.evaluate(CUT, [base64.b64encode(bytes(with_tags)).decode(), 1.0, 2.0, 4.0]) is not None


def test_a_file_that_is_not_cut_is_explained_as_a_whole(open_page, tiny: Path, tmp_path: Path) -> None:
    call, page = write_call(tmp_path / "call.opus", 48_000, format="OGG", subtype="OPUS"), open_page()
    response = explain_second_turn(page, call)
    assert page.tab.evaluate("sentBytes") == [call.stat().st_size]
    expected = overtone.load(tiny).explain(call, start_s=START_S, end_s=END_S)
    prediction = replace(expected.prediction, source="call.opus")
    assert response.json()["explanation"] == json.loads(json.dumps(to_object(replace(expected, prediction=prediction))))
