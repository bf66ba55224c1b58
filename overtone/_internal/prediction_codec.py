"""An answer <-> its numbers, as JSON knows them and to the last bit: what travels between processes and is kept."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from overtone.datatypes import Prediction


def encode_prediction(answer: Prediction) -> dict[str, Any]:
    """The numbers of an answer; what is the same for all answers of a model is left out."""
    return {
        "probabilities": answer.probabilities.tolist(),
        "branches": {name: values.tolist() for name, values in answer.branches.items()},
        "duration_s": answer.duration_s,
        "prosody": answer.prosody,
    }


def decode_prediction(numbers: Mapping[str, Any], emotions: tuple[str, ...], **told: Any) -> Prediction:
    """The answer.

    Args:
        numbers: as `encode_prediction` gives them.
        emotions: of the model.
        told: other fields of the answer: model, source, uncertain_below, columns.
    """
    return Prediction(
        emotions=emotions,
        probabilities=np.array(numbers["probabilities"]),
        branches={name: np.array(values) for name, values in numbers["branches"].items()},
        duration_s=numbers["duration_s"],
        prosody=numbers["prosody"],
        **told,
    )
