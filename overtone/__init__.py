"""Overtone hears how something was said: emotion from speech.

    import overtone

    answer = overtone.load().recognise("clip.wav")
    answer.emotion, answer.confidence, answer.probabilities

    timeline = overtone.load().timeline("an-hour.flac")
    for segment in timeline.segments:
        segment.start_s, segment.end_s, segment.answer

`import overtone` is light on purpose: what needs the sound library or the network runtime is imported at first use.
"""

import importlib
import os
from typing import TYPE_CHECKING

# onnxruntime sends events to its maker unless it is told not to before it is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

if TYPE_CHECKING:
    from overtone.audio.decode import from_array, read
    from overtone.client import Client
    from overtone.datatypes import Prediction, Waveform
    from overtone.emotions import EMOTIONS
    from overtone.errors import OvertoneError
    from overtone.inference.recogniser import Recogniser, load
    from overtone.speaker_turns import read_turns
    from overtone.timeline import Segment, Timeline

__version__ = "0.1.0"

__all__ = [
    "EMOTIONS",
    "Client",
    "OvertoneError",
    "Prediction",
    "Recogniser",
    "Segment",
    "Timeline",
    "Waveform",
    "__version__",
    "from_array",
    "load",
    "read",
    "read_turns",
]

_HOME = {
    "EMOTIONS": "overtone.emotions",
    "Prediction": "overtone.datatypes",
    "Client": "overtone.client",
    "OvertoneError": "overtone.errors",
    "Recogniser": "overtone.inference.recogniser",
    "Segment": "overtone.timeline",
    "Timeline": "overtone.timeline",
    "Waveform": "overtone.datatypes",
    "from_array": "overtone.audio.decode",
    "load": "overtone.inference.recogniser",
    "read": "overtone.audio.decode",
    "read_turns": "overtone.speaker_turns",
}


def __getattr__(name: str) -> object:
    """A public name, imported from its room at first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'overtone' has no attribute '{name}'")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
