"""Writes the examples of docs/forms.md, each as its form writes it, and the pictures of that page.

    python examples/make_forms.py

The text forms show a small timeline made by hand; the pictures show what the bundled model hears in the sample speech
of examples/speech, joined. The page is photographed in Chromium, where there is one.
"""

import io
import re
import tempfile
from pathlib import Path

import numpy as np
import soundfile

import overtone
from overtone.audio.blocks import blocks
from overtone.outputs import TIMELINE_FORMS, save_timeline
from overtone.timeline import Curves, Segment, Timeline
from overtone.values import SAMPLE_RATE_HZ, Answer

PROJECT = Path(__file__).resolve().parent.parent
PAGE = PROJECT / "docs" / "forms.md"
FIGURES = PROJECT / "docs" / "figures"
EXAMPLE = re.compile(r"(<!-- (\w+) -->\n```\w*\n).*?(```\n)", re.DOTALL)
EMOTIONS = ("neutral", "happy", "angry")
PAUSE_S = 0.7


def main() -> None:
    """Writes the page anew, and its pictures."""
    PAGE.write_text(with_examples(PAGE.read_text("utf-8")), "utf-8")
    with tempfile.TemporaryDirectory() as folder:
        sound = joined_speech(Path(folder) / "sample-speech.flac")
        heard = overtone.load().timeline(sound)
        save_timeline(heard, FIGURES / "timeline.png", "png")
        html = Path(folder) / "timeline.html"
        save_timeline(heard, html, "html", blocks(sound))
        photograph(html, FIGURES / "timeline-page.png")


def with_examples(page: str) -> str:
    """The page with every example made anew: whatever stands between a comment that names a form and its last fence."""

    def anew(block: re.Match[str]) -> str:
        stream = io.StringIO(newline="")
        TIMELINE_FORMS[block[2]].write(example(), stream)
        return block[1] + stream.getvalue().rstrip("\n") + "\n" + block[3]

    return EXAMPLE.sub(anew, page)


def example() -> Timeline:
    """Two people, each with a turn, and the silence before them."""
    happy = Answer(EMOTIONS, np.array([0.06, 0.81, 0.13]), model="overtone-1", uncertain_below=0.5)
    unsure = Answer(EMOTIONS, np.array([0.33, 0.25, 0.42]), model="overtone-1", uncertain_below=0.5)
    probabilities = np.full((6, 3), np.nan)
    probabilities[1:4], probabilities[4:] = happy.probabilities, unsure.probabilities
    pitch_hz, loudness_db = (
        np.array([0, 210.4, 224.1, 198.7, 118.2, 0]),
        np.array([-71.3, -24, -22.5, -25.1, -30.4, -34]),
    )
    segments = (Segment(0, 0.5), Segment(0.5, 2, happy, "Anna"), Segment(2, 3, unsure, "Björn"))
    return Timeline("talk.wav", 3, EMOTIONS, "overtone-1", segments, Curves(0.5, probabilities, pitch_hz, loudness_db))


def joined_speech(path: Path) -> Path:
    """The sample speech one after the other, with pauses, as one file."""
    pause = np.zeros(round(PAUSE_S * SAMPLE_RATE_HZ), np.float32)
    clips = [soundfile.read(file, dtype="float32")[0] for file in sorted((PROJECT / "examples/speech").glob("*.flac"))]
    soundfile.write(path, np.concatenate([part for clip in clips for part in (pause, clip)] + [pause]), SAMPLE_RATE_HZ)
    return path


def photograph(html: Path, picture: Path, chromium: str = "/usr/bin/chromium") -> None:
    """A picture of a page as it stands open in a browser, some way into it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": 1100, "height": 900})
        tab.goto(html.as_uri())
        tab.evaluate("seek(2)")
        tab.evaluate("hint(xOf(2))")
        tab.screenshot(path=str(picture))
        browser.close()


if __name__ == "__main__":
    main()
