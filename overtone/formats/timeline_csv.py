"""A timeline as CSV: one row per segment. Segments without speech have empty prediction columns.

path,start_s,end_s,speaker,text,speech,emotion,confidence,uncertain,speech_s,arousal,valence,reference_clips,p_neutral,...
talk.wav,0.000,1.200,,,false,,,,,,,,,...
talk.wav,1.200,3.900,Anna,"well, yes",true,happy,0.810000,false,2.144,0.900,0.860,41,0.020000,...
"""

import csv
from typing import TextIO

from overtone.formats.csv import to_cell
from overtone.timeline import Segment, Timeline

PREDICTION_COLUMNS = ("emotion", "confidence", "uncertain", "speech_s", "arousal", "valence", "reference_clips")
FIXED_COLUMNS = ("path", "start_s", "end_s", "speaker", "text", "speech", *PREDICTION_COLUMNS)


def write(timeline: Timeline, stream: TextIO) -> None:
    """Write a header and one row per segment."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*FIXED_COLUMNS, *(f"p_{emotion}" for emotion in timeline.emotions)])
    for segment in timeline.segments:
        times = (f"{segment.start_s:.3f}", f"{segment.end_s:.3f}")
        cells = _prediction_cells(segment, len(timeline.emotions))
        writer.writerow([timeline.source, *times, segment.speaker, segment.text, *cells])


def _prediction_cells(segment: Segment, emotion_count: int) -> list[str]:
    """Return the cells from the column `speech` on."""
    prediction = segment.prediction
    if prediction is None:
        return ["false", *[""] * (len(PREDICTION_COLUMNS) + emotion_count)]
    cells = (to_cell(name, getattr(prediction, name)) for name in PREDICTION_COLUMNS)
    return ["true", *cells, *(to_cell("p", float(probability)) for probability in prediction.probabilities)]
