r"""Predictions as JSON Lines: one object per line, with the keys of `overtone.formats.json`.

{"path": "clip.wav", "emotion": "happy", "confidence": 0.81, ...}
{"path": "other.wav", "emotion": "sad", "confidence": 0.55, ...}
"""

import json
from collections.abc import Iterable
from typing import TextIO

from overtone.datatypes import Prediction
from overtone.formats.json import to_object


def write(predictions: Iterable[Prediction], stream: TextIO) -> None:
    """Write one object per prediction, each on its own line."""
    for prediction in predictions:
        stream.write(json.dumps(to_object(prediction), allow_nan=False) + "\n")
