"""A timeline as SRT subtitles: one cue per segment with speech.

1
00:00:01,000 --> 00:00:03,000
Anna: happy 81 %
well, yes

The words of a segment, if they are known, are the second line.

Source: the SubRip text format, as its program writes it; there is no standard.
"""

from typing import TextIO

from overtone.formats.annotation_tiers import label_with_confidence, span_ms, visible_segments, words
from overtone.formats.table import printable
from overtone.timeline import Timeline


def write(timeline: Timeline, stream: TextIO) -> None:
    """Write the cues. Those of several speakers may overlap."""
    for number, segment in enumerate(visible_segments(timeline), start=1):
        start, end = map(_format_time, span_ms(segment))
        speaker = f"{printable(segment.speaker)}: " if segment.speaker else ""
        text = f"{words(segment)}\n" if segment.text else ""
        stream.write(f"{number}\n{start} --> {end}\n{speaker}{label_with_confidence(segment)}\n{text}\n")


def _format_time(time_ms: int) -> str:
    seconds, milliseconds = divmod(time_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{milliseconds:03}"
