"""Writes the examples in docs/formats.md, each with the code of its format, and the images of that page.

    python tools/make_format_examples.py

The text formats show a small handmade timeline. The images show the prediction of the bundled model for clips of
RAVDESS, joined into a conversation of two of its speakers. RAVDESS is expected in $OVERTONE_DATA/ravdess, else in
../shared/data/ravdess next to the project. The screenshot is taken with Chromium.
"""

import io
import os
import re
import tempfile
from pathlib import Path

import numpy as np
import soundfile

import overtone
from overtone.arousal_valence import arousal_valence
from overtone.audio.blocks import blocks
from overtone.audio.decode import read
from overtone.datatypes import SAMPLE_RATE_HZ, Prediction
from overtone.formats import save_timeline, write_timeline
from overtone.shares import ShareEstimate
from overtone.timeline import ADAPTED_TO_SPEAKERS, Segment, Timeline, Tracks

PROJECT = Path(__file__).resolve().parent.parent
PAGE = PROJECT / "docs" / "formats.md"
FIGURES = PROJECT / "docs" / "figures"
EXAMPLE = re.compile(r"(<!-- (\w+) -->\n```\w*\n).*?(```\n)", re.DOTALL)
EMOTIONS, MODEL = ("neutral", "happy", "angry"), "overtone-1"
CLIPS = (  # alternately of two actors; the third number of a name is the emotion
    *("01/03-01-01-01-01-01-01", "02/03-01-03-02-01-01-02", "01/03-01-08-02-02-01-01", "02/03-01-05-02-01-01-02"),
    *("01/03-01-06-02-01-01-01", "02/03-01-04-01-02-02-02", "01/03-01-07-02-01-02-01", "02/03-01-02-02-02-02-02"),
)
ESTIMATES = (  # of Anna, Björn and the recording, per emotion
    (ShareEstimate(0.19, 0.0, 0.62), ShareEstimate(0.57, 0.11, 0.96), ShareEstimate(0.24, 0.0, 0.71)),
    (ShareEstimate(0.33, 0.0, 0.81), ShareEstimate(0.25, 0.0, 0.74), ShareEstimate(0.42, 0.03, 0.9)),
    (ShareEstimate(0.24, 0.0, 0.66), ShareEstimate(0.45, 0.08, 0.87), ShareEstimate(0.31, 0.01, 0.72)),
)
SPEAKERS = {"01": "Anna", "02": "Björn"}  # actor -> name
OVERLAP_S = 1.2  # clips of RAVDESS start and end with about one second of silence


def main() -> None:
    """Update the page and its images."""
    PAGE.write_text(with_examples(PAGE.read_text("utf-8")), "utf-8")
    with tempfile.TemporaryDirectory() as folder:
        audio, turns = conversation(Path(folder) / "conversation.flac")
        timeline = overtone.load().timeline(audio, turns=turns)
        save_timeline(timeline, FIGURES / "timeline.png", "png")
        page = Path(folder) / "timeline.html"
        save_timeline(timeline, page, "html", blocks(audio))
        take_screenshot(page, FIGURES / "timeline-page.png")


def with_examples(page: str) -> str:
    """Return the page with the content of every code block that follows a comment `<!-- format -->` regenerated."""

    def regenerate(block: re.Match[str]) -> str:
        stream = io.StringIO(newline="")
        write_timeline(example(), stream, block[2])
        return block[1] + stream.getvalue().rstrip("\n") + "\n" + block[3]

    return EXAMPLE.sub(regenerate, page)


def example() -> Timeline:
    """Return a timeline of silence and two speakers with one turn each, adapted to each speaker."""
    happy, uncertain = prediction(1.344, 0.06, 0.81, 0.13), prediction(0.864, 0.33, 0.25, 0.42)
    probabilities = np.full((6, 3), np.nan)
    probabilities[1:4], probabilities[4:] = happy.probabilities, uncertain.probabilities
    pitch_hz = np.array([0, 210.4, 224.1, 198.7, 118.2, 0])
    loudness_db = np.array([-71.3, -24, -22.5, -25.1, -30.4, -34])
    segments = (Segment(0, 0.5), Segment(0.5, 2, happy, "Anna"), Segment(2, 3, uncertain, "Björn"))
    arousal, valence = np.array([arousal_valence(row, EMOTIONS) for row in probabilities]).T
    tracks = Tracks(0.5, probabilities, pitch_hz, loudness_db, arousal, valence)
    return Timeline(
        "talk.wav", 3, EMOTIONS, MODEL, segments, tracks,
        adaptation=ADAPTED_TO_SPEAKERS, share_estimates=((), *ESTIMATES), no_estimates="",
    )  # fmt: skip


def prediction(speech_s: float, *probabilities: float) -> Prediction:
    """Return a prediction that is uncertain below 50 %."""
    arousal, valence = arousal_valence(probabilities, EMOTIONS)
    return Prediction(
        EMOTIONS,
        np.array(probabilities),
        model=MODEL,
        uncertain_below=0.5,
        speech_s=speech_s,
        arousal=arousal,
        valence=valence,
        reference_clips=12,
    )


def conversation(path: Path) -> tuple[Path, tuple[Segment, ...]]:
    """Write the clips to one audio file, each overlapping the next; return the file and the speaker turns."""
    data = Path(os.environ.get("OVERTONE_DATA") or PROJECT.parent / "shared" / "data")
    mix, turns, start = np.zeros(0, np.float32), [], 0
    for name in CLIPS:
        (file,) = (data / "ravdess").glob(f"Actor_{name}.*")
        samples = read(file).samples
        mix = np.pad(mix, (0, start + len(samples) - len(mix)))
        mix[start:] += samples
        silence = round(OVERLAP_S / 2 * SAMPLE_RATE_HZ)
        turn = (start + silence) / SAMPLE_RATE_HZ, (start + len(samples) - silence) / SAMPLE_RATE_HZ
        turns.append(Segment(*turn, speaker=SPEAKERS[name[:2]]))
        start = len(mix) - round(OVERLAP_S * SAMPLE_RATE_HZ)
    soundfile.write(path, mix, SAMPLE_RATE_HZ)
    return path, tuple(turns)


def take_screenshot(page: Path, image: Path, chromium: str = "/usr/bin/chromium") -> None:
    """Save a screenshot of a page that is open in a browser at second 8.5."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": 1100, "height": 900})
        tab.goto(page.as_uri())
        tab.evaluate("seek(8.5)")
        tab.evaluate("showTip(xOf(8.5))")
        tab.screenshot(path=str(image))
        browser.close()


if __name__ == "__main__":
    main()
