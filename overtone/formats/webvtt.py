"""A timeline as WebVTT subtitles: one cue per segment with speech.

WEBVTT

00:00:01.000 --> 00:00:03.000
<v Anna>happy 81 %
well, yes

The words of a segment, if they are known, are the second line.

Source: W3C, "WebVTT: The Web Video Text Tracks Format".
"""

import html
from typing import TextIO

from overtone.formats.annotation_tiers import label_with_confidence, span_ms, visible_segments, words
from overtone.formats.table import printable
from overtone.timeline import Timeline


def write(timeline: Timeline, stream: TextIO) -> None:
    """Write the header and the cues. Cues of several speakers may overlap."""
    stream.write("WEBVTT\n")
    for segment in visible_segments(timeline):
        start_ms, end_ms = span_ms(segment)
        voice = f"<v {_escape(printable(segment.speaker))}>" if segment.speaker else ""
        times = f"{_format_time(start_ms)} --> {_format_time(end_ms)}"
        text = f"{_escape(words(segment))}\n" if segment.text else ""
        stream.write(f"\n{times}\n{voice}{_escape(label_with_confidence(segment))}\n{text}")


def _format_time(time_ms: int) -> str:
    seconds, milliseconds = divmod(time_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"


def _escape(text: str) -> str:
    return html.escape(text, quote=False)
