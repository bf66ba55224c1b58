r"""Answers as JSON Lines: one object per line, each as `overtone.outputs.json` makes it.

{"path": "clip.wav", "emotion": "happy", "confidence": 0.81, ...}
{"path": "other.wav", "emotion": "sad", "confidence": 0.55, ...}
"""

import json
from collections.abc import Iterable
from typing import TextIO

from overtone.outputs.json import as_object
from overtone.values import Answer


def write(answers: Iterable[Answer], stream: TextIO) -> None:
    """Writes one object per answer, on a line of its own."""
    for answer in answers:
        stream.write(json.dumps(as_object(answer), allow_nan=False) + "\n")
