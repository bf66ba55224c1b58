"""A timeline as a label track of Audacity: one line per segment in which something is said, fields between tabs.

1.000000	3.000000	happy 81 %
3.000000	4.000000	Anna: uncertain (angry) 42 %

Source: Audacity manual, "Importing and Exporting Labels".
"""

from typing import TextIO

from overtone.formats.annotation_tiers import label_with_confidence, visible_segments
from overtone.formats.table import printable
from overtone.timeline import Timeline

SUFFIX = ".labels.txt"


def write(timeline: Timeline, stream: TextIO) -> None:
    """Writes one label per segment; labels of turns may overlap."""
    for segment in visible_segments(timeline):
        speaker = f"{printable(segment.speaker)}: " if segment.speaker else ""
        stream.write(f"{segment.start_s:.6f}\t{segment.end_s:.6f}\t{speaker}{label_with_confidence(segment)}\n")
