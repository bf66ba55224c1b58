"""A timeline as CSV: one row per segment. Segments without speech have empty prediction columns.

path,start_s,end_s,speaker,text,speech,emotion,decided_by,model_emotion,confidence,uncertain,speech_s,arousal,valence,
talk.wav,0.000,1.200,,,false,,model,,,,,,,...
talk.wav,1.200,3.900,Anna,"well, yes",true,happy,model,happy,0.810000,false,2.144,0.900,0.860,...
talk.wav,3.900,5.100,Anna,no,true,sad,person,neutral,0.620000,false,1.024,0.210,0.350,...

The columns `reference_clips,p_neutral,...` follow. If a person decided the emotion, all columns from `model_emotion` on
are still those of the prediction; `emotion` is empty if the person only marked it as wrong.
"""

import csv
from typing import TextIO

from overtone.formats.csv import to_cell
from overtone.timeline import Segment, Timeline

PREDICTION_COLUMNS = ("confidence", "uncertain", "speech_s", "arousal", "valence", "reference_clips")
EMOTION_COLUMNS = ("emotion", "decided_by", "model_emotion")
FIXED_COLUMNS = ("path", "start_s", "end_s", "speaker", "text", "speech", *EMOTION_COLUMNS, *PREDICTION_COLUMNS)


def write(timeline: Timeline, stream: TextIO) -> None:
    """Write a header and one row per segment."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*FIXED_COLUMNS, *(f"p_{emotion}" for emotion in timeline.emotions)])
    for segment in timeline.segments:
        times = (f"{segment.start_s:.3f}", f"{segment.end_s:.3f}")
        cells = _prediction_cells(segment, len(timeline.emotions))
        emotion = (getattr(segment, name) for name in EMOTION_COLUMNS)
        speech = to_cell("speech", segment.is_speech)
        writer.writerow([timeline.source, *times, segment.speaker, segment.text, speech, *emotion, *cells])


def _prediction_cells(segment: Segment, emotion_count: int) -> list[str]:
    """Return the cells from the column `confidence` on."""
    prediction = segment.prediction
    if prediction is None:
        return [""] * (len(PREDICTION_COLUMNS) + emotion_count)
    cells = (to_cell(name, getattr(prediction, name)) for name in PREDICTION_COLUMNS)
    return [*cells, *(to_cell("p", float(probability)) for probability in prediction.probabilities)]
