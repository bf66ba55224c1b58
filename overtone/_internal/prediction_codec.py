"""Encode a prediction as JSON values without loss of precision, and decode it: for inter-process messages and files."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from overtone.datatypes import Prediction


def encode_prediction(prediction: Prediction) -> dict[str, Any]:
    """Return the fields of a prediction that differ between predictions of one model, as JSON values."""
    return {
        "probabilities": prediction.probabilities.tolist(),
        "branches": {name: values.tolist() for name, values in prediction.branches.items()},
        "duration_s": prediction.duration_s,
        "speech_s": _to_json(prediction.speech_s),
        "arousal": _to_json(prediction.arousal),
        "valence": _to_json(prediction.valence),
        "prosody": prediction.prosody,
        "reference_clips": prediction.reference_clips,
        "channel": prediction.channel,
    }


def decode_prediction(values: Mapping[str, Any], emotions: tuple[str, ...], **fields: Any) -> Prediction:
    """Return the prediction encoded in `values`.

    Args:
        values: result of `encode_prediction`.
        emotions: the classes of the model.
        fields: other fields of the prediction: model, source, uncertain_below, columns.
    """
    return Prediction(
        emotions=emotions,
        probabilities=np.array(values["probabilities"]),
        branches={name: np.array(branch) for name, branch in values["branches"].items()},
        duration_s=values["duration_s"],
        prosody=values["prosody"],
        speech_s=number_or_nan(values["speech_s"]),
        arousal=number_or_nan(values["arousal"]),
        valence=number_or_nan(values["valence"]),
        reference_clips=values["reference_clips"],
        channel=values["channel"],
        **fields,
    )


def _to_json(number: float) -> float | None:
    """Return a number; None for NaN, which JSON lacks."""
    return None if math.isnan(number) else number


def number_or_nan(number: float | None) -> float:
    """Return a number of JSON; NaN for null."""
    return math.nan if number is None else number
