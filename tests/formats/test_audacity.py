"""mir_eval reads our label track."""

from pathlib import Path

import mir_eval.io
import pytest
from timelines import every_timeline, written

from overtone.formats import audacity
from overtone.formats.annotation_tiers import label_with_confidence, visible_segments
from overtone.formats.table import printable
from overtone.timeline import Timeline


@every_timeline
def test_mir_eval_reads_the_audacity_labels(given: Timeline, tmp_path: Path) -> None:
    path = written(audacity, given, tmp_path / "talk.txt")
    expected = visible_segments(given)
    if not expected:
        assert path.read_bytes() == b""
        return
    intervals, labels = mir_eval.io.load_labeled_intervals(str(path), delimiter="\t")
    assert intervals.ravel() == pytest.approx([t for part in expected for t in (part.start_s, part.end_s)], abs=1e-6)
    names = [f"{printable(part.speaker)}: " if part.speaker else "" for part in expected]
    assert labels == [name + label_with_confidence(part) for name, part in zip(names, expected, strict=True)]
