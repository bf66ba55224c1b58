"""Curve of probabilities -> stretches of one emotion each."""

from itertools import pairwise

import numpy as np

from overtone.audio.vad import runs
from overtone.audio.windows import STEP_S

CHANGE_COST = float(np.log(2)) / STEP_S  # another emotion must be twice as probable for a second

StepRange = tuple[int, int]  # first step, and the one after the last


def split_segments(probabilities: np.ndarray) -> list[StepRange]:
    """The whole recording in stretches, in order: where nothing is said, and one emotion after the other.

    Args:
        probabilities: `(steps, emotions)`, NaN where nothing is said.
    """
    spoken = ~np.isnan(probabilities[:, 0])
    found = runs(~spoken)
    for first, end in runs(spoken):
        found += [(first + inner, first + outer) for inner, outer in emotion_spans(probabilities[first:end])]
    return sorted(found)


def emotion_spans(probabilities: np.ndarray) -> list[StepRange]:
    """Uninterrupted speech in stretches of one emotion each; neighbours differ in the emotion of their mean.

    Args:
        probabilities: `(steps, emotions)`, rows summing to 1.
    """
    path = viterbi_path(np.log(np.maximum(probabilities, 1e-9)), CHANGE_COST)
    edges = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), len(path)]
    merged: list[StepRange] = []
    emotion = -1
    for first, end in pairwise(edges):
        mean = int(probabilities[first:end].mean(0).argmax())
        if mean == emotion:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((first, end))
        emotion = mean
    return merged


def viterbi_path(log_probabilities: np.ndarray, change_cost: float) -> np.ndarray:
    """One class per step, int `(steps,)`: the highest sum of log probabilities, where each change costs something.

    Source: Viterbi (1967), "Error bounds for convolutional codes ...", with the same cost between any two classes.

    Args:
        log_probabilities: `(steps, classes)`.
        change_cost: what a change costs, in the unit of the log probabilities.
    """
    steps, classes = log_probabilities.shape
    came_from = np.empty((steps, classes), np.int32)
    score = np.zeros(classes)
    for step, row in enumerate(log_probabilities):
        best = int(score.argmax())
        changes = score < score[best] - change_cost
        came_from[step] = np.where(changes, best, np.arange(classes))
        score = np.where(changes, score[best] - change_cost, score) + row
    path = np.empty(steps, np.int32)
    path[-1] = score.argmax()
    for step in range(steps - 1, 0, -1):
        path[step - 1] = came_from[step, path[step]]
    return path
