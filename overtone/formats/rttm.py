"""A timeline as RTTM: one line per segment with speech, without its emotion, for programs that score diarisation.

SPEAKER talk 1 0.500 1.500 <NA> <NA> Anna <NA> <NA>
SPEAKER talk 1 2.000 1.000 <NA> <NA> <NA> <NA> <NA>
        file channel start duration orthography subtype speaker confidence signal-lookahead

The format has no quotes: blanks in names stay, and only programs that count fields from both ends can read them.

Source: NIST, "The 2009 Rich Transcription Evaluation Plan", appendix A.
"""

from pathlib import PurePath
from typing import TextIO

from overtone.formats.annotation_tiers import span_ms, visible_segments
from overtone.formats.table import printable
from overtone.timeline import Timeline

UNKNOWN = "<NA>"


def write(timeline: Timeline, stream: TextIO) -> None:
    """Write one line per segment. Those of several speakers may overlap."""
    file = printable(PurePath(timeline.source).stem).strip() or UNKNOWN
    for segment in visible_segments(timeline):
        start_ms, end_ms = span_ms(segment)
        times = f"{start_ms / 1000:.3f} {(end_ms - start_ms) / 1000:.3f}"
        speaker = printable(segment.speaker).strip() or UNKNOWN
        stream.write(f"SPEAKER {file} 1 {times} {UNKNOWN} {UNKNOWN} {speaker} {UNKNOWN} {UNKNOWN}\n")
