r"""A timeline as Parquet: one row per segment, as in `overtone.formats.timeline_csv`, typed and unrounded.

Columns: path, model, start_s, end_s, speaker, text, speech, emotion, decided_by, model_emotion, confidence,
uncertain, speech_s, arousal, valence, reference_clips, p_neutral, ...; per branch of the model, such as
mel_p_neutral, ...; and per measured prosody value, such as pitch_median_hz. They are null in segments without speech or
without a measurement. The file metadata contains facts about the whole recording, as JSON under "overtone": duration_s,
emotions, turns_given, adaptation; and channels, the speakers in their order, if each channel is a speaker.

Parquet strings are UTF-8: bytes of a file name that are not UTF-8 become escapes (`\udcff`).
"""

import json
from typing import Any, TextIO

from overtone._internal.pyarrow_import import import_pyarrow
from overtone.formats import timeline_csv
from overtone.formats.branches import probability_columns
from overtone.formats.parquet import to_utf8
from overtone.formats.timeline_csv import EMOTION_COLUMNS, PREDICTION_COLUMNS
from overtone.timeline import Segment, Timeline

FIXED_COLUMNS = ("path", "model", *timeline_csv.FIXED_COLUMNS[1:])
STRING_COLUMNS = ("path", "model", "speaker", "text", *EMOTION_COLUMNS)
BOOLEAN_COLUMNS = ("speech", "uncertain")
METADATA_KEY = "overtone"


def write(timeline: Timeline, stream: TextIO) -> None:
    """Write the table to the binary buffer of a text stream, as files and stdout have.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    pa = import_pyarrow()
    rows = [{name: to_utf8(value) for name, value in _row(timeline, part).items()} for part in timeline.segments]
    names = dict.fromkeys([*FIXED_COLUMNS, *(f"p_{emotion}" for emotion in timeline.emotions)])
    names |= dict.fromkeys(name for row in rows for name in row)
    types = dict.fromkeys(STRING_COLUMNS, pa.string()) | dict.fromkeys(BOOLEAN_COLUMNS, pa.bool_())
    types["reference_clips"] = pa.int64()
    recording: dict[str, Any] = {
        "duration_s": timeline.duration_s,
        "emotions": timeline.emotions,
        "turns_given": timeline.turns_given,
        "adaptation": timeline.adaptation,
    }
    if timeline.channels:
        recording["channels"] = [channel.speaker for channel in timeline.channels]
    metadata = {METADATA_KEY: json.dumps(recording)}
    schema = pa.schema([(name, types.get(name, pa.float64())) for name in names], metadata)
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(pa.Table.from_pylist(rows, schema), sink)
    stream.flush()
    stream.buffer.write(sink.getvalue())


def _row(timeline: Timeline, segment: Segment) -> dict[str, Any]:
    """Return a segment as column -> value, without the columns that are null."""
    row: dict[str, Any] = {
        "path": timeline.source,
        "model": timeline.model,
        "start_s": segment.start_s,
        "end_s": segment.end_s,
        "speaker": segment.speaker,
        "text": segment.text,
        "speech": segment.is_speech,
        **{name: getattr(segment, name) or None for name in EMOTION_COLUMNS},
    }
    prediction = segment.prediction
    if prediction is None:
        return row
    values = {name: getattr(prediction, name) for name in PREDICTION_COLUMNS}
    row |= {name: value for name, value in values.items() if value == value}  # without NaN
    return row | probability_columns(prediction) | prediction.prosody
