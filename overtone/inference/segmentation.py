"""Probabilities over time -> segments of one emotion each."""

from itertools import pairwise

import numpy as np

from overtone.audio.vad import runs
from overtone.audio.windows import STEP_S
from overtone.datatypes import FloatArray, IntArray

CHANGE_COST = float(np.log(2)) / STEP_S  # another emotion must be twice as probable for a second

StepRange = tuple[int, int]  # first step, and the one after the last


def split_segments(probabilities: FloatArray) -> list[StepRange]:
    """The whole recording as step ranges, in order: pauses, and speech of one emotion after the other.

    Args:
        probabilities: `(steps, emotions)`, NaN in steps without speech.
    """
    is_speech = ~np.isnan(probabilities[:, 0])
    segments = runs(~is_speech)
    for first, end in runs(is_speech):
        segments += [(first + start, first + stop) for start, stop in emotion_spans(probabilities[first:end])]
    return sorted(segments)


def emotion_spans(probabilities: FloatArray) -> list[StepRange]:
    """Uninterrupted speech as spans of one emotion each; adjacent spans differ in the emotion of their mean.

    Args:
        probabilities: `(steps, emotions)`, rows summing to 1.
    """
    path = viterbi_path(np.log(np.maximum(probabilities, 1e-9)), CHANGE_COST)
    edges = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), len(path)]
    spans: list[StepRange] = []
    emotion = -1
    for first, end in pairwise(edges):
        most_probable = int(probabilities[first:end].mean(0).argmax())
        if most_probable == emotion:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((first, end))
        emotion = most_probable
    return spans


def viterbi_path(log_probabilities: FloatArray, change_cost: float) -> IntArray:
    """The class of each step, int `(steps,)`, that maximises the sum of log probabilities minus the cost of changes.

    Source: Viterbi (1967), "Error bounds for convolutional codes ...", with the same cost between any two classes.

    Args:
        log_probabilities: `(steps, classes)`.
        change_cost: cost of a change, in the unit of the log probabilities.
    """
    steps, classes = log_probabilities.shape
    predecessor = np.empty((steps, classes), np.int32)
    score = np.zeros(classes)
    for step, row in enumerate(log_probabilities):
        best = int(score.argmax())
        changes = score < score[best] - change_cost
        predecessor[step] = np.where(changes, best, np.arange(classes))
        score = np.where(changes, score[best] - change_cost, score) + row
    path = np.empty(steps, np.int32)
    path[-1] = score.argmax()
    for step in range(steps - 1, 0, -1):
        path[step - 1] = predecessor[step, path[step]]
    return path
