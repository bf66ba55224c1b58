"""mir_eval reads our label track."""

from pathlib import Path

import mir_eval.io
import pytest
from timelines import every_timeline, written

from overtone.outputs import audacity
from overtone.outputs.table import printable
from overtone.outputs.tiers import shown, words
from overtone.timeline import Timeline


@every_timeline
def test_mir_eval_reads_the_audacity_labels(given: Timeline, tmp_path: Path) -> None:
    path = written(audacity, given, tmp_path / "talk.txt")
    expected = shown(given)
    if not expected:
        assert path.read_bytes() == b""
        return
    intervals, labels = mir_eval.io.load_labeled_intervals(str(path), delimiter="\t")
    assert intervals.ravel() == pytest.approx([t for part in expected for t in (part.start_s, part.end_s)], abs=1e-6)
    names = [f"{printable(part.speaker)}: " if part.speaker else "" for part in expected]
    assert labels == [name + words(part) for name, part in zip(names, expected, strict=True)]
