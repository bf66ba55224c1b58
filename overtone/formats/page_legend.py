"""The legend of the timeline page: what each lane shows, its unit, and how it is computed, behind a disclosure."""

import html

import numpy as np

from overtone.formats.annotation_tiers import lane_emotions
from overtone.formats.branches import branch_explanation, branch_label
from overtone.formats.table import printable
from overtone.timeline import (
    ADAPTED_TO_RECORDING,
    ADAPTED_TO_REFERENCE,
    ADAPTED_TO_SPEAKERS,
    ADAPTED_TO_STREAM,
    Timeline,
)

TITLE = "What do these curves show?"
SOUND = (
    "The waveform: the pressure of the sound over time, relative to the loudest sound, so without a unit. Where the "
    "page has no audio, its outline is that of the loudness."
)
PROBABILITY = (
    "The probability that people would hear this emotion in the voice, from 0 to 1; all emotions of the model add up "
    "to 1. The model predicts windows of 3 s, one every 1.5 s, and overlapping windows are averaged. There is no curve "
    "without speech."
)
PITCH = (
    "How high the voice is: its fundamental frequency in hertz (Hz), the number of vibrations of the vocal folds per "
    "second, between 65 and 600 Hz. The curve shows the median of each step of 0.1 s, and nothing where no voice "
    "sounds. It is the best path through the peaks of the autocorrelation (Boersma 1993). Equal distances are equal "
    "musical intervals."
)
LOUDNESS = (
    "The level of each step of 0.1 s in decibels (dB): the root of its mean square, where 0 dB is the largest value "
    "that a recording can have. 6 dB less is half the amplitude. It depends on the microphone and on its distance too."
)
AROUSAL = (
    "How excited the voice sounds, from calm (0) to excited (1). It follows from the probabilities of the emotions."
)
VALENCE = (
    "How positive the voice sounds, from negative (0) over neutral (0.5) to positive (1). It follows from the "
    "probabilities of the emotions."
)
SEGMENTS = (
    "Parts of the recording with one emotion, in its colour. The percentage is the confidence: the mean probability of "
    "the emotion. Hatched segments are uncertain: their confidence is low, or they have less than 0.5 s of speech."
)
TURNS = "The turns of the speakers, as they were given, each with one prediction."
ADAPTATION = {
    ADAPTED_TO_REFERENCE: "The model compares each part with reference clips, to learn the usual voice.",
    ADAPTED_TO_RECORDING: "The model compares each part with the whole recording, to learn the usual voice.",
    ADAPTED_TO_SPEAKERS: "The model compares each part with all that its speaker says, to learn the usual voice.",
    ADAPTED_TO_STREAM: "The model compares each part with the audio before, to learn the usual voice.",
}


def make_legend(timeline: Timeline) -> str:
    """Return the disclosure as HTML, with an entry for each kind of lane of this timeline, and for its words."""
    entries = "".join(f"<dt>{term}</dt><dd>{html.escape(text)}</dd>\n" for term, text in _entries(timeline))
    return f'<details id="legend">\n<summary>{TITLE}</summary>\n<dl>\n{entries}</dl>\n</details>\n'


def branch_names(timeline: Timeline) -> tuple[str, ...]:
    """Return the names of the branches of the model, in order; none without predictions."""
    predictions = [segment.prediction for segment in timeline.segments if segment.prediction]
    return tuple(dict.fromkeys(name for prediction in predictions for name in prediction.branches))


def _entries(timeline: Timeline) -> list[tuple[str, str]]:
    """Return each term, as HTML, and its explanation, as text."""
    emotions = ", ".join(f"<bdi>{html.escape(printable(name))}</bdi>" for name in lane_emotions(timeline))
    tracks = timeline.tracks
    entries = [
        ("segments", f"{SEGMENTS} {TURNS}" if timeline.turns_given else SEGMENTS),
        ("sound", SOUND),
        (emotions, PROBABILITY),
        ("pitch, Hz", PITCH),
        ("loudness, dB", LOUDNESS),
        *([("arousal", AROUSAL)] if not np.isnan(tracks.arousal).all() else []),
        *([("valence", VALENCE)] if not np.isnan(tracks.valence).all() else []),
    ]
    branches = branch_names(timeline)
    if branches:
        parts = "; ".join(f"{branch_label(name)}: {branch_explanation(name)}" for name in branches)
        disagree = " Where they disagree, the prediction is less reliable." if len(branches) > 1 else ""
        entries.append(("parts of the model", f"Predict on their own, before they are combined. {parts}.{disagree}"))
    if timeline.adaptation in ADAPTATION:
        entries.append(("adapted", ADAPTATION[timeline.adaptation]))
    return entries
