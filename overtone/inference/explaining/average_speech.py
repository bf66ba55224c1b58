"""What the speech of the training corpora is like on average: the values that the properties of a clip are changed to.

`tools/measure_average_speech.py` measures them and writes `overtone/bundled/average_speech.json`.
"""

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from overtone.datatypes import FloatArray

AVERAGE_FILE = Path(__file__).parent.parent.parent / "bundled" / "average_speech.json"


class AverageSpeech(NamedTuple):
    """Medians over the clips of all speech corpora, each corpus with the same weight.

    Attributes:
        speech_rate_hz: syllables per second, as models measure it.
        spectrum_db: level in each third octave of `overtone.inference.explaining.voice_quality_changes.BANDS_HZ`,
            `(bands,)`, with a mean of 0.
    """

    speech_rate_hz: float
    spectrum_db: FloatArray


@cache
def average_speech() -> AverageSpeech:
    """Return the average speech; the file is read once."""
    values = json.loads(AVERAGE_FILE.read_text("utf-8"))
    return AverageSpeech(float(values["speech_rate_hz"]), np.array(values["spectrum_db"], float))
