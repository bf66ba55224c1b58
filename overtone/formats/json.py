r"""Predictions as a JSON list of objects.

[
{"path": "clip.wav", "emotion": "happy", "confidence": 0.81, "uncertain": false,
 "probabilities": {"neutral": 0.02, ...}, "branches": {"mel": {"neutral": 0.05, ...}, "prosody": {...}},
 "duration_s": 3.7, "speech_s": 1.824, "no_speech": false, "arousal": 0.9, "valence": 0.86,
 "prosody": {"pitch_median_hz": 212.4, ...}, "reference_clips": 0, "model": "overtone-1"},
...
]


If a channel was asked for, `"channel": "left"` follows the path. `no_speech` is true where no speech at all was
detected, so that the emotion says nothing; `no_speech` and `speech_s` are null if that is unknown.
Each prediction is written as soon as it is available. Non-ASCII characters are escaped (`\u00e4`), so that file names
of any encoding survive every pipe.
"""

import json
import math
from collections.abc import Iterable
from typing import Any, TextIO

import numpy as np

from overtone.datatypes import Prediction

PROBABILITY_DIGITS = 6
DIGITS = 3


def write(predictions: Iterable[Prediction], stream: TextIO) -> None:
    """Write a list with one object per prediction, one per line."""
    write_list(map(to_object, predictions), stream)


def write_list(objects: Iterable[dict[str, Any]], stream: TextIO) -> None:
    """Write a list of objects, one per line, each as soon as it is there."""
    stream.write("[")
    for number, item in enumerate(objects):
        stream.write(",\n" if number else "\n")
        stream.write(json.dumps(item, allow_nan=False))
    stream.write("\n]\n")


def to_object(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction as JSON values, manifest columns first: probabilities to 6 digits, other numbers to 3."""
    return {
        **prediction.columns,
        "path": prediction.source,
        **({"channel": prediction.channel} if prediction.channel else {}),
        "emotion": prediction.emotion,
        "confidence": round(prediction.confidence, PROBABILITY_DIGITS),
        "uncertain": prediction.uncertain,
        "probabilities": _by_emotion(prediction, prediction.probabilities),
        "branches": {branch: _by_emotion(prediction, values) for branch, values in prediction.branches.items()},
        "duration_s": round(prediction.duration_s, DIGITS),
        "speech_s": _rounded(prediction.speech_s, DIGITS),
        "no_speech": prediction.no_speech,
        **{name: _rounded(getattr(prediction, name), DIGITS) for name in ("arousal", "valence")},
        "prosody": {name: round(value, DIGITS) for name, value in prediction.prosody.items()},
        "reference_clips": prediction.reference_clips,
        "model": prediction.model,
    }


def _rounded(value: float, digits: int) -> float | None:
    """Return a rounded number; None for NaN, which JSON lacks."""
    return None if math.isnan(value) else round(value, digits)


def _by_emotion(prediction: Prediction, values: np.ndarray) -> dict[str, float]:
    pairs = zip(prediction.emotions, values, strict=True)
    return {emotion: round(float(value), PROBABILITY_DIGITS) for emotion, value in pairs}
