"""Arousal and valence from the probabilities of the emotions."""

import math
from collections.abc import Iterable, Mapping, Sequence

from overtone.emotions import AROUSAL, VALENCE


def arousal_valence(probabilities: Iterable[float], emotions: Sequence[str]) -> tuple[float, float]:
    """Arousal and valence, each in [0, 1]: 0 is calm and negative, 1 is excited and positive.

    Each is the mean of the values of the classes in `overtone.emotions`, weighted by their probabilities; classes
    without a value do not count. NaN if no class has the value 0, or none the value 1: the scale then has one end only.

    Source: Russell (1980), "A circumplex model of affect", for the classes at each end.

    Args:
        probabilities: of all classes of a model, `(emotions,)`.
        emotions: the classes, in the same order.
    """
    pairs = [(name, float(probability)) for name, probability in zip(emotions, probabilities, strict=True)]
    return _mean(pairs, AROUSAL), _mean(pairs, VALENCE)


def _mean(pairs: Iterable[tuple[str, float]], values: Mapping[str, float]) -> float:
    weighted = [(values[name], probability) for name, probability in pairs if name in values]
    if not {0.0, 1.0} <= {value for value, _ in weighted}:
        return math.nan
    total = sum(probability for _, probability in weighted)
    return sum(value * probability for value, probability in weighted) / total if total else 0.5
