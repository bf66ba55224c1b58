"""A timeline as CSV: one row per segment. Segments without speech have empty prediction columns.

path,start_s,end_s,speaker,text,speech,emotion,decided_by,model_emotion,confidence,uncertain,speech_s,arousal,valence,
talk.wav,0.000,1.200,,,false,,model,,,,,,,...
talk.wav,1.200,3.900,Anna,"well, yes",true,happy,model,happy,0.810000,false,2.144,0.900,0.860,...
talk.wav,3.900,5.100,Anna,no,true,sad,person,neutral,0.620000,false,1.024,0.210,0.350,...

The columns `reference_clips,p_neutral,...` follow. If a person decided the emotion, all columns from `model_emotion` on
are still those of the prediction; `emotion` is empty if the person only marked it as wrong. Several timelines may
follow one header. The dialect is one of `overtone.formats.csv_dialect`.
"""

from typing import TextIO

from overtone.formats.csv_dialect import PLAIN, Dialect, TableWriter
from overtone.timeline import Segment, Timeline

PREDICTION_COLUMNS = ("confidence", "uncertain", "speech_s", "arousal", "valence", "reference_clips")
EMOTION_COLUMNS = ("emotion", "decided_by", "model_emotion")
FIXED_COLUMNS = ("path", "start_s", "end_s", "speaker", "text", "speech", *EMOTION_COLUMNS, *PREDICTION_COLUMNS)


def write(timeline: Timeline, stream: TextIO, *, dialect: Dialect = PLAIN, header: bool = True) -> None:
    """Write a header, unless one has been written before, and one row per segment.

    Args:
        timeline: what is written.
        stream: opened with `newline=""`.
        dialect: separator and decimal sign of the table.
        header: whether the header is written; False for all but the first timeline in one table.
    """
    writer = TableWriter(stream, dialect)
    columns = [*FIXED_COLUMNS, *(f"p_{emotion}" for emotion in timeline.emotions)]
    if header:
        writer.write_header(columns)
    for segment in timeline.segments:
        times_s = float(segment.start_s), float(segment.end_s)
        emotion = (getattr(segment, name) for name in EMOTION_COLUMNS)
        values = (timeline.source, *times_s, segment.speaker, segment.text, segment.is_speech, *emotion)
        writer.write_row(zip(columns, [*values, *_prediction_values(segment, timeline)], strict=True))


def _prediction_values(segment: Segment, timeline: Timeline) -> list[str | float | bool]:
    """Return the values from the column `confidence` on."""
    prediction = segment.prediction
    if prediction is None:
        return [""] * (len(PREDICTION_COLUMNS) + len(timeline.emotions))
    return [*(getattr(prediction, name) for name in PREDICTION_COLUMNS), *prediction.probabilities.tolist()]
