"""The library srt reads the cues."""

from datetime import timedelta
from pathlib import Path

import srt
from timelines import every_timeline, write_to

from overtone.formats import srt as srt_format
from overtone.formats.annotation_tiers import label_with_confidence, visible_segments, words
from overtone.formats.table import printable
from overtone.timeline import Timeline


@every_timeline
def test_srt_reads_the_cues(timeline: Timeline, tmp_path: Path) -> None:
    content = write_to(tmp_path / "talk.srt", srt_format, timeline).read_text("utf-8")
    cues, expected = list(srt.parse(content)), visible_segments(timeline)
    assert [cue.index for cue in cues] == list(range(1, len(expected) + 1))
    for cue, segment in zip(cues, expected, strict=True):
        assert cue.start == timedelta(milliseconds=round(1000 * segment.start_s))
        assert cue.end == timedelta(milliseconds=round(1000 * segment.end_s))
        speaker = f"{printable(segment.speaker)}: " if segment.speaker else ""
        text = f"\n{words(segment)}" if segment.text else ""
        assert cue.content == f"{speaker}{label_with_confidence(segment)}{text}"
