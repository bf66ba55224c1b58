"""mir_eval reads the Audacity label track."""

from pathlib import Path

import mir_eval.io
import pytest
from timelines import every_timeline, write_to

from overtone.formats import audacity
from overtone.formats.annotation_tiers import label_with_confidence, visible_segments, words
from overtone.formats.table import printable
from overtone.timeline import Timeline


@every_timeline
def test_mir_eval_reads_the_audacity_labels(timeline: Timeline, tmp_path: Path) -> None:
    path = write_to(tmp_path / "talk.txt", audacity, timeline)
    expected = visible_segments(timeline)
    if not expected:
        assert path.read_bytes() == b""
        return
    intervals, labels = mir_eval.io.load_labeled_intervals(str(path), delimiter="\t")
    times = [time for segment in expected for time in (segment.start_s, segment.end_s)]
    assert intervals.ravel() == pytest.approx(times, abs=1e-6)
    names = [f"{printable(segment.speaker)}: " if segment.speaker else "" for segment in expected]
    texts = [f" | {words(segment)}" if segment.text else "" for segment in expected]
    assert labels == [
        name + label_with_confidence(segment) + text for name, segment, text in zip(names, expected, texts, strict=True)
    ]
