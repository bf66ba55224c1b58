"""Emotions, columns and labels per branch of a model, for any number of branches."""

import numpy as np

from overtone.datatypes import Prediction

BRANCH_LABELS = {"mel": "log-mel spectrogram", "encoder": "speech encoder"}


def branch_label(branch: str) -> str:
    """Return the label of a branch for people; the name of the branch if it has no label."""
    return BRANCH_LABELS.get(branch, branch)


def branch_emotion(prediction: Prediction, branch: str) -> str:
    """Return the most probable emotion of a branch."""
    return prediction.emotions[int(np.argmax(prediction.branches[branch]))]


def probability_columns(prediction: Prediction) -> dict[str, float]:
    """Return the probabilities as column -> value: `p_happy`, ... of the prediction, `mel_p_happy`, ... of branches."""
    vectors = {"": prediction.probabilities} | {f"{name}_": values for name, values in prediction.branches.items()}
    return {
        f"{prefix}p_{emotion}": float(value)
        for prefix, values in vectors.items()
        for emotion, value in zip(prediction.emotions, values, strict=True)
    }
