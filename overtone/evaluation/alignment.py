"""Predictions of several models -> their predictions for the clips and classes that all of them have.

A paired comparison needs the same clips, labels and classes for every model. `align` selects them and counts what it
leaves out, by reason.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from overtone.datatypes import FloatArray, IntArray, OofPredictions
from overtone.emotions import list_classes, order_classes
from overtone.errors import InputError, OptionError
from overtone.evaluation.oof_files import restrict

Clip = tuple[str, str]  # corpus and path
SAME_FOR_ALL = ("speaker", "sentence", "fold")  # columns that paired tests expect to be equal for all models
OTHER_CLASS = "of class {}, which not all models have"
NOT_PREDICTED = "without a prediction of {}"


@dataclass(frozen=True)
class ModelPredictions:
    """The predictions of one model, to be compared with others.

    Attributes:
        name: name of the model, unique among those compared.
        predictions: its predictions, of one or several seeds.
        uncertain_below: confidence below which each prediction is uncertain, float `(n,)`, in [0, 1].
    """

    name: str
    predictions: OofPredictions
    uncertain_below: FloatArray


@dataclass(frozen=True)
class Alignment:
    """Predictions of several models for the same clips, among the same classes.

    Attributes:
        models: the models in their original order, their rows in the order of seed, corpus and path.
        left_out: reason -> number of clips left out for it.
        dropped_classes: name of a model -> its classes that not all models have.
    """

    models: tuple[ModelPredictions, ...]
    left_out: dict[str, int]
    dropped_classes: dict[str, tuple[str, ...]]


def align(models: Sequence[ModelPredictions], *, classes_of_fold: bool = False) -> Alignment:
    """Return the predictions for the clips that all models have with the same label, among the classes all have.

    Probabilities of other classes are dropped, and the rest sums to 1. Models with the same seeds are compared on the
    clips of each seed; models with other seeds on clips that each of them predicted with all its seeds. Speaker,
    sentence and fold of a clip, and the corpus that older files lack, are those of the first model that knows them.

    Args:
        models: at least two, with different names.
        classes_of_fold: whether a prediction is a choice among the classes of its fold (`Protocol.classes_of_fold`).

    Raises:
        OptionError: fewer than two models, or a name twice.
        InputError: the models have fewer than two classes, or no clip, in common.
    """
    if len({model.name for model in models}) < max(2, len(models)):
        raise OptionError("a comparison needs at least two models with different names")
    classes = common_classes({model.name: model.predictions.emotions for model in models})
    tables = [_with_corpora(model.predictions, models) for model in models]
    labels = {model.name: _labels(table) for model, table in zip(models, tables, strict=True)}
    reasons = {clip: _reason_to_leave_out(clip, labels, classes) for clip in set().union(*labels.values())}
    same_seeds = len({tuple(np.unique(table.seed).tolist()) for table in tables}) == 1
    candidates = {clip for clip, reason in reasons.items() if not reason}
    rows = [_rows(table, candidates) for table in tables]
    common = set.intersection(*map(set, rows)) if same_seeds else set()
    kept = {clip for _, clip in common} if same_seeds else _with_every_seed(candidates, tables, rows)
    without_seed = f"not predicted with {'the same seeds' if same_seeds else 'every seed'}"
    left_out = Counter(reason or without_seed for clip, reason in reasons.items() if clip not in kept)
    if not kept:
        raise no_common_clips(left_out)
    orders = [sorted(key for key in found if (key in common if same_seeds else key[1] in kept)) for found in rows]
    positions = [np.array([found[key] for key in order]) for found, order in zip(rows, orders, strict=True)]
    facts = {column: _facts(column, tables) for column in SAME_FOR_ALL}
    aligned = (
        _select(model, table, chosen, classes, facts)
        for model, table, chosen in zip(models, tables, positions, strict=True)
    )
    dropped = {model.name: tuple(e for e in model.predictions.emotions if e not in classes) for model in models}
    return Alignment(
        tuple(_among_classes_of_fold(model) if classes_of_fold else model for model in aligned),
        by_frequency(left_out),
        {name: emotions for name, emotions in dropped.items() if emotions},
    )


def common_classes(classes: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the classes that all models have: known emotions in their order, then own classes as in the first model.

    Args:
        classes: name of a model -> its classes.

    Raises:
        InputError: there are fewer than two.
    """
    first = next(iter(classes.values()))
    common = order_classes(emotion for emotion in first if all(emotion in names for names in classes.values()))
    if len(common) < 2:
        listed = "; ".join(f"{name} has {list_classes(names)}" for name, names in classes.items())
        raise InputError(f"the models have fewer than two classes in common: {listed}")
    return common


def no_common_clips(left_out: Mapping[str, int]) -> InputError:
    """Return the error that no clip can be compared, from the number of clips by reason."""
    listed = "; ".join(f"{count} {reason}" for reason, count in left_out.items())
    return InputError(
        f"no clip can be compared ({listed or 'there are none'}); compare models on the same corpus, whose clips have "
        "the same ids and labels"
    )


