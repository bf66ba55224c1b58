r"""Answers as a JSON list of objects.

[
{"path": "clip.wav", "emotion": "happy", "confidence": 0.81, "uncertain": false,
 "probabilities": {"neutral": 0.02, ...}, "branches": {"mel": {"neutral": 0.05, ...}, "prosody": {...}},
 "duration_s": 3.7, "prosody": {"pitch_median_hz": 212.4, ...}, "model": "overtone-1"},
...
]

Each answer is written when it comes. What is no ASCII is escaped (`\u00e4`), so that any file name survives any pipe.
"""

import json
from collections.abc import Iterable
from typing import Any, TextIO

import numpy as np

from overtone.datatypes import Prediction

PROBABILITY_DIGITS = 6
DIGITS = 3


def write(answers: Iterable[Prediction], stream: TextIO) -> None:
    """Writes a list with one object per answer, on one line each."""
    stream.write("[")
    for number, answer in enumerate(answers):
        stream.write(",\n" if number else "\n")
        stream.write(json.dumps(to_object(answer), allow_nan=False))
    stream.write("\n]\n")


def to_object(answer: Prediction) -> dict[str, Any]:
    """One answer as what JSON knows, after its columns: probabilities to 6 digits, measured values to 3."""
    return {
        **answer.columns,
        "path": answer.source,
        "emotion": answer.emotion,
        "confidence": round(answer.confidence, PROBABILITY_DIGITS),
        "uncertain": answer.uncertain,
        "probabilities": _by_emotion(answer, answer.probabilities),
        "branches": {branch: _by_emotion(answer, values) for branch, values in answer.branches.items()},
        "duration_s": round(answer.duration_s, DIGITS),
        "prosody": {name: round(value, DIGITS) for name, value in answer.prosody.items()},
        "model": answer.model,
    }


def _by_emotion(answer: Prediction, values: np.ndarray) -> dict[str, float]:
    pairs = zip(answer.emotions, values, strict=True)
    return {emotion: round(float(value), PROBABILITY_DIGITS) for emotion, value in pairs}
