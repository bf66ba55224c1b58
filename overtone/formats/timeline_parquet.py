r"""A timeline as Parquet: one row per segment, as in `overtone.formats.timeline_csv`, with types and nothing rounded.

Columns: path, model, start_s, end_s, speaker, speech, emotion, confidence, uncertain, p_neutral, ...; where there are
branches, mel_p_neutral, ..., prosody_p_neutral, ...; and what was measured, such as pitch_median_hz. They are null
where nothing is said, or measured. The metadata of the file holds, as JSON under "overtone", what is told of the
whole: duration_s, emotions, turns_given.

Text of Parquet is UTF-8: bytes of a file name that are none stand as escapes (`\udcff`).
"""

import json
from typing import Any, TextIO

from overtone.formats.parquet import import_pyarrow, utf8
from overtone.timeline import Segment, Timeline

COLUMNS = ("path", "model", "start_s", "end_s", "speaker", "speech", "emotion", "confidence", "uncertain")
SUFFIX = ".parquet"
METADATA = "overtone"
TEXT, TRUTH = ("path", "model", "speaker", "emotion"), ("speech", "uncertain")


def write(timeline: Timeline, stream: TextIO) -> None:
    """Writes the table to the bytes below a text stream, as files and stdout have them.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    pa = import_pyarrow()
    rows = [{name: utf8(value) for name, value in _row(timeline, part).items()} for part in timeline.segments]
    names = dict.fromkeys([*COLUMNS, *(f"p_{emotion}" for emotion in timeline.emotions)])
    names |= dict.fromkeys(name for row in rows for name in row)
    kinds = dict.fromkeys(TEXT, pa.string()) | dict.fromkeys(TRUTH, pa.bool_())
    whole = {
        "duration_s": timeline.duration_s,
        "emotions": timeline.emotions,
        "turns_given": timeline.turns_given,
    }
    schema = pa.schema([(name, kinds.get(name, pa.float64())) for name in names], {METADATA: json.dumps(whole)})
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(pa.Table.from_pylist(rows, schema), sink)
    stream.flush()
    stream.buffer.write(sink.getvalue())


def _row(timeline: Timeline, segment: Segment) -> dict[str, Any]:
    """One segment as column -> value; without what is not said of it."""
    row: dict[str, Any] = {
        "path": timeline.source,
        "model": timeline.model,
        "start_s": segment.start_s,
        "end_s": segment.end_s,
        "speaker": segment.speaker,
        "speech": segment.is_speech,
    }
    answer = segment.prediction
    if answer is None:
        return row
    row |= {"emotion": answer.emotion, "confidence": answer.confidence, "uncertain": answer.uncertain}
    for prefix, values in {"": answer.probabilities, **{f"{one}_": p for one, p in answer.branches.items()}}.items():
        row |= {f"{prefix}p_{emotion}": float(p) for emotion, p in zip(answer.emotions, values, strict=True)}
    return row | answer.prosody
