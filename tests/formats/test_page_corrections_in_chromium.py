"""A person corrects the segments of a page in headless Chromium: keys, mouse, undo, storage, files; no script runs."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from test_html_player_in_chromium import PAYLOADS
from timeline_tab import EditorTab
from timelines import corrected_timeline, make_prediction, make_timeline, plain_timeline, turns_timeline

from overtone.cli.main import main
from overtone.formats import save_timeline
from overtone.formats.timeline_reader import read_timeline
from overtone.timeline import Segment, Timeline

pytestmark = pytest.mark.slow
TONE = [(0.3 * np.sin(np.arange(6 * 16_000) / 10)).astype(np.float32)]
ORIGINAL = [[1, 3.25, "happy", "model"], [3.25, 5, "sad", "model"]]
EMOTIONS = ("neutral", "happy", "sad", "angry")  # of the keys 1 to 4


@pytest.fixture
def open_page(browser, tmp_path: Path) -> Iterator:
    """Return a function that writes a timeline as a page and opens it; check errors and requests afterwards."""
    tabs: list[EditorTab] = []

    def write_and_open(timeline: Timeline, audio=TONE, **options) -> EditorTab:
        path = tmp_path / "page.html"
        save_timeline(timeline, path, "html", audio)
        tabs.append(EditorTab(browser, path, **options))
        return tabs[-1]

    yield write_and_open
    for tab in tabs:
        tab.close(tmp_path.as_uri())


def test_the_keys_correct_the_segments(open_page) -> None:
    page = open_page(plain_timeline())
    page.press("4", "w")
    assert page.segments() == ORIGINAL, "the keys work only while segments are corrected"
    page.start()
    page.press("4")
    assert page.segments() == [[1, 3.25, "angry", "person"], ORIGINAL[1]]
    page.press("n", "3", "p")
    assert page.segments()[1] == [3.25, 5, "sad", "person"], "the same emotion confirms it"
    page.press("w")
    assert page.segments()[0] == [1, 3.25, None, "person"]
    assert page.tab.locator("#segments .label").first.text_content().strip() == "wrong (happy)"
    page.press("d", "d", "Shift+A")
    assert page.segments()[0][:2] == [pytest.approx(1.19), 3.25]
    page.press("g", "Shift+G", "f")
    assert page.segments() == [[1.19, pytest.approx(3.26), None, "person"], [pytest.approx(3.26), 5, "sad", "person"]]
    states = 9
    page.press(*["Control+z"] * states)
    assert page.segments() == ORIGINAL
    page.press("Control+z", *["Control+Shift+z"] * states, "Control+Shift+z")
    assert page.segments()[1] == [pytest.approx(3.26), 5, "sad", "person"]


def test_segments_are_split_at_the_position_and_merged(open_page) -> None:
    page = open_page(plain_timeline()).start()
    page.press("m")
    assert page.segments() == [[1, 5, "happy", "person"]], "they differ, so the person decided"
    page.press("Control+z")
    page.tab.evaluate("seek(2.5)")
    page.press("s")
    assert page.segments() == [[1, 2.5, "happy", "model"], [2.5, 3.25, "happy", "model"], ORIGINAL[1]]
    assert page.tab.locator("#segments button").count() == 3
    page.press("m")
    assert page.segments() == ORIGINAL, "both parts have the same emotion"
    page.press("Control+z", "4", "n", "m")
    assert page.segments() == [[1, 2.5, "angry", "person"], [2.5, 5, "happy", "person"]]
    assert page.tab.evaluate("data.segments[1].label") == "happy (person)"


def test_a_segment_is_played_to_its_end(open_page) -> None:
    page = open_page(plain_timeline()).start()
    page.press("n")  # which starts it
    page.wait_until("audio.paused")
    assert page.tab.evaluate("audio.currentTime") == pytest.approx(5, abs=0.2)
    assert page.tab.locator("#selected").inner_text().startswith("Segment 2 of 2, 0:03.25 – 0:05.00: ")
    page.press("p", "r")
    page.wait_until("audio.paused")
    assert page.tab.evaluate("audio.currentTime") == pytest.approx(3.25, abs=0.2)


def test_the_mouse_corrects_the_segments(open_page) -> None:
    page = open_page(plain_timeline()).start()
    stage = page.tab.locator("#stage").bounding_box()
    x_of = lambda time_s: page.tab.evaluate(f"xOf({time_s})") + stage["x"]  # noqa: E731
    page.tab.mouse.click(x_of(4), stage["y"] + 10)
    page.tab.get_by_label("Emotion of the selected segment").select_option(label="4 angry")
    page.tab.mouse.move(x_of(3.25) + 2, stage["y"] + 10)
    page.tab.mouse.down()
    page.tab.mouse.move(x_of(2), stage["y"] + 12, steps=4)
    page.tab.mouse.up()
    (_, first_end, *_), second = page.segments()
    assert first_end == second[0] == pytest.approx(2, abs=0.02) and second[1:] == [5, "angry", "person"]
    page.tab.get_by_label("End", exact=True).fill("4.5")
    page.tab.get_by_label("End", exact=True).press("Enter")
    assert page.segments()[1][1] == 4.5
    for name in ("Undo", "Undo", "Redo"):
        page.tab.get_by_role("button", name=name, exact=True).click()
    assert page.segments()[1][1] == 5


def test_the_focus_stays_and_leaves_as_usual(open_page) -> None:
    page = open_page(plain_timeline()).start()
    page.tab.locator("#segments button").nth(1).focus()
    page.press("n", "4", "w", "Control+z")
    focused = (
        "document.querySelector('#segments').contains(document.activeElement) && document.activeElement.textContent"
    )
    assert "angry (person)" in page.tab.evaluate(focused)
    page.press("o")
    page.tab.get_by_label("Another label").fill("tired")
    page.tab.get_by_label("Another label").press("Enter")
    assert "tired (person)" in page.tab.evaluate(focused)
    page.press("o", "Escape", "Control+z")
    assert "angry (person)" in page.tab.evaluate(focused)
    page.press("Shift+Tab")
    assert "happy 81 %" in page.tab.evaluate(focused)
    page.press("Tab", "Tab")
    assert page.tab.evaluate(focused) is False, "no trap"


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_accessibility(open_page, colours: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="comes with the [dev] extra")
    page = open_page(corrected_timeline(), color_scheme=colours).start()
    page.press("?", "n", "w")
    page.tab.get_by_label("Emotion of the selected segment").select_option(label="another label …")
    found = axe.Axe().run(page.tab)
    assert found.violations_count == 0, found.generate_report()
    assert page.tab.locator("#keys").is_visible()
    page.tab.get_by_label("Another label").press("Escape")
    page.tab.locator("#stage").focus()
    page.press("?")
    assert page.tab.locator("#keys").is_hidden()


@pytest.mark.parametrize("timeline", [plain_timeline(), turns_timeline("Anna", 'Ben, "x"'), corrected_timeline()])
def test_the_files_are_those_of_the_corrected_timeline(open_page, tmp_path: Path, timeline: Timeline) -> None:
    page = open_page(timeline).start()
    count = len(page.segments())
    page.press("n", "w", "p", "4")
    page.tab.evaluate("audio.pause(); seek(data.segments[0].start + 0.1)")  # "p" plays
    page.press("s", "Shift+D")
    assert len(page.segments()) == count + 1
    saved = page.save("json", tmp_path)
    assert saved.name == "talk.corrected.json"
    corrected = read_timeline(saved)
    visible = [part for part in corrected.segments if part.is_speech or timeline.turns_given]
    found = [[part.start_s, part.end_s, part.emotion or None, part.decided_by] for part in visible]
    assert found == [[round(start, 3), round(end, 3), *rest] for start, end, *rest in page.segments()]
    predicted = timeline.segments[0 if timeline.turns_given else 1].prediction.probabilities
    np.testing.assert_allclose(visible[0].prediction.probabilities, predicted, atol=1e-6)
    assert main(["convert", str(saved), "--output", str(tmp_path / "again.csv")]) == 0
    assert page.save("csv", tmp_path).read_text("utf-8") == (tmp_path / "again.csv").read_text("utf-8")
    for suffix in (".TextGrid", ".eaf", ".html", ".vtt", ".parquet"):
        assert main(["convert", str(saved), "--output", str(tmp_path / f"talk{suffix}")]) == 0
    assert '"decided by' in (tmp_path / "talk.TextGrid").read_text("utf-8")


def test_corrections_survive_a_reload_and_leaving_asks(open_page, tmp_path: Path) -> None:
    page = open_page(plain_timeline()).start()
    page.press("4", "g")
    corrected = page.segments()
    page.tab.reload()
    assert page.dialogs == ["beforeunload"]
    assert page.segments() == corrected
    page.tab.locator("#segments button").first.click()
    page.save("json", tmp_path)
    page.tab.reload()
    assert page.dialogs == ["beforeunload"], "they have been downloaded"
    page.start()
    page.press("Control+z")
    assert page.segments() == ORIGINAL
    page.tab.reload()
    assert page.segments() == ORIGINAL and page.tab.evaluate("localStorage.length") == 0


def test_a_browser_without_storage_is_reported(open_page) -> None:
    page = open_page(plain_timeline())
    page.tab.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full'); }; }")
    page.start()
    page.press("4")
    assert "does not keep corrections" in page.tab.locator("#correction-status").inner_text()


@pytest.mark.parametrize(
    "stored", ['{"segments": [{}]}', '{"segments": 3}', "null", "[", '{"segments": [{"start_s": 0}]}']
)
def test_a_storage_with_other_content_is_not_used(open_page, stored: str) -> None:
    page = open_page(plain_timeline())
    page.tab.evaluate(
        "text => localStorage.setItem(`overtone-corrections-${timeline.dataset.fingerprint}`, text)", stored
    )
    page.tab.reload()
    assert page.segments() == ORIGINAL


def test_labels_run_no_script(open_page, tmp_path: Path) -> None:
    labels = [" ".join(text.split()) for text in PAYLOADS]
    turns = [Segment(k / 4, k / 4 + 0.25, make_prediction("sad"), text, text) for k, text in enumerate(PAYLOADS)]
    page = open_page(make_timeline(*turns, turns=True, source=f"{PAYLOADS[0][:8]}.wav")).start()
    for label in labels:
        page.press("o")
        page.tab.get_by_label("Another label").fill(label)
        page.tab.get_by_label("Another label").press("Enter")
        page.tab.locator("#stage").focus()
        page.press("n")
    assert sorted(name for _, _, name, _ in page.segments()) == sorted(labels)
    saved = page.save("json", tmp_path)
    page.save("csv", tmp_path)
    page.tab.reload()
    soundfile.write(tmp_path / "tone.wav", TONE[0], 16_000)
    audio = str(tmp_path / "tone.wav")
    assert main(["convert", str(saved), "--output", str(tmp_path / "page.html"), "--audio", audio]) == 0
    for _ in range(2):
        assert sorted(name for _, _, name, _ in page.segments()) == sorted(labels)
        for tag in ("img", "svg", "iframe", "a", "main script"):
            assert page.tab.locator(tag).count() == 0
        assert set(page.dialogs) <= {"beforeunload"} and page.tab.evaluate("document.scripts.length") <= 4
        page.tab.goto((tmp_path / "page.html").as_uri())


def test_a_label_with_control_characters_is_not_taken(open_page) -> None:
    page = open_page(plain_timeline()).start()
    for text in ("\u202eevil", "  ", "a\x07"):
        page.press("o")
        page.tab.get_by_label("Another label").evaluate("(input, text) => (input.value = text)", text)
        page.tab.get_by_label("Another label").press("Enter")
        page.tab.locator("#stage").focus()
    assert page.segments() == ORIGINAL


def long_timeline(duration_s: float) -> Timeline:
    """Return turns of 3 s of three speakers, a sixth of which are uncertain."""
    rng, turns = np.random.default_rng(2), []
    for k in range(int(duration_s // 3)):
        prediction = make_prediction(EMOTIONS[rng.integers(4)], 0.45 if k % 6 == 0 else 0.8)
        turns.append(Segment(3 * k, 3 * k + 2.9, prediction, f"speaker {k % 3}"))
    return make_timeline(*turns, duration_s=duration_s, turns=True)


MEASURE = """() => {
    window.operations = [];
    document.addEventListener("keydown", ({ key }) => window.operations.push([key, performance.now()]), true);
    document.addEventListener("keydown", () => window.operations.at(-1).push(performance.now()));
}"""


def test_ten_segments_of_twelve_minutes_are_corrected_with_few_keys(open_page, capsys) -> None:
    page = open_page(long_timeline(12 * 60), audio=None).start()
    page.tab.evaluate(MEASURE)
    begin_s = time.monotonic()
    for k in range(10):
        page.press("u", str(1 + (k + 1) % 4))
        page.press(*{2: ("d", "Shift+D"), 4: ("g",), 6: ("m",), 8: ("w",)}.get(k, ()))
    wall_s = time.monotonic() - begin_s
    operations = [end - start for key, start, end in page.tab.evaluate("operations") if key != "Shift"]
    changed = [row for row in page.segments() if row[3] == "person"]
    assert len(changed) == 10 and len(operations) == 25
    with capsys.disabled():
        print(
            f"\n{len(operations)} keystrokes, {wall_s:.1f} s; page: median {np.median(operations):.1f} ms, "
            f"longest {max(operations):.1f} ms per keystroke"
        )
    assert sum(operations) < 12_000, "a tenth of two minutes, on any machine"
    page.expect_errors()  # the audio file is missing


def test_the_page_of_an_hour_opens_quickly(browser, tmp_path: Path, capsys) -> None:
    """The times are those of the CPU, so that other programs on the machine do not count."""
    path = tmp_path / "page.html"
    save_timeline(long_timeline(3600), path, "html")
    tab = browser.new_context().new_page()
    session = tab.context.new_cdp_session(tab)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy_ms() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return 1000 * next(row["value"] for row in metrics if row["name"] == "TaskDuration")

    tab.goto(path.as_uri())
    opened_ms = busy_ms()
    tab.get_by_role("button", name="Correct", exact=True).click()
    before_ms, keys = busy_ms(), ("n", "4", "m", "Control+z")
    for key in keys:
        tab.keyboard.press(key)
    per_key_ms = (busy_ms() - before_ms) / len(keys)
    assert tab.evaluate("data.segments[1].label") == "angry (person)"
    tab.context.close()
    megabytes = path.stat().st_size / 1e6
    with capsys.disabled():
        print(f"\nan hour: opens in {opened_ms:.0f} ms, {megabytes:.1f} MB without audio, {per_key_ms:.0f} ms per key")
    assert opened_ms < 2000 and per_key_ms < 500
