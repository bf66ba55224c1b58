"""A timeline as CSV: one row per segment; where nothing is said, what was heard is left empty.

path,start_s,end_s,speaker,speech,emotion,confidence,uncertain,p_neutral,...
talk.wav,0.000,1.200,,false,,,,,...
talk.wav,1.200,3.900,,true,happy,0.810000,false,0.020000,...
"""

import csv
from typing import TextIO

from overtone.timeline import Segment, Timeline

FIXED_COLUMNS = ("path", "start_s", "end_s", "speaker", "speech", "emotion", "confidence", "uncertain")
SUFFIX = ".csv"


def write(timeline: Timeline, stream: TextIO) -> None:
    """Writes a header and one row per segment."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*FIXED_COLUMNS, *(f"p_{emotion}" for emotion in timeline.emotions)])
    for segment in timeline.segments:
        start_end = (f"{segment.start_s:.3f}", f"{segment.end_s:.3f}")
        writer.writerow([timeline.source, *start_end, segment.speaker, *_heard(segment, len(timeline.emotions))])


def _heard(segment: Segment, emotions: int) -> list[str]:
    answer = segment.prediction
    if answer is None:
        return ["false", *[""] * (3 + emotions)]
    sure = "true" if answer.uncertain else "false"
    return ["true", answer.emotion, f"{answer.confidence:.6f}", sure, *(f"{p:.6f}" for p in answer.probabilities)]
