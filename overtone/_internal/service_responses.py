"""Responses of the service -> the objects of the library."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from overtone.datatypes import Prediction


def to_prediction(values: Mapping[str, Any], uncertain_below: float) -> Prediction:
    """Return the prediction in a response.

    Args:
        values: the JSON object.
        uncertain_below: the threshold of the service, from 0 to 1.
    """
    return Prediction(
        emotions=tuple(values["probabilities"]),
        probabilities=np.array(list(values["probabilities"].values())),
        branches={branch: np.array(list(shares.values())) for branch, shares in values["branches"].items()},
        duration_s=values["duration_s"],
        speech_s=_number(values["speech_s"]),
        arousal=_number(values["arousal"]),
        valence=_number(values["valence"]),
        prosody=values["prosody"],
        reference_clips=values["reference_clips"],
        model=values["model"],
        source=values["path"],
        uncertain_below=uncertain_below,
        channel=values.get("channel", ""),
    )


def _number(value: float | None) -> float:
    """Return a number of a response; NaN for null."""
    return math.nan if value is None else value
