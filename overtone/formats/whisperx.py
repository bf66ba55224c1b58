"""A timeline as JSON of WhisperX: the JSON of the speaker turns with an object `emotion` in each segment.

{"segments": [{"start": 0.5, "end": 2.75, "text": " Well, yes.", "words": [...], "speaker": "SPEAKER_00", "emotion":
{"label": "happy", "confidence": 0.81, "uncertain": false, "probabilities": {"neutral": 0.02, ...}, "speech_s": 1.824,
"arousal": 0.9, "valence": 0.86, "reference_clips": 41, "decided_by": "model"}}, ...], "language": "en"}

If the turns come from a JSON document, all of its other values stay as they are. Otherwise the document has `segments`
with `start`, `end`, `text` and, if it is known, `speaker`. A segment without speech has the emotion null. If a person
decided the emotion, `label` is what the person named, or null, and `model_label` the prediction.

If it is asked for, each word with times has an `emotion` too, with label, confidence, `uncertain` and probabilities:
the mean of the timeline over the word. A word that is shorter than the speech that a prediction needs is uncertain.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TextIO

import numpy as np

from overtone.datatypes import MIN_SPEECH_S
from overtone.errors import InputError
from overtone.formats.annotation_tiers import visible_segments
from overtone.formats.json import DIGITS, PROBABILITY_DIGITS, to_object
from overtone.timeline import Segment, Timeline

KEYS = ("confidence", "uncertain", "probabilities", "speech_s", "arousal", "valence", "reference_clips")


class Original(NamedTuple):
    """The JSON document that the speaker turns come from.

    Attributes:
        document: the whole document; the emotions are added to it.
        turns: the values in it that describe turns.
        by_segment: the value of each segment of the timeline, in order.
    """

    document: Any
    turns: Sequence[Any]
    by_segment: Sequence[Any]


def write(timeline: Timeline, stream: TextIO, original: Original | None = None, *, words: bool = False) -> None:
    """Write one object.

    Args:
        timeline: to write.
        stream: the output.
        original: the JSON document that the speaker turns come from; None if they come from elsewhere.
        words: whether each word with times gets an emotion.

    Raises:
        InputError: the document is nested too deeply.
    """
    if original is None:
        document: Any = {"segments": [_segment_to_object(segment) for segment in visible_segments(timeline)]}
    else:
        document = original.document
        _add_emotions(timeline, original)
        for word in _words(original) if words else ():
            word["emotion"] = _word_emotion(timeline, word)
    try:
        stream.write(json.dumps(document) + "\n")
    except RecursionError as error:
        raise InputError(f"{timeline.source}: the JSON of its turns is nested too deeply") from error


def _segment_to_object(segment: Segment) -> dict[str, Any]:
    return {
        "start": round(segment.start_s, DIGITS),
        "end": round(segment.end_s, DIGITS),
        "text": segment.text,
        **({"speaker": segment.speaker} if segment.speaker else {}),
        "emotion": _emotion(segment),
    }


def _emotion(segment: Segment) -> dict[str, Any] | None:
    if segment.prediction is None and not segment.by_person:
        return None
    values = to_object(segment.prediction) if segment.prediction else {}
    by_person = {"model_label": segment.model_emotion or None} if segment.by_person else {}
    prediction = {key: values[key] for key in KEYS if key in values}
    return {"label": segment.emotion or None, **prediction, "decided_by": segment.decided_by, **by_person}


def _add_emotions(timeline: Timeline, original: Original) -> None:
    """Add the emotion of each segment to its value; those that were not recognised get null."""
    for turn in original.turns:
        if isinstance(turn, dict):
            turn["emotion"] = None
    for turn, segment in zip(original.by_segment, timeline.segments, strict=True):
        if isinstance(turn, dict):
            turn["emotion"] = _emotion(segment)


def _words(original: Original) -> Iterator[dict[str, Any]]:
    """Yield the words of all turns, and those that WhisperX lists once more for the whole recording."""
    owners = [(turn, "words") for turn in original.turns] + [(original.document, "word_segments")]
    for owner, key in owners:
        found = owner.get(key) if isinstance(owner, dict) else None
        yield from (word for word in found or () if isinstance(found, list) and isinstance(word, dict))


def _word_emotion(timeline: Timeline, word: dict[str, Any]) -> dict[str, Any] | None:
    """Return the mean of the timeline over a word; None without times or without speech."""
    start_s, end_s = word.get("start"), word.get("end")
    if not isinstance(start_s, int | float) or not isinstance(end_s, int | float) or not 0 <= start_s < end_s:
        return None
    step_s, steps = timeline.tracks.step_s, len(timeline.tracks)
    first, end = (int(min(time_s / step_s, steps)) for time_s in (start_s, end_s + step_s * (1 - 1e-6)))
    rows = timeline.tracks.probabilities[first:end]
    rows = rows[~np.isnan(rows).any(axis=1)]
    if not len(rows):
        return None
    mean = rows.mean(axis=0)
    predictions = [segment.prediction for segment in timeline.segments if segment.prediction]
    threshold = max((prediction.uncertain_below for prediction in predictions), default=0.0)
    confidence = float(mean.max())
    return {
        "label": timeline.emotions[int(mean.argmax())],
        "confidence": round(confidence, PROBABILITY_DIGITS),
        "uncertain": confidence < threshold or end_s - start_s < MIN_SPEECH_S,
        "probabilities": {
            emotion: round(float(value), PROBABILITY_DIGITS)
            for emotion, value in zip(timeline.emotions, mean, strict=True)
        },
    }
