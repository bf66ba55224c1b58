"""Explanations as a JSON list of objects.

[
{"path": "clip.wav", "start_s": 0.0, "end_s": 3.7, "emotion": "happy", "probability": 0.62, "summary": ["...", ...],
 "spans": [{"start_s": 0.0, "end_s": 0.2, "contribution": 0.12, "low": 0.08, "high": 0.16, "probability": 0.59,
            "reliable": true}, ...],
 "bands": [{"low_hz": 60, "high_hz": 200, "contribution": ...}, ...],
 "properties": [{"name": "pitch", "artefact": 0.1, "verdict": "for", "contribution": ...}, ...],
 "levels_db": [[-40, ...], ...], "model_runs": 79, "prediction": {...}},
...
]

The prediction is an object as `overtone.formats.json` describes it.
"""

from collections.abc import Iterable
from typing import Any, TextIO

from overtone.explanation import Contribution, Explanation
from overtone.formats.explanation_words import describe
from overtone.formats.json import to_object as prediction_object
from overtone.formats.json import write_list

DIGITS = 4


def write(explanations: Iterable[Explanation], stream: TextIO) -> None:
    """Write a list with one object per explanation, one per line."""
    write_list(map(to_object, explanations), stream)


def to_object(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as JSON values: contributions and probabilities to 4 digits, levels in whole dB."""
    return {
        "path": explanation.prediction.source,
        "start_s": round(explanation.start_s, DIGITS),
        "end_s": round(explanation.end_s, DIGITS),
        "emotion": explanation.emotion,
        "probability": round(explanation.probability, DIGITS),
        "summary": describe(explanation),
        "spans": [
            {"start_s": round(part.start_s, DIGITS), "end_s": round(part.end_s, DIGITS), **_values(part, explanation)}
            for part in explanation.spans
        ],
        "bands": [
            {"low_hz": part.low_hz, "high_hz": part.high_hz, **_values(part, explanation)} for part in explanation.bands
        ],
        "properties": [
            {"name": part.name, "artefact": round(part.artefact, DIGITS), **_values(part, explanation)}
            for part in explanation.properties
        ],
        "levels_db": [[round(level) for level in step] for step in explanation.levels_db.tolist()],
        "model_runs": explanation.model_runs,
        "prediction": prediction_object(explanation.prediction),
    }


def _values(part: Contribution, explanation: Explanation) -> dict[str, Any]:
    return {
        "contribution": round(part.value, DIGITS),
        "low": round(part.low, DIGITS),
        "high": round(part.high, DIGITS),
        "probability": round(part.probability, DIGITS),
        "reliable": part.is_reliable,
        "verdict": part.verdict(explanation.probability),
    }
