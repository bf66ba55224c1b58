"""webvtt-py reads the cues."""

import html
from pathlib import Path

import webvtt
from timelines import every_timeline, write_to

from overtone.formats import webvtt as webvtt_format
from overtone.formats.annotation_tiers import label_with_confidence, visible_segments, words
from overtone.formats.table import printable
from overtone.timeline import Timeline


@every_timeline
def test_webvtt_py_reads_the_cues(timeline: Timeline, tmp_path: Path) -> None:
    cues = list(webvtt.read(str(write_to(tmp_path / "talk.vtt", webvtt_format, timeline))))
    expected = visible_segments(timeline)
    texts = [label_with_confidence(segment) + (f"\n{words(segment)}" if segment.text else "") for segment in expected]
    assert [html.unescape(cue.text) for cue in cues] == texts
    assert [html.unescape(cue.voice or "") for cue in cues] == [printable(segment.speaker) for segment in expected]
    for cue, segment in zip(cues, expected, strict=True):
        assert cue.start == format_time(segment.start_s)
        assert cue.end == format_time(segment.end_s)


def format_time(time_s: float) -> str:
    hours, rest = divmod(round(time_s * 1000), 3_600_000)
    return f"{hours:02}:{rest // 60_000:02}:{rest % 60_000 / 1000:06.3f}"
