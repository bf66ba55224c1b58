"""Out-of-fold predictions -> the error rates of a model, from which shares are estimated (`overtone.shares`).

The rates of each group of recordings are kept apart: corpora that the model was not trained on or, for a model of own
recordings, its speakers. How much they differ determines the width of the intervals, which are calibrated on groups
that are left out: the shares of simulated speakers of one group are estimated from the rates of the others. There are
few groups, and a new one may be harder than they are; so their mean coverage must exceed the level by its standard
error (the one-standard-error rule: Breiman et al. 1984, "Classification and regression trees", section 3.4.3).
"""

from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from overtone.datatypes import FloatArray, IntArray, OofPredictions, StrArray
from overtone.evaluation import oof_files
from overtone.evaluation.document import Block, Paragraph, Table
from overtone.shares import LEVEL, MAX_CLASSES, PRIORS, ErrorRates, ShareEstimator

PROTOCOL = "unseen-corpus"
PARTS = ("fusion", "adapted")
MIN_GROUPS = 3  # with fewer, nothing is known about their differences
MAX_GROUPS = 10  # more speakers are distributed over so many groups
EQUIVALENT_SEGMENTS = (40, 30, 25, 20, 17, 14, 12, 10, 8, 6, 5, 4, 3)  # the first with which intervals cover enough
SIMULATED_SPEAKERS, SIMULATED_SEGMENTS = 300, 80  # of all groups; segments of a speaker
DIGITS = 4
SEED = 0

Simulated = tuple[FloatArray, FloatArray]  # true and predicted shares of a speaker


def card_section(folder: Path, recipe: str, without: str = "") -> dict[str, Any]:
    """Return the error rates of a recipe on unseen corpora for its model card; empty without predictions.

    Args:
        folder: folder of the out-of-fold predictions, such as `results/oof`.
        recipe: name of the recipe.
        without: a corpus that is left out; "" for none.

    Raises:
        InputError: the predictions are damaged.
    """
    predictions = {}
    for part in PARTS:
        path = oof_files.csv_path(folder, PROTOCOL, recipe, part)
        if path.is_file():
            found = oof_files.read(path)
            predictions[part] = oof_files.select(found, found.corpus != without)
    return section(predictions, PROTOCOL, "corpus")


def section(predictions: Mapping[str, OofPredictions], protocol: str, group_by: str) -> dict[str, Any]:
    """Return the error rates of a model for its card; empty if there are too few groups, or a class is in none.

    Args:
        predictions: part of the model ("fusion", "adapted") -> its predictions for clips that it was not trained on.
        protocol: how these clips were held out.
        group_by: "corpus" or "speaker".
    """
    parts = {part: _part(found, getattr(found, group_by)) for part, found in predictions.items() if part in PARTS}
    known = {part: content for part, content in parts.items() if content}
    return {"protocol": protocol, "group_by": group_by, "level": LEVEL, "parts": known} if known else {}


def card_blocks(card: Mapping[str, Any]) -> list[Block]:
    """Return how well shares are estimated in groups that are left out, as text and a table; empty if it is unknown."""
    found = card.get("error_rates", {})
    lines = [
        (part, group, *(f"{100 * row[key]:.1f}" for key in ("error", "coverage", "width")))
        for part, content in found.get("parts", {}).items()
        for group, row in content["left_out"].items()
    ]
    if not lines:
        return []
    text = (
        f"Estimated shares of the emotions of a speaker: mean error, share of true values within the "
        f"{100 * found['level']:.0f} % interval, and mean width of the interval, in points; for simulated speakers of "
        f"each {found['group_by']} in turn, with the error rates of the others. The intervals are made so wide that "
        "the mean coverage exceeds this level by its standard error, if that is possible; those of a single one may "
        "cover less."
    )
    header = ("Part", found["group_by"].capitalize(), "Error", "Coverage", "Width")
    return [Paragraph(text), Table(header, tuple(lines), frozenset(header[2:]))]


def _part(predictions: OofPredictions, groups: StrArray) -> dict[str, Any]:
    """Return the error rates of a part, and how well they estimate shares in groups that are left out."""
    groups = _merged(groups)
    names = sorted(set(groups.tolist()) - {""})
    truth = np.array([predictions.emotions.index(name) for name in predictions.truth.tolist()])
    classes = len(predictions.emotions)
    if len(names) < MIN_GROUPS or len(set(truth.tolist())) < classes or classes > MAX_CLASSES:
        return {}
    tables = [_Group(truth[groups == name], predictions, groups == name) for name in names]
    chosen, measured = _calibrate(tables)
    return {
        "equivalent_segments": chosen,
        "left_out": {name: row for name, row in zip(names, measured, strict=True) if row},
        "rates": {name: rows.round(DIGITS).tolist() for name, rows in zip(names, complete(tables), strict=True)},
    }


def _merged(groups: StrArray) -> StrArray:
    """Return the group of each clip, of at most `MAX_GROUPS`; "" if it is unknown."""
    names = sorted(set(groups.tolist()) - {""})
    if len(names) <= MAX_GROUPS:
        return groups
    group = {name: f"group-{index % MAX_GROUPS + 1:02}" for index, name in enumerate(names)}
    return np.array([group.get(name, "") for name in groups.tolist()])


