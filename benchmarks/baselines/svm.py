"""ROWS OF FEATURES -> PROBABILITIES, by a support vector machine that is set up on the speakers it learns from.

A row that is asked about has a say in nothing but its own answer: normaliser, C and temperature come from the rows that
are learned from.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import softmax
from sklearn.metrics import balanced_accuracy_score
from sklearn.metrics.pairwise import linear_kernel, rbf_kernel
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from overtone.errors import CorpusError
from overtone.evaluation.calibration import fit_temperature

# Of z-scored features; `rbf_kernel` takes a gamma of 1 / features.
KERNELS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {"linear": linear_kernel, "rbf": rbf_kernel}
INNER_FOLDS = 5  # or as many as there are speakers, where there are fewer


class Learned(NamedTuple):
    """Rows to learn from.

    Attributes:
        features: `(clips, features)`.
        truth: position of each clip's class, int `(clips,)`; none is left out.
        speakers: who speaks, `(clips,)`.
    """

    features: np.ndarray
    truth: np.ndarray
    speakers: np.ndarray

    def at(self, places: np.ndarray) -> "Learned":
        """Some of them."""
        return Learned(*(column[places] for column in self))


class Answers(NamedTuple):
    """What a machine says, and how it was set up.

    Attributes:
        probabilities: `(asked, classes)`, rows summing to 1.
        c: the penalty C, one of the grid.
        temperature: what the decision values were divided by.
    """

    probabilities: np.ndarray
    c: float
    temperature: float


def answers(learned: Learned, asked: np.ndarray, kernel: str, c_grid: tuple[float, ...]) -> Answers:
    """Answers by the C and the temperature that suit speakers who are held out in turn.

    Args:
        learned: rows to learn from.
        asked: features to answer, `(asked, features)`.
        kernel: a key of `KERNELS`.
        c_grid: values of C; of those with the same UAR the first is taken.

    Raises:
        CorpusError: fewer than two speakers to learn from, or a class that only those held out have.
    """
    held_out = _held_out_decisions(learned, kernel, c_grid)
    best = int(np.argmax([balanced_accuracy_score(learned.truth, found.argmax(axis=1)) for found in held_out]))
    temperature = fit_temperature(held_out[best], learned.truth)
    (found,) = decisions(learned, asked, kernel, (c_grid[best],))
    return Answers(softmax(found / temperature, axis=1), c_grid[best], temperature)


def decisions(learned: Learned, asked: np.ndarray, kernel: str, c_grid: tuple[float, ...]) -> np.ndarray:
    """Decision values `(c_grid, asked, classes)`, the highest being the answer; features are z-scored by `learned`."""
    scaler = StandardScaler().fit(learned.features)
    known, new = scaler.transform(learned.features), scaler.transform(asked)
    inside, across = KERNELS[kernel](known, known), KERNELS[kernel](new, known)
    machines = (SVC(C=c, kernel="precomputed", class_weight="balanced") for c in c_grid)
    found = np.stack([machine.fit(inside, learned.truth).decision_function(across) for machine in machines])
    return found if found.ndim == 3 else np.stack([-found, found], axis=-1)  # two classes share one value


def by_speaker(features: np.ndarray, speakers: np.ndarray) -> np.ndarray:
    """Features `(clips, features)` z-scored within each speaker, over all clips given; it takes no label."""
    adapted = np.empty(features.shape)
    for speaker in np.unique(speakers):
        own = speakers == speaker
        adapted[own] = StandardScaler().fit_transform(features[own])
    return adapted


def _held_out_decisions(learned: Learned, kernel: str, c_grid: tuple[float, ...]) -> np.ndarray:
    """Decision values `(c_grid, clips, classes)` of every clip, by machines that never heard its speaker."""
    speakers, classes = len(np.unique(learned.speakers)), len(np.unique(learned.truth))
    if speakers < 2:
        raise CorpusError("C is chosen on other speakers: bring clips of two speakers at least to learn from")
    found = np.empty((len(c_grid), len(learned.truth), classes))
    folds = GroupKFold(min(INNER_FOLDS, speakers)).split(learned.features, groups=learned.speakers)
    for rest, held_out in folds:
        others = learned.at(rest)
        if len(np.unique(others.truth)) < classes:
            raise CorpusError("C is chosen on other speakers: bring clips of every emotion by more of them")
        found[:, held_out] = decisions(others, learned.features[held_out], kernel, c_grid)
    return found
