"""Tallies: the numbers of correct, true and predicted clips of each class, and the rates that follow from them.

Unlike the confusion matrices of all speakers, or of all clips, they fit into memory with hundreds of classes.
"""

import numpy as np

from overtone.datatypes import BoolArray, FloatArray, IntArray, OofPredictions, StrArray

HITS, TRUE, PREDICTED = range(3)  # places in the last axis of tallies


def tally(predictions: OofPredictions, unit_names: StrArray, rows: BoolArray) -> FloatArray:
    """Return the tallies of some rows by unit and seed, float `(units, seeds, emotions, 3)`.

    Args:
        predictions: of one or several seeds.
        unit_names: the unit of each row, such as its speaker, `(n,)`; units are in the order of their names.
        rows: the rows that count, bool `(n,)`.
    """
    truth, predicted = (places[rows] for places in _places(predictions))
    seeds, seed = np.unique(predictions.seed, return_inverse=True)
    names, units = np.unique(unit_names[rows], return_inverse=True)
    tallies = np.zeros((3, len(names), len(seeds), len(predictions.emotions)))
    hits = truth == predicted
    np.add.at(tallies[HITS], (units[hits], seed[rows][hits], truth[hits]), 1)
    np.add.at(tallies[TRUE], (units, seed[rows], truth), 1)
    np.add.at(tallies[PREDICTED], (units, seed[rows], predicted), 1)
    return np.ascontiguousarray(np.moveaxis(tallies, 0, -1))


def confusion_matrix(predictions: OofPredictions) -> FloatArray:
    """Return the number of rows by true and by predicted class, float `(emotions, emotions)`."""
    counts = np.zeros((len(predictions.emotions), len(predictions.emotions)))
    np.add.at(counts, _places(predictions), 1)
    return counts


def uar(tallies: FloatArray) -> FloatArray:
    """Return the unweighted average recall `(...)` of tallies `(..., emotions, 3)`; NaN without clips.

    Source: balanced accuracy; classes without true clips are excluded, as in scikit-learn.
    """
    hits, support = tallies[..., HITS], tallies[..., TRUE]
    return mean_where(hits / np.maximum(support, 1), support > 0)


def wa(tallies: FloatArray) -> FloatArray:
    """Return the accuracy `(...)` of tallies `(..., emotions, 3)`; NaN without clips."""
    total = tallies[..., TRUE].sum(axis=-1)
    return np.where(total > 0, tallies[..., HITS].sum(axis=-1) / np.maximum(total, 1), np.nan)


def macro_f1(tallies: FloatArray) -> FloatArray:
    """Return the macro-averaged F1 score `(...)` of tallies `(..., emotions, 3)`.

    Classes without true clips are excluded, as in the UAR: a resample without a class must not count it as missed.
    """
    support = tallies[..., TRUE]
    true_and_predicted = support + tallies[..., PREDICTED]
    return mean_where(2 * tallies[..., HITS] / np.maximum(true_and_predicted, 1), support > 0)


def mean_where(values: FloatArray, mask: BoolArray) -> FloatArray:
    """Return the mean over the last axis of the values in the mask; NaN for an empty mask."""
    number = mask.sum(axis=-1)
    return np.where(number > 0, (values * mask).sum(axis=-1) / np.maximum(number, 1), np.nan)


def _places(predictions: OofPredictions) -> tuple[IntArray, IntArray]:
    """Return the places of the true and of the predicted class of each row, both `(n,)`."""
    index_of = {emotion: i for i, emotion in enumerate(predictions.emotions)}
    truth = np.array([index_of[emotion] for emotion in predictions.truth.tolist()])
    return truth, predictions.probabilities.argmax(axis=1)
