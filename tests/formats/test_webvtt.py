"""webvtt-py reads our cues."""

import html
from pathlib import Path

import webvtt
from timelines import every_timeline, written

from overtone.formats import webvtt as form
from overtone.formats.annotation_tiers import label_with_confidence, visible_segments
from overtone.formats.table import printable
from overtone.timeline import Timeline


@every_timeline
def test_webvtt_py_reads_the_cues(given: Timeline, tmp_path: Path) -> None:
    cues = list(webvtt.read(str(written(form, given, tmp_path / "talk.vtt"))))
    expected = visible_segments(given)
    assert [html.unescape(cue.text) for cue in cues] == [label_with_confidence(part) for part in expected]
    assert [html.unescape(cue.voice or "") for cue in cues] == [printable(part.speaker) for part in expected]
    for cue, part in zip(cues, expected, strict=True):
        assert cue.start == clock(part.start_s)
        assert cue.end == clock(part.end_s)


def clock(time_s: float) -> str:
    hours, rest = divmod(round(time_s * 1000), 3_600_000)
    return f"{hours:02}:{rest // 60_000:02}:{rest % 60_000 / 1000:06.3f}"
