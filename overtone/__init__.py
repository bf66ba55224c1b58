"""Speech emotion recognition: audio in, emotion probabilities out.

    import overtone

    prediction = overtone.load().recognise("clip.wav")
    prediction.emotion, prediction.confidence, prediction.probabilities

    timeline = overtone.load().timeline("an-hour.flac")
    for segment in timeline.segments:
        segment.start_s, segment.end_s, segment.prediction

`import overtone` is cheap: modules that need the audio libraries or onnxruntime are imported on first use.
"""

import importlib
import os
from typing import TYPE_CHECKING

# onnxruntime sends telemetry to its vendor unless this is set before it is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

if TYPE_CHECKING:
    from overtone.audio.decode import from_array, read
    from overtone.client import Client
    from overtone.datatypes import Prediction, Waveform
    from overtone.emotions import EMOTIONS
    from overtone.errors import (
        AudioError,
        CorpusError,
        DownloadError,
        InputError,
        MissingExtraError,
        ModelError,
        OptionError,
        OvertoneError,
        PreconditionFailedError,
        ServiceError,
        TrainingError,
    )
    from overtone.explanation import Explanation
    from overtone.inference.recogniser import Recogniser, load
    from overtone.speaker_turns import read_turns
    from overtone.timeline import Segment, Timeline, Tracks

__version__ = "0.1.0"

__all__ = [
    "EMOTIONS",
    "AudioError",
    "Client",
    "CorpusError",
    "DownloadError",
    "Explanation",
    "InputError",
    "MissingExtraError",
    "ModelError",
    "OptionError",
    "OvertoneError",
    "PreconditionFailedError",
    "Prediction",
    "Recogniser",
    "Segment",
    "ServiceError",
    "Timeline",
    "Tracks",
    "TrainingError",
    "Waveform",
    "__version__",
    "from_array",
    "load",
    "read",
    "read_turns",
]

# Public name -> the module that defines it.
_MODULES = {
    "EMOTIONS": "overtone.emotions",
    "AudioError": "overtone.errors",
    "Client": "overtone.client",
    "CorpusError": "overtone.errors",
    "DownloadError": "overtone.errors",
    "Explanation": "overtone.explanation",
    "InputError": "overtone.errors",
    "MissingExtraError": "overtone.errors",
    "ModelError": "overtone.errors",
    "OptionError": "overtone.errors",
    "OvertoneError": "overtone.errors",
    "PreconditionFailedError": "overtone.errors",
    "Prediction": "overtone.datatypes",
    "Recogniser": "overtone.inference.recogniser",
    "Segment": "overtone.timeline",
    "ServiceError": "overtone.errors",
    "Timeline": "overtone.timeline",
    "Tracks": "overtone.timeline",
    "TrainingError": "overtone.errors",
    "Waveform": "overtone.datatypes",
    "from_array": "overtone.audio.decode",
    "load": "overtone.inference.recogniser",
    "read": "overtone.audio.decode",
    "read_turns": "overtone.speaker_turns",
}


def __getattr__(name: str) -> object:
    """Import a public name from its module on first use (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module 'overtone' has no attribute '{name}'")
    value: object = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