class _Group:
    """The predictions for one group.

    Attributes:
        truth, predicted: int `(clips,)`.
        speaker: str `(clips,)`.
        counts: `(emotions, emotions)`, rows = truth.
        classes: bool `(emotions,)`, whether the group contains a class.
        is_restricted: whether only the classes that the group contains could be predicted.
    """

    def __init__(self, truth: IntArray, predictions: OofPredictions, rows: np.ndarray) -> None:
        probabilities = predictions.probabilities[rows]
        self.truth, self.predicted, self.speaker = truth, probabilities.argmax(1), predictions.speaker[rows]
        self.counts = np.zeros((probabilities.shape[1],) * 2)
        np.add.at(self.counts, (self.truth, self.predicted), 1)
        self.classes = self.counts.sum(1) > 0
        self.is_restricted = not (self.classes.all() or probabilities[:, ~self.classes].any())


def complete(groups: list[_Group]) -> FloatArray:
    """Return the error rates of each group `(groups, emotions, emotions)`, completed from those of the others.

    The row of a class that a group lacks is the mean of the groups that have it. If its predictions were restricted to
    its own classes, the model would have predicted the others too, as often as in the groups that have all classes.
    """
    counts = np.array([group.counts for group in groups])
    has_class = np.array([group.classes for group in groups])
    rates = counts / np.maximum(counts.sum(2, keepdims=True), 1)
    means = rates.sum(0) / np.maximum(has_class.sum(0), 1)[:, np.newaxis]
    whole = has_class.all(1)
    reference = rates[whole].mean(0) if whole.any() else means
    for index, group in enumerate(groups):
        absent = ~has_class[index]
        if group.is_restricted and whole.any():
            rates[index] *= 1 - reference[:, absent].sum(1, keepdims=True)
            rates[index][:, absent] = reference[:, absent]
        rates[index][absent] = reference[absent]
    completed: FloatArray = rates / rates.sum(2, keepdims=True)
    return completed


def _calibrate(groups: list[_Group]) -> tuple[float, list[dict[str, float]]]:
    """Return the largest number of equivalent segments whose intervals cover enough, and what it gives per group.

    They cover enough if the mean coverage of the groups less its standard error is at least `LEVEL`.
    """
    rng = np.random.default_rng(SEED)
    speakers = max(1, SIMULATED_SPEAKERS // len(groups))
    simulated = [[_simulate(group, rng) for _ in range(speakers)] for group in groups]
    estimators = [_estimator_of_others(groups, index) for index in range(len(groups))]
    measured: dict[float, list[dict[str, float]]] = {}

    def covers_enough(number: float) -> bool:
        measured[number] = [_measure(*row, number) for row in zip(groups, estimators, simulated, strict=True)]
        coverages = [row["coverage"] for row in measured[number] if row]
        return bool(coverages) and float(np.mean(coverages)) - _standard_error(coverages) >= LEVEL

    found = bisect_left(EQUIVALENT_SEGMENTS, True, hi=len(EQUIVALENT_SEGMENTS) - 1, key=covers_enough)
    chosen = EQUIVALENT_SEGMENTS[found]
    if chosen not in measured:
        covers_enough(chosen)  # the last one, if the others do not cover enough
    return chosen, measured[chosen]


def _standard_error(values: list[float]) -> float:
    """Return the standard error of the mean of some values; 0 for a single one."""
    return float(np.std(values, ddof=1)) / len(values) ** 0.5 if len(values) > 1 else 0.0


def _estimator_of_others(groups: list[_Group], index: int) -> ShareEstimator | None:
    """Return an estimator with the error rates of the other groups; None if there is nothing to estimate.

    The shares of a group with a single class are known, and a class that no other group has cannot be estimated.
    """
    others = [group for number, group in enumerate(groups) if number != index]
    is_known = np.any([group.counts.sum(1) > 0 for group in others], axis=0).all()
    return ShareEstimator(complete(others)) if is_known and groups[index].classes.sum() > 1 else None


def _measure(
    group: _Group,
    estimator: ShareEstimator | None,
    speakers: list[Simulated],
    equivalent_segments: float,
) -> dict[str, float]:
    """Return coverage and mean width of intervals, and mean error, for the classes of simulated speakers of a group."""
    if estimator is None:
        return {}
    segments = ErrorRates(np.eye(1)[np.newaxis], equivalent_segments).independent_segments(SIMULATED_SEGMENTS)
    hits, widths, errors = [], [], []
    for shares, observed in speakers:
        estimates = estimator.estimate(observed, segments)
        for emotion in np.flatnonzero(group.classes):
            found, share = estimates[emotion], shares[emotion]
            hits.append(found.low <= share <= found.high)
            widths.append(found.high - found.low)
            errors.append(abs(found.value - share))
    values = {"coverage": np.mean(hits), "width": np.mean(widths), "error": np.mean(errors)}
    return {name: round(float(value), 3) for name, value in values.items()}


def _simulate(group: _Group, rng: np.random.Generator) -> Simulated:
    """Return the true and the predicted shares of a random mixture of clips of a random speaker of a group."""
    own = group.speaker == rng.choice(np.unique(group.speaker))
    available = np.unique(group.truth[own])
    mixture = rng.dirichlet(np.full(len(available), rng.choice(PRIORS)))
    counts = rng.multinomial(SIMULATED_SEGMENTS, mixture)
    shares = np.zeros(len(group.counts))
    shares[available] = counts / SIMULATED_SEGMENTS
    predicted = [
        group.predicted[rng.choice(np.flatnonzero(own & (group.truth == emotion)), count)]
        for emotion, count in zip(available, counts, strict=True)
    ]
    return shares, np.bincount(np.concatenate(predicted), minlength=len(shares)) / SIMULATED_SEGMENTS
