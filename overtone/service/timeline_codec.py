"""A timeline <-> bytes, to the last bit: so it can be kept, and written in any form later.

Compressed: a line of JSON with all but the curves, then the curves as float32 little-endian, one after the other.
"""

import json
import zlib
from typing import Any

import numpy as np

from overtone._internal.prediction_codec import decode_prediction, encode_prediction
from overtone.timeline import Segment, Timeline, Tracks

NUMBER = np.dtype("<f4")
LEVEL = 6


def encode(timeline: Timeline) -> bytes:
    """The bytes of a timeline."""
    curves = timeline.tracks
    told = {
        "source": timeline.source,
        "duration_s": timeline.duration_s,
        "emotions": timeline.emotions,
        "model": timeline.model,
        "turns_given": timeline.turns_given,
        "step_s": curves.step_s,
        "steps": len(curves),
        "segments": [_told(segment) for segment in timeline.segments],
    }
    parts = (curves.probabilities, curves.pitch_hz, curves.loudness_db)
    numbers = [np.ascontiguousarray(part, NUMBER).tobytes() for part in parts]
    return zlib.compress(b"\n".join([json.dumps(told).encode(), b"".join(numbers)]), LEVEL)


def decode(content: bytes) -> Timeline:
    """The timeline of which `encode` made these bytes."""
    line, _, rest = zlib.decompress(content).partition(b"\n")
    told = json.loads(line)
    emotions, steps = tuple(told["emotions"]), told["steps"]
    numbers = np.frombuffer(rest, NUMBER).astype(np.float32)
    probabilities, pitch_hz, loudness_db = np.split(numbers, np.cumsum([steps * len(emotions), steps]))
    return Timeline(
        source=told["source"],
        duration_s=told["duration_s"],
        emotions=emotions,
        model=told["model"],
        segments=tuple(_segment(one, emotions, told) for one in told["segments"]),
        tracks=Tracks(told["step_s"], probabilities.reshape(steps, len(emotions)), pitch_hz, loudness_db),
        turns_given=told["turns_given"],
    )


def _told(segment: Segment) -> dict[str, Any]:
    told: dict[str, Any] = {"start_s": segment.start_s, "end_s": segment.end_s, "speaker": segment.speaker}
    if segment.prediction is not None:
        told |= {"answer": encode_prediction(segment.prediction), "uncertain_below": segment.prediction.uncertain_below}
    return told


def _segment(told: dict[str, Any], emotions: tuple[str, ...], whole: dict[str, Any]) -> Segment:
    answer = None
    if "answer" in told:
        answer = decode_prediction(
            told["answer"],
            emotions,
            model=whole["model"],
            source=whole["source"],
            uncertain_below=told["uncertain_below"],
        )
    return Segment(told["start_s"], told["end_s"], answer, told["speaker"])
