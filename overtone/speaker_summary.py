"""The emotions of one speaker, or of all speakers, over a whole recording."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from overtone.datatypes import FloatArray, Prediction
from overtone.equality import EqualByValue
from overtone.shares import ShareEstimate


class Spoken(NamedTuple):
    """A segment with speech.

    Attributes:
        duration_s: its duration.
        emotion: that which a person named, else the predicted one; "" if a person only marked the prediction as wrong.
        uncertain: whether the emotion is uncertain or unknown.
        prediction: of the model; None if a person named an emotion where it detected no speech.
    """

    duration_s: float
    emotion: str
    uncertain: bool
    prediction: Prediction | None


@dataclass(frozen=True, eq=False)
class SpeakerSummary(EqualByValue):
    """The emotions of one speaker, or of all speakers, over a whole recording.

    Attributes:
        speaker: name of the speaker; "" where unknown, and for all speakers.
        speech_s: total duration of the speaker's segments with speech.
        shares: label -> its share of that duration, in [0, 1], counting sure predictions and emotions that a person
            named. The classes come first, then the other labels of a person.
        uncertain_share: share of that duration in which the emotion is uncertain: an uncertain prediction, or one that
            a person marked as wrong without naming an emotion. With `shares`, they sum to 1.
        probabilities: float `(emotions,)`, mean weighted by segment duration; NaN without speech.
        arousal, valence: mean weighted by segment duration, in [0, 1]; NaN without speech, or if unknown.
        estimates: emotion -> estimate of its true share of that duration, from all predictions and the errors of the
            model on recordings that it was not trained on; empty if there is none: see `Timeline.no_estimates`.
    """

    speaker: str
    speech_s: float
    shares: dict[str, float]
    uncertain_share: float
    probabilities: FloatArray
    arousal: float
    valence: float
    estimates: dict[str, ShareEstimate] = field(default_factory=dict)


def summarise(
    speaker: str,
    emotions: Sequence[str],
    labels: Sequence[str],
    spoken: Sequence[Spoken],
    estimates: Sequence[ShareEstimate] = (),
) -> SpeakerSummary:
    """Return the summary of a speaker.

    Args:
        speaker: name of the speaker.
        emotions: the classes.
        labels: the classes, then the other labels of a person.
        spoken: the segments with speech.
        estimates: one per emotion, or none.
    """
    durations_s = dict.fromkeys(labels, 0.0)
    uncertain_s = 0.0
    for part in spoken:
        if part.uncertain:
            uncertain_s += part.duration_s
        else:
            durations_s[part.emotion] += part.duration_s
    speech_s = sum(durations_s.values()) + uncertain_s
    means = np.full(len(emotions) + 2, np.nan)
    predicted = [(part.duration_s, part.prediction) for part in spoken if part.prediction is not None]
    if predicted:
        values = [[*item.probabilities.tolist(), item.arousal, item.valence] for _, item in predicted]
        means = np.average(values, axis=0, weights=[duration_s for duration_s, _ in predicted])
    return SpeakerSummary(
        speaker,
        speech_s,
        {label: time_s / speech_s if speech_s else 0.0 for label, time_s in durations_s.items()},
        uncertain_s / speech_s if speech_s else 0.0,
        means[: len(emotions)],
        float(means[-2]),
        float(means[-1]),
        dict(zip(emotions, estimates, strict=True)) if estimates else {},
    )
