"""What the timeline page draws: the waveform at every zoom, the scales, and the legend, in headless Chromium."""

import base64
import io
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from timeline_tab import TimelineTab
from timelines import branch_timeline, make_prediction, make_timeline, plain_timeline

from overtone.formats import html_player
from overtone.timeline import Segment, Timeline

pytestmark = pytest.mark.slow
RATE_HZ = 16_000
LONG_S = 120
# Returns, per pixel column of the tracks, the number of pixels of the waveform.
HEIGHTS = """() => {
  const context = stage.querySelector("canvas").getContext("2d");
  const [x, y, width] = [leftMargin(), GROUPS[0].waveformTop, Math.floor(view.width) - leftMargin()];
  const { data: pixels } = context.getImageData(x, y, width, WAVEFORM);
  const ink = css.soft.match(/\\w\\w/g).map((part) => parseInt(part, 16)), heights = new Array(width).fill(0);
  for (let index = 0; index < pixels.length; index += 4)
    if (ink.every((value, channel) => Math.abs(pixels[index + channel] - value) < 24)) heights[(index / 4) % width]++;
  return heights;
}"""
# Draws the page once and returns every text on it: one step, as the page draws again when its audio has been decoded.
DRAWN_TEXTS = """() => {
  const texts = [], original = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = (text, x, y) => texts.push({ text, x, y });
  redraw();
  CanvasRenderingContext2D.prototype.fillText = original;
  return texts;
}"""


def write(path: Path, timeline: Timeline, audio: np.ndarray | None) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        html_player.write(timeline, stream, None if audio is None else [audio])
    return path


