"""Emotions, columns and labels per branch of a model, for any number of branches."""

import numpy as np

from overtone.datatypes import Prediction

# For people: a short label and an explanation; options and columns of files have the name of the branch.
BRANCH_LABELS = {
    "mel": ("spectrum", "the sound of the voice, as the energy of its low and high frequencies over time"),
    "prosody": ("melody", "how it is said, by pitch, loudness and tempo alone"),
    "encoder": ("encoder", "the states of a network that was trained on much speech to recognise its words"),
}


def branch_label(branch: str) -> str:
    """Return the label of a branch for people; the name of the branch if it has no label."""
    return BRANCH_LABELS[branch][0] if branch in BRANCH_LABELS else branch


def branch_explanation(branch: str) -> str:
    """Return what a branch predicts from, for people."""
    return BRANCH_LABELS[branch][1] if branch in BRANCH_LABELS else "a part with a prediction of its own"


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
