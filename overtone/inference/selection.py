"""The classes and branches that a user asks for: the outputs of a model -> probabilities among them.

    selection = select(("neutral", "happy", "sad"), None, model.emotions, model.branches)
    probabilities = selection.reduce(selection.fuse(probabilities))     # (1 + branches, emotions)

`overtone.inference.onnx_model.OnnxModel.with_selection` applies a selection to all predictions of a model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from overtone.datatypes import FloatArray
from overtone.emotions import find_class, list_classes, suggest_emotion
from overtone.errors import OptionError, check_texts, suggest

MIN_PROBABILITY = 1e-9  # so that the logarithm of every probability is finite
MIN_CLASSES = 2
MERGED_INTO_NEUTRAL = ("calm", "bored")


@dataclass(frozen=True)
class Selection:
    """Some of the classes and branches of a model.

    Attributes:
        emotions: the classes of predictions, in the order of the model.
        branches: names of the branches, in the order of the model.
        rows: the rows of these branches in the probabilities of the model; None for all branches.
        merged: 1 where a class of the model counts to a class of predictions, `(emotions of the model, emotions)`.
    """

    emotions: tuple[str, ...]
    branches: tuple[str, ...]
    rows: tuple[int, ...] | None
    merged: FloatArray

    @property
    def has_all_branches(self) -> bool:
        """Whether the fused prediction is that of the model."""
        return self.rows is None

    def fuse(self, probabilities: FloatArray) -> FloatArray:
        """The fused probabilities and those of each branch, over all classes, `(1 + branches, emotions of the model)`.

        The fusion of some branches is their normalised geometric mean, as the fusion of the model is trained on all.

        Args:
            probabilities: of the model: fused, and of each of its branches, likewise.
        """
        if self.rows is None:
            return probabilities
        chosen = probabilities[list(self.rows)].astype(float)
        if len(chosen) == 1:
            return np.concatenate([chosen, chosen])
        means = np.exp(np.log(np.maximum(chosen, MIN_PROBABILITY)).mean(0))
        return np.concatenate([means[np.newaxis] / means.sum(), chosen])

    def reduce(self, probabilities: FloatArray) -> FloatArray:
        """The probabilities among the chosen classes, `(rows, emotions)`, each row summing to 1.

        Args:
            probabilities: over all classes, `(rows, emotions of the model)`.
        """
        if len(self.merged) == len(self.emotions):
            return probabilities
        kept = np.maximum(probabilities @ self.merged, MIN_PROBABILITY)
        rows: FloatArray = kept / kept.sum(1, keepdims=True)
        return rows


def select(
    emotions: Sequence[str] | None,
    branches: Sequence[str] | None,
    model_emotions: tuple[str, ...],
    model_branches: tuple[str, ...],
) -> Selection:
    """The selection that a user asks for.

    Args:
        emotions: at least two classes, in any case, and known emotions in any of their spellings; None for all.
        branches: at least one branch; None for all.
        model_emotions: the classes of the model, in its order.
        model_branches: the branches of the model, in its order.

    Raises:
        OptionError: an unknown class or branch, one that the model lacks, or too few.
    """
    names = model_emotions if emotions is None else _parse_emotions(emotions, model_emotions)
    chosen = model_branches if branches is None else _check_branches(branches, model_branches)
    rows = tuple(1 + model_branches.index(branch) for branch in chosen)
    return Selection(
        emotions=names,
        branches=chosen,
        rows=None if chosen == model_branches else rows,
        merged=_membership(model_emotions, names),
    )


def merged_classes(emotions: tuple[str, ...]) -> dict[str, str]:
    """Each class that counts -> the class of predictions to which it counts; the model's other classes are dropped.

    `calm` and `bored` count to `neutral` where only `neutral` is asked for: speakers in either mood sound more neutral
    than happy, sad or angry, and a label set without these classes calls such speech neutral.
    """
    merged = {name: name for name in emotions}
    if "neutral" in emotions:
        merged = dict.fromkeys(MERGED_INTO_NEUTRAL, "neutral") | merged
    return merged


def _membership(model_emotions: tuple[str, ...], names: tuple[str, ...]) -> FloatArray:
    merged = merged_classes(names)
    return np.array([[float(merged.get(name) == other) for other in names] for name in model_emotions])


def _parse_emotions(emotions: Sequence[str], model_emotions: tuple[str, ...]) -> tuple[str, ...]:
    names = set()
    for text in check_texts("emotions", emotions):
        name = find_class(text, model_emotions)
        if name is None:
            raise OptionError(f"emotions: the model has no class '{text}'{suggest_emotion(text, model_emotions)}")
        names.add(name)
    if len(names) < MIN_CLASSES:
        found = list_classes(sorted(names)) or "none"
        raise OptionError(f"emotions: expected at least {MIN_CLASSES} classes, got {found}")
    return tuple(name for name in model_emotions if name in names)


def _check_branches(branches: Sequence[str], model_branches: tuple[str, ...]) -> tuple[str, ...]:
    branches = check_texts("branches", branches)
    for name in branches:
        if name not in model_branches:
            raise OptionError(f"branches: the model has no branch '{name}'{suggest(name, model_branches)}")
    if not branches:
        raise OptionError(f"branches: expected at least one of {', '.join(model_branches)}, got none")
    return tuple(name for name in model_branches if name in branches)
