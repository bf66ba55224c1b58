"""Writes the examples of docs/forms.md, each as its form writes it, and the pictures of that page.

    python tools/make_forms.py

The text forms show a small timeline made by hand; the pictures show what the bundled model hears in clips of RAVDESS,
joined as if two of its speakers talked to each other. RAVDESS is looked for in $OVERTONE_DATA/ravdess, else in
../shared/data/ravdess beside the project. The page is photographed in Chromium.
"""

import io
import os
import re
import tempfile
from pathlib import Path

import numpy as np
import soundfile

import overtone
from overtone.audio.blocks import blocks
from overtone.audio.decode import read
from overtone.datatypes import SAMPLE_RATE_HZ, Prediction
from overtone.formats import TIMELINE_FORMATS, save_timeline
from overtone.timeline import Segment, Timeline, Tracks

PROJECT = Path(__file__).resolve().parent.parent
PAGE = PROJECT / "docs" / "forms.md"
FIGURES = PROJECT / "docs" / "figures"
EXAMPLE = re.compile(r"(<!-- (\w+) -->\n```\w*\n).*?(```\n)", re.DOTALL)
EMOTIONS = ("neutral", "happy", "angry")
CLIPS = (  # of two actors in turn; the third number of a name is the emotion
    *("01/03-01-01-01-01-01-01", "02/03-01-03-02-01-01-02", "01/03-01-08-02-02-01-01", "02/03-01-05-02-01-01-02"),
    *("01/03-01-06-02-01-01-01", "02/03-01-04-01-02-02-02", "01/03-01-07-02-01-02-01", "02/03-01-02-02-02-02-02"),
)
OVERLAP_S = 1.2  # clips of RAVDESS begin and end with about a second of silence


def main() -> None:
    """Writes the page anew, and its pictures."""
    PAGE.write_text(with_examples(PAGE.read_text("utf-8")), "utf-8")
    with tempfile.TemporaryDirectory() as folder:
        sound, turns = conversation(Path(folder) / "conversation.flac")
        heard = overtone.load().timeline(sound, segments=turns)
        save_timeline(heard, FIGURES / "timeline.png", "png")
        html = Path(folder) / "timeline.html"
        save_timeline(heard, html, "html", blocks(sound))
        photograph(html, FIGURES / "timeline-page.png")


def with_examples(page: str) -> str:
    """The page with every example made anew: whatever stands between a comment that names a form and its last fence."""

    def anew(block: re.Match[str]) -> str:
        stream = io.StringIO(newline="")
        TIMELINE_FORMATS[block[2]].write(example(), stream)
        return block[1] + stream.getvalue().rstrip("\n") + "\n" + block[3]

    return EXAMPLE.sub(anew, page)


def example() -> Timeline:
    """Two people, each with a turn, and the silence before them."""
    happy = Prediction(EMOTIONS, np.array([0.06, 0.81, 0.13]), model="overtone-1", uncertain_below=0.5)
    unsure = Prediction(EMOTIONS, np.array([0.33, 0.25, 0.42]), model="overtone-1", uncertain_below=0.5)
    probabilities = np.full((6, 3), np.nan)
    probabilities[1:4], probabilities[4:] = happy.probabilities, unsure.probabilities
    pitch_hz, loudness_db = (
        np.array([0, 210.4, 224.1, 198.7, 118.2, 0]),
        np.array([-71.3, -24, -22.5, -25.1, -30.4, -34]),
    )
    segments = (Segment(0, 0.5), Segment(0.5, 2, happy, "Anna"), Segment(2, 3, unsure, "Björn"))
    return Timeline("talk.wav", 3, EMOTIONS, "overtone-1", segments, Tracks(0.5, probabilities, pitch_hz, loudness_db))


def conversation(path: Path) -> tuple[Path, tuple[Segment, ...]]:
    """The clips one after the other as one file, each reaching into the next; and who speaks when."""
    data = Path(os.environ.get("OVERTONE_DATA") or PROJECT.parent / "shared" / "data")
    joined, turns, start = np.zeros(0, np.float32), [], 0
    for name in CLIPS:
        (file,) = (data / "ravdess").glob(f"Actor_{name}.*")
        samples = read(file).samples
        joined = np.pad(joined, (0, start + len(samples) - len(joined)))
        joined[start:] += samples
        quiet = round(OVERLAP_S / 2 * SAMPLE_RATE_HZ)
        spoken = (start + quiet) / SAMPLE_RATE_HZ, (start + len(samples) - quiet) / SAMPLE_RATE_HZ
        turns.append(Segment(*spoken, speaker={"01": "Anna", "02": "Björn"}[name[:2]]))
        start = len(joined) - round(OVERLAP_S * SAMPLE_RATE_HZ)
    soundfile.write(path, joined, SAMPLE_RATE_HZ)
    return path, tuple(turns)


def photograph(html: Path, picture: Path, chromium: str = "/usr/bin/chromium") -> None:
    """A picture of a page as it stands open in a browser, some way into it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": 1100, "height": 900})
        tab.goto(html.as_uri())
        tab.evaluate("seek(8.5)")
        tab.evaluate("hint(xOf(8.5))")
        tab.screenshot(path=str(picture))
        browser.close()


if __name__ == "__main__":
    main()