def by_frequency(counts: Mapping[str, int]) -> dict[str, int]:
    """Return numbers of clips by reason, the greatest first."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def clips_of(predictions: OofPredictions) -> list[Clip]:
    """Return the corpus and path of each row."""
    return list(zip(predictions.corpus.tolist(), predictions.path.tolist(), strict=True))


def _reason_to_leave_out(clip: Clip, labels: Mapping[str, Mapping[Clip, set[str]]], classes: Sequence[str]) -> str:
    """Return why a clip cannot be compared; "" if it can.

    Args:
        clip: corpus and path.
        labels: name of a model -> clip -> its labels in the predictions of this model.
        classes: the classes that all models have.
    """
    found = set().union(*(of_clip.get(clip, set()) for of_clip in labels.values()))
    unknown = sorted(found.difference(classes))
    if unknown:
        return OTHER_CLASS.format(", ".join(unknown))
    missing = [name for name, of_clip in labels.items() if clip not in of_clip]
    if missing:
        return NOT_PREDICTED.format(", ".join(missing))
    return "labelled differently" if len(found) > 1 else ""


def _with_corpora(predictions: OofPredictions, models: Sequence[ModelPredictions]) -> OofPredictions:
    """Return predictions with the corpora that an older file lacks, where the other models agree on them."""
    if np.all(predictions.corpus != ""):
        return predictions
    corpora: dict[str, set[str]] = {}
    for model in models:
        for corpus, path in clips_of(model.predictions):
            corpora.setdefault(path, set()).update({corpus} - {""})
    known = {path: next(iter(names)) for path, names in corpora.items() if len(names) == 1}
    found = [corpus or known.get(path, "") for corpus, path in clips_of(predictions)]
    return replace(predictions, corpus=np.array(found))


def _labels(predictions: OofPredictions) -> dict[Clip, set[str]]:
    """Return the labels of each clip; more than one if the file disagrees with itself."""
    labels: dict[Clip, set[str]] = {}
    for clip, label in zip(clips_of(predictions), predictions.truth.tolist(), strict=True):
        labels.setdefault(clip, set()).add(label)
    return labels


def _rows(predictions: OofPredictions, clips: set[Clip]) -> dict[tuple[int, Clip], int]:
    """Return the row of each seed and clip, of these clips."""
    keys = zip(predictions.seed.tolist(), clips_of(predictions), strict=True)
    return {(seed, clip): row for row, (seed, clip) in enumerate(keys) if clip in clips}


def _with_every_seed(
    clips: set[Clip], tables: Sequence[OofPredictions], rows: Sequence[Mapping[tuple[int, Clip], int]]
) -> set[Clip]:
    """Return the clips that every model predicted with all its seeds."""
    seeds = [np.unique(table.seed).tolist() for table in tables]
    pairs = list(zip(seeds, rows, strict=True))
    return {clip for clip in clips if all((seed, clip) in found for names, found in pairs for seed in names)}


def _facts(column: str, tables: Sequence[OofPredictions]) -> dict[Clip, str]:
    """Return the value of a column for each clip, from the first model that has it."""
    facts: dict[Clip, str] = {}
    for table in tables:
        for clip, value in zip(clips_of(table), getattr(table, column).tolist(), strict=True):
            if not facts.get(clip):
                facts[clip] = value
    return facts


def _select(
    model: ModelPredictions,
    table: OofPredictions,
    rows: IntArray,
    classes: tuple[str, ...],
    facts: Mapping[str, Mapping[Clip, str]],
) -> ModelPredictions:
    """Return these rows of a model, among these classes, with the facts about each clip that all models share."""
    columns = {name: column[rows] for name, column in vars(table).items() if name != "emotions"}
    allowed = np.isin(table.emotions, classes)
    order = [table.emotions.index(emotion) for emotion in classes]
    columns["probabilities"] = restrict(columns["probabilities"], allowed)[:, order]
    clips = list(zip(columns["corpus"].tolist(), columns["path"].tolist(), strict=True))
    shared = {name: np.array([of_clip[clip] for clip in clips], dtype=str) for name, of_clip in facts.items()}
    return ModelPredictions(
        model.name, OofPredictions(emotions=classes, **{**columns, **shared}), model.uncertain_below[rows]
    )


def _among_classes_of_fold(model: ModelPredictions) -> ModelPredictions:
    """Return a model whose predictions are choices among the classes of the clips of their fold."""
    table = model.predictions
    probabilities = table.probabilities.copy()
    for fold in np.unique(table.fold):
        rows = table.fold == fold
        probabilities[rows] = restrict(probabilities[rows], np.isin(table.emotions, table.truth[rows]))
    return replace(model, predictions=replace(table, probabilities=probabilities))
