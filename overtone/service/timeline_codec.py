"""Lossless encoding of a timeline as bytes, so that the job store can keep it and any format can be written later.

Layout, zlib-compressed: one line of JSON with everything but the tracks, then the tracks as float32 little-endian, one
after the other: those of the recording, then those of each channel that is a speaker.
"""

import json
import zlib
from dataclasses import asdict, astuple
from typing import Any

import numpy as np

from overtone._internal.prediction_codec import decode_prediction, encode_prediction
from overtone.agreement import MODEL, Agreement
from overtone.datatypes import Float32Array
from overtone.shares import ShareEstimate
from overtone.timeline import ChannelTracks, Segment, Timeline, Tracks

DTYPE = np.dtype("<f4")
COMPRESSION_LEVEL = 6


def encode(timeline: Timeline) -> bytes:
    """Encode a timeline; `decode` is the inverse."""
    header = {
        "source": timeline.source,
        "duration_s": timeline.duration_s,
        "emotions": timeline.emotions,
        "model": timeline.model,
        "turns_given": timeline.turns_given,
        "adaptation": timeline.adaptation,
        "agreement": timeline.agreement and asdict(timeline.agreement),
        "step_s": timeline.tracks.step_s,
        "steps": len(timeline.tracks),
        "channels": [channel.speaker for channel in timeline.channels],
        "share_estimates": [list(map(astuple, row)) for row in timeline.share_estimates],
        "no_estimates": timeline.no_estimates,
        "segments": [_encode_segment(segment) for segment in timeline.segments],
    }
    content = b"".join(map(_encode_tracks, [timeline.tracks, *(channel.tracks for channel in timeline.channels)]))
    return zlib.compress(b"\n".join([json.dumps(header).encode(), content]), COMPRESSION_LEVEL)


def decode(content: bytes) -> Timeline:
    """Decode the result of `encode`."""
    line, _, rest = zlib.decompress(content).partition(b"\n")
    header = json.loads(line)
    emotions, steps = tuple(header["emotions"]), header["steps"]
    values = np.frombuffer(rest, DTYPE).astype(np.float32).reshape(1 + len(header["channels"]), -1)
    tracks, *channel_tracks = (_decode_tracks(row, header["step_s"], steps, len(emotions)) for row in values)
    return Timeline(
        source=header["source"],
        duration_s=header["duration_s"],
        emotions=emotions,
        model=header["model"],
        segments=tuple(_decode_segment(fields, emotions, header) for fields in header["segments"]),
        tracks=tracks,
        turns_given=header["turns_given"],
        adaptation=header["adaptation"],
        channels=tuple(map(ChannelTracks, header["channels"], channel_tracks)),
        agreement=Agreement(**header["agreement"]) if header.get("agreement") else None,
        share_estimates=tuple(
            tuple(ShareEstimate(*values) for values in row) for row in header.get("share_estimates", [])
        ),
        no_estimates=header.get("no_estimates", "the timeline was stored by an earlier version"),
    )


def _encode_tracks(tracks: Tracks) -> bytes:
    arrays = (tracks.probabilities, tracks.pitch_hz, tracks.loudness_db, tracks.arousal, tracks.valence)
    return b"".join(np.ascontiguousarray(array, DTYPE).tobytes() for array in arrays)


def _decode_tracks(values: Float32Array, step_s: float, steps: int, emotions: int) -> Tracks:
    probabilities, *curves = np.split(values, np.cumsum([steps * emotions, steps, steps, steps]))
    return Tracks(step_s, probabilities.reshape(steps, emotions), *curves)


def _encode_segment(segment: Segment) -> dict[str, Any]:
    fields: dict[str, Any] = {"start_s": segment.start_s, "end_s": segment.end_s, "speaker": segment.speaker}
    if segment.text:
        fields["text"] = segment.text
    if segment.by_person:
        fields |= {"decided_by": segment.decided_by, "label": segment.label}
    if segment.prediction is not None:
        fields["prediction"] = encode_prediction(segment.prediction)
        fields["uncertain_below"] = segment.prediction.uncertain_below
    return fields


def _decode_segment(fields: dict[str, Any], emotions: tuple[str, ...], header: dict[str, Any]) -> Segment:
    prediction = None
    if "prediction" in fields:
        prediction = decode_prediction(
            fields["prediction"],
            emotions,
            model=header["model"],
            source=header["source"],
            uncertain_below=fields["uncertain_below"],
        )
    decision = fields.get("decided_by", MODEL), fields.get("label", "")
    return Segment(fields["start_s"], fields["end_s"], prediction, fields["speaker"], fields.get("text", ""), *decision)
