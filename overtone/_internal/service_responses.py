"""Responses of the service -> the objects of the library."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from overtone._internal.prediction_codec import number_or_nan
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
        speech_s=number_or_nan(values["speech_s"]),
        arousal=number_or_nan(values["arousal"]),
        valence=number_or_nan(values["valence"]),
        prosody=values["prosody"],
        reference_clips=values["reference_clips"],
        model=values["model"],
        source=values["path"],
        uncertain_below=uncertain_below,
        channel=values.get("channel", ""),
    )
