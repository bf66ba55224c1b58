"""A timeline as an Audacity label track: one line per segment with speech, fields separated by tabs.

1.000000	3.000000	happy 81 %
3.000000	4.000000	Anna: uncertain (angry) 42 % | well, yes

The words of a segment, if they are known, follow a bar.

Source: Audacity manual, "Importing and Exporting Labels".
"""

from typing import TextIO

from overtone.formats.annotation_tiers import label_with_confidence, visible_segments, words
from overtone.formats.table import printable
from overtone.timeline import Timeline


def write(timeline: Timeline, stream: TextIO) -> None:
    """Write one label per segment. Labels of several speakers may overlap."""
    for segment in visible_segments(timeline):
        speaker = f"{printable(segment.speaker)}: " if segment.speaker else ""
        text = f" | {words(segment)}" if segment.text else ""
        stream.write(f"{segment.start_s:.6f}\t{segment.end_s:.6f}\t{speaker}{label_with_confidence(segment)}{text}\n")