def bursts(duration_s: float) -> np.ndarray:
    """Return a tone whose level changes every 20 ms, five times per step of a timeline; float32 `(samples,)`."""
    rng = np.random.default_rng(0)
    levels = np.repeat(rng.uniform(0.02, 0.8, round(duration_s * 50)), RATE_HZ // 50)
    return (levels * np.sin(2 * np.pi * 250 * np.arange(len(levels)) / RATE_HZ)).astype(np.float32)


@pytest.fixture(scope="module")
def long_page(browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimelineTab]:
    timeline = make_timeline(Segment(0, LONG_S, make_prediction("happy")), duration_s=LONG_S)
    path = write(tmp_path_factory.mktemp("page") / "long.html", timeline, bursts(LONG_S))
    tab = TimelineTab(browser, path.as_uri())
    tab.expect_errors("willReadFrequently")  # advice on reading pixels
    yield tab
    tab.close(path.as_uri())


@pytest.mark.parametrize(("from_s", "span_s"), [(0, 2), (100, 2), (LONG_S - 2, 2), (30, 6), (50, 40)])
def test_the_waveform_shows_the_samples_at_every_zoom(long_page: TimelineTab, from_s: float, span_s: float) -> None:
    long_page.tab.evaluate(f"setView({from_s}, {span_s})")
    long_page.wait_until("stage.dataset.waveform === 'samples'")
    heights = np.array(long_page.tab.evaluate(HEIGHTS))
    samples = bursts(LONG_S)
    edges = np.linspace(from_s, from_s + span_s, len(heights) + 1) * RATE_HZ
    ranges = [samples[int(a) : max(int(np.ceil(b)), int(a) + 1)] for a, b in pairwise(edges)]
    expected = np.array([part.max() - part.min() for part in ranges]) / (2 * np.abs(samples).max()) * 82
    assert np.corrcoef(heights, expected)[0, 1] > 0.97
    assert np.median(np.abs(heights - expected)) < 3
    # Only a few seconds around the view are decoded, whatever the length of the recording.
    assert long_page.tab.evaluate("piece.samples.length") < (span_s + 12) * RATE_HZ


def test_the_outline_of_all_shows_the_peaks(long_page: TimelineTab) -> None:
    long_page.tab.evaluate(f"setView(0, {LONG_S})")
    assert long_page.tab.evaluate("stage.dataset.waveform") == "steps"
    heights = np.array(long_page.tab.evaluate(HEIGHTS))
    samples = bursts(LONG_S)
    peaks = np.abs(samples[: len(samples) // 1600 * 1600]).reshape(-1, 1600).max(1) / np.abs(samples).max() * 82
    assert peaks.min() - 4 < heights.min() and heights.max() == pytest.approx(82, abs=3)


def test_without_audio_the_outline_has_no_blocks(browser, tmp_path: Path) -> None:
    path = write(tmp_path / "page.html", plain_timeline(), None)
    tab = TimelineTab(browser, path.as_uri())
    tab.tab.evaluate("setView(0, 2)")
    heights = np.array(tab.tab.evaluate(HEIGHTS))
    assert heights.min() <= 2 and heights.max() > 70
    assert np.abs(np.diff(heights)).max() <= 5, "a line from step to step"
    tab.expect_errors("Failed to load resource", "willReadFrequently")  # the audio file is missing
    tab.close(tmp_path.as_uri())


def test_the_page_of_the_service_gets_the_samples_of_its_file(browser, tmp_path: Path) -> None:
    file = io.BytesIO()
    stereo = np.stack([bursts(6), np.zeros(6 * RATE_HZ, np.float32)], axis=1)
    soundfile.write(file, stereo, RATE_HZ, format="WAV")
    tab = TimelineTab(browser, write(tmp_path / "page.html", plain_timeline(), None).as_uri())
    text = base64.b64encode(file.getvalue()).decode("ascii")
    tab.tab.evaluate("text => setWaveformAudio(new Blob([decodeBase64(text)]))", text)
    assert tab.tab.evaluate("stage.dataset.waveform") == "samples"
    assert len(set(tab.tab.evaluate(HEIGHTS))) > 20
    tab.tab.evaluate("text => setWaveformAudio(new Blob([decodeBase64(text)]), 'right')", text)
    assert max(tab.tab.evaluate(HEIGHTS)) <= 2, "this channel is silent"
    tab.tab.evaluate("text => setWaveformAudio(new Blob([decodeBase64(text)]), 'left')", text)
    assert max(tab.tab.evaluate(HEIGHTS)) > 70
    tab.tab.evaluate("setWaveformAudio(new Blob(['no audio']))")
    assert tab.tab.evaluate("stage.dataset.waveform") == "samples", "a file that is not decoded changes nothing"
    tab.expect_errors("Failed to load resource", "willReadFrequently")  # the audio file is missing
    tab.close(tmp_path.as_uri())


def test_the_samples_of_another_recording_are_not_drawn(browser, tmp_path: Path) -> None:
    file = io.BytesIO()
    soundfile.write(file, bursts(3), RATE_HZ, format="WAV")
    tab = TimelineTab(browser, write(tmp_path / "page.html", plain_timeline(), None).as_uri())
    text = base64.b64encode(file.getvalue()).decode("ascii")
    tab.tab.evaluate("text => setWaveformAudio(new Blob([decodeBase64(text)]))", text)
    assert tab.tab.evaluate("stage.dataset.waveform") == "steps"
    tab.expect_errors("Failed to load resource", "willReadFrequently")  # the audio file is missing
    tab.close(tmp_path.as_uri())


def test_every_curve_has_a_scale(browser, tmp_path: Path) -> None:
    path = write(tmp_path / "page.html", branch_timeline(), bursts(6))
    tab = TimelineTab(browser, path.as_uri())
    drawn = tab.tab.evaluate(DRAWN_TEXTS)
    texts = [item["text"] for item in drawn]
    assert texts.count("0.5") == 4 + 2, "of the emotions, arousal and valence"
    top, middle, bottom = (max(item["y"] for item in drawn if item["text"] == text) for text in ("1", "0.5", "0"))
    assert top < middle < bottom
    assert middle - top == pytest.approx(bottom - middle, abs=0.01)
    assert {"pitch", "Hz", "100", "150", "200", "loudness", "dB", "−30", "−20"} <= set(texts)
    margin = tab.tab.evaluate("leftMargin()")
    assert all(item["x"] < margin for item in drawn if item["text"] in ("0.5", "150", "−30"))
    assert "uncertain (sad) 40 %, parts disagree" in texts
    tab.close(path.as_uri())


@pytest.mark.parametrize("colour_scheme", ["light", "dark"])
def test_the_legend_is_accessible_on_a_narrow_screen(browser, tmp_path: Path, colour_scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="comes with the [dev] extra")
    path = write(tmp_path / "page.html", branch_timeline(), bursts(6))
    tab = TimelineTab(
        browser, path.as_uri(), viewport={"width": 360, "height": 700}, color_scheme=colour_scheme, bypass_csp=True
    )
    legend = tab.tab.locator("#legend")
    assert legend.locator("dl").is_hidden()
    legend.locator("summary").focus()
    tab.tab.keyboard.press("Enter")
    assert legend.locator("dt", has_text="pitch").is_visible()
    assert tab.tab.evaluate("document.documentElement.scrollWidth") == 360
    assert axe.Axe().run(tab.tab).response["violations"] == []
    tab.close(path.as_uri())
