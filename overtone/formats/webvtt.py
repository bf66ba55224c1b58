"""A timeline as WebVTT: one cue per segment in which something is said, for the subtitles of any player.

WEBVTT

00:00:01.000 --> 00:00:03.000
<v Anna>happy 81 %

Source: W3C, "WebVTT: The Web Video Text Tracks Format".
"""

import html
from typing import TextIO

from overtone.formats.annotation_tiers import label_with_confidence, span_ms, visible_segments
from overtone.formats.table import printable
from overtone.timeline import Timeline

SUFFIX = ".vtt"


def write(timeline: Timeline, stream: TextIO) -> None:
    """Writes the header and the cues; cues of turns may overlap."""
    stream.write("WEBVTT\n")
    for segment in visible_segments(timeline):
        start, end = span_ms(segment)
        voice = f"<v {_escaped(printable(segment.speaker))}>" if segment.speaker else ""
        stream.write(f"\n{_clock(start)} --> {_clock(end)}\n{voice}{_escaped(label_with_confidence(segment))}\n")


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)
