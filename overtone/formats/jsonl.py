r"""Answers as JSON Lines: one object per line, each as `overtone.formats.json` makes it.

{"path": "clip.wav", "emotion": "happy", "confidence": 0.81, ...}
{"path": "other.wav", "emotion": "sad", "confidence": 0.55, ...}
"""

import json
from collections.abc import Iterable
from typing import TextIO

from overtone.datatypes import Prediction
from overtone.formats.json import to_object


def write(answers: Iterable[Prediction], stream: TextIO) -> None:
    """Writes one object per answer, on a line of its own."""
    for answer in answers:
        stream.write(json.dumps(to_object(answer), allow_nan=False) + "\n")
