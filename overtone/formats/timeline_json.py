"""A timeline as a JSON object, with one line per segment, per speaker and per track.

{"path": "talk.wav", "duration_s": 61.3, "model": "overtone-1", "emotions": ["neutral", ...], "turns_given": false,
"adaptation": "recording",
"segments": [
{"start_s": 0.0, "end_s": 1.2, "speaker": "", "text": "", "speech": false, "decided_by": "model"},
{"start_s": 1.2, "end_s": 3.9, "speaker": "", "text": "", "speech": true, "decided_by": "model", "emotion": "happy",
 "confidence": 0.81, "uncertain": false, "probabilities": {"neutral": 0.02, ...}, "branches": {...}, "prosody": {...},
 "reference_clips": 41},
...
],
"speakers": [
{"speaker": "", "speech_s": 48.2, "shares": {"neutral": 0.31, ...}, "uncertain_share": 0.4, "arousal": 0.41,
 "valence": 0.52, "probabilities": {"neutral": 0.28, ...}, "estimates": {"neutral": {"value": 0.4, "low": 0.21,
 "high": 0.63}, ...}}
],
"summary": {"speech_s": 48.2, ...},
"no_estimates": "",
"tracks": {
"step_s": 0.1,
"pitch_hz": [0, 0, 212.4, ...],
"loudness_db": [-71.2, ...],
"arousal": [null, 0.9, ...],
"valence": [null, 0.86, ...],
"probabilities": {"neutral": [null, 0.02, ...], ...}
}}

`text` has the words of a speaker turn, if they are known. `adaptation` says what the model was adapted to: "none";
"reference", the reference clips of the caller; "recording" or "speakers", the recording itself or each of its speakers;
"stream", the audio before. If a person decided the emotion of a segment, `decided_by` is "person", `emotion` is what
the person named, or null if the prediction is wrong and the emotion unknown, and `model_emotion` is the prediction,
with its confidence and probabilities. `agreement`, with `n`, `agreed` and `kappa`, is present if the speaker turns had
labels of a person.

`shares` are those of sure predictions and of emotions that a person named; they sum to 1 with `uncertain_share`.
`estimates` are of the true shares, with 90 % intervals, and empty without speech or if there are none: `no_estimates`
says why. `summary` is that of the whole recording, with the keys of a speaker. Tracks have one value per step;
probabilities, arousal and valence are null in steps without speech.

If each channel is a speaker, the tracks of each follow those of the recording, which are then those of the loudest
channel with speech:

"channels": [
{"speaker": "left", "tracks": {"step_s": 0.1, "pitch_hz": [0, 0, 212.4, ...], ...}},
...
]
"""

import json
import math
from collections.abc import Iterable
from typing import Any, TextIO

import numpy as np

from overtone.agreement import Agreement
from overtone.formats.json import DIGITS, PROBABILITY_DIGITS, to_object
from overtone.speaker_summary import SpeakerSummary
from overtone.timeline import Segment, Timeline, Tracks

TRACK_DIGITS = {"pitch_hz": 1, "loudness_db": 1, "arousal": 3, "valence": 3, "probabilities": 3}
CURVES = ("pitch_hz", "loudness_db", "arousal", "valence")
# Keys of a prediction: the timeline has the first three once, at the top; a segment without speech has no prediction.
OMITTED_KEYS = ("path", "duration_s", "model", "no_speech")


