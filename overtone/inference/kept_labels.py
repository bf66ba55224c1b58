"""Labels that a person gave speaker turns, kept in the timeline of these turns."""

from collections.abc import Sequence
from dataclasses import replace

from overtone.agreement import PERSON, measure_agreement
from overtone.emotions import find_class
from overtone.speaker_turns.given_labels import GivenLabel
from overtone.timeline import Segment, Timeline, with_corrections

WRONG = ""  # the class of predictions that a person marked as wrong: the model never predicts it


def keep_labels(timeline: Timeline, labels: Sequence[GivenLabel]) -> Timeline:
    """Return the timeline with the labels of its turns, and with the agreement of person and model.

    A label that differs from the prediction is decided by the person; so is an equal one if its file says so. Labelled
    turns in which the model detects no speech are not counted.

    Args:
        timeline: of the turns.
        labels: of each turn, in order.
    """
    segments, pairs = [], []
    for segment, label in zip(timeline.segments, labels, strict=True):
        segments.append(_keep(segment, label, timeline.emotions))
        if label.name is not None and segment.prediction is not None:
            pairs.append((_class(label.name, timeline.emotions), segment.prediction.emotion))
    return replace(with_corrections(timeline, segments), agreement=measure_agreement(pairs))


def _keep(segment: Segment, label: GivenLabel, emotions: Sequence[str]) -> Segment:
    name = None if label.name is None else _class(label.name, emotions)
    if name is None or (name == segment.model_emotion and name and not label.by_person):
        return segment
    return replace(segment, decided_by=PERSON, label=name)


def _class(name: str, emotions: Sequence[str]) -> str:
    """Return the class of the model that a label names in any spelling, else the label."""
    return (find_class(name, emotions) or name) if name else WRONG
