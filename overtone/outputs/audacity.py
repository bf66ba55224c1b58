"""A timeline as a label track of Audacity: one line per segment in which something is said, fields between tabs.

1.000000	3.000000	happy 81 %
3.000000	4.000000	Anna: uncertain (angry) 42 %

Source: Audacity manual, "Importing and Exporting Labels".
"""

from typing import TextIO

from overtone.outputs.table import printable
from overtone.outputs.tiers import shown, words
from overtone.timeline import Timeline

SUFFIX = ".labels.txt"


def write(timeline: Timeline, stream: TextIO) -> None:
    """Writes one label per segment; labels of turns may overlap."""
    for segment in shown(timeline):
        speaker = f"{printable(segment.speaker)}: " if segment.speaker else ""
        stream.write(f"{segment.start_s:.6f}\t{segment.end_s:.6f}\t{speaker}{words(segment)}\n")