def write(timeline: Timeline, stream: TextIO) -> None:
    """Write one object."""
    recording: dict[str, Any] = {
        "path": timeline.source,
        "duration_s": round(timeline.duration_s, DIGITS),
        "model": timeline.model,
        "emotions": timeline.emotions,
        "turns_given": timeline.turns_given,
        "adaptation": timeline.adaptation,
    }
    if timeline.agreement is not None:
        recording["agreement"] = agreement_to_object(timeline.agreement)
    stream.write(_dump(recording)[:-1])
    for name, objects in (
        ("segments", map(segment_to_object, timeline.segments)),
        ("speakers", ({"speaker": summary.speaker, **summary_to_object(summary)} for summary in timeline.speakers)),
    ):
        stream.write(f',\n"{name}": [\n' + ",\n".join(map(_dump, objects)) + "\n]")
    stream.write(f',\n"summary": {_dump(summary_to_object(timeline.summary))}')
    stream.write(f',\n"no_estimates": {_dump(timeline.no_estimates)}')
    stream.write(f',\n"tracks": {_dump_tracks(timeline.tracks, timeline.emotions)}')
    if timeline.channels:
        channels = (
            f'{{"speaker": {_dump(channel.speaker)}, "tracks": {_dump_tracks(channel.tracks, timeline.emotions)}}}'
            for channel in timeline.channels
        )
        stream.write(',\n"channels": [\n' + ",\n".join(channels) + "\n]")
    stream.write("}\n")


def _dump_tracks(tracks: Tracks, emotions: Iterable[str]) -> str:
    """Return tracks as a JSON object with one line per track."""
    probabilities = dict(zip(emotions, tracks.probabilities.T, strict=True))
    lines = [
        f'"step_s": {_dump(tracks.step_s)}',
        *(f'"{name}": {_dump(_round_track(getattr(tracks, name), name))}' for name in CURVES),
        f'"probabilities": {_dump({name: _round_track(row, "probabilities") for name, row in probabilities.items()})}',
    ]
    return "{\n" + ",\n".join(lines) + "\n}"


def segment_to_object(segment: Segment) -> dict[str, Any]:
    """Return a segment as JSON values; without speech, it has no keys of a prediction."""
    fields = {
        "start_s": round(segment.start_s, DIGITS),
        "end_s": round(segment.end_s, DIGITS),
        "speaker": segment.speaker,
        "text": segment.text,
        "speech": segment.is_speech,
        "decided_by": segment.decided_by,
    }
    if segment.prediction is not None:
        fields |= {key: value for key, value in to_object(segment.prediction).items() if key not in OMITTED_KEYS}
    if segment.by_person:
        fields |= {"emotion": segment.label or None, "model_emotion": segment.model_emotion or None}
    return fields


def agreement_to_object(agreement: Agreement) -> dict[str, Any]:
    """Return an agreement as JSON values."""
    kappa = None if math.isnan(agreement.kappa) else round(agreement.kappa, PROBABILITY_DIGITS)
    return {"n": agreement.n, "agreed": agreement.agreed, "kappa": kappa}


def summary_to_object(summary: SpeakerSummary) -> dict[str, Any]:
    """Return the summary of a speaker, or of the recording, as JSON values, without the name."""
    means = zip(summary.shares, summary.probabilities.tolist(), strict=False)  # labels of a person have none
    return {
        "speech_s": round(summary.speech_s, DIGITS),
        "shares": {emotion: round(share, PROBABILITY_DIGITS) for emotion, share in summary.shares.items()},
        "uncertain_share": round(summary.uncertain_share, PROBABILITY_DIGITS),
        "arousal": _round(summary.arousal, DIGITS),
        "valence": _round(summary.valence, DIGITS),
        "probabilities": {emotion: _round(mean, PROBABILITY_DIGITS) for emotion, mean in means},
        "estimates": {
            emotion: {"value": round(found.value, PROBABILITY_DIGITS), "low": found.low, "high": found.high}
            for emotion, found in summary.estimates.items()
        },
    }


def _round(value: float, digits: int) -> float | None:
    return None if value != value else round(value, digits)


def _round_track(values: Iterable[float], name: str) -> list[float | None]:
    rounded = np.round(np.asarray(values, dtype=float), TRACK_DIGITS[name])
    return [None if value != value else value for value in rounded.tolist()]


def _dump(value: Any) -> str:
    return json.dumps(value, allow_nan=False)
