"""Praat itself reads the TextGrid."""

from itertools import pairwise
from pathlib import Path

import parselmouth
import pytest
from parselmouth.praat import call
from timelines import every_timeline, expected_tiers, write_to

from overtone.formats import textgrid
from overtone.timeline import Timeline


@every_timeline
def test_praat_reads_the_textgrid(timeline: Timeline, tmp_path: Path) -> None:
    grid = parselmouth.read(str(write_to(tmp_path / "talk.TextGrid", textgrid, timeline)))
    assert call(grid, "Get end time") == pytest.approx(timeline.duration_s, abs=1e-6)
    tiers = {}
    for tier in range(1, call(grid, "Get number of tiers") + 1):
        spans = [
            (
                call(grid, "Get start time of interval", tier, k),
                call(grid, "Get end time of interval", tier, k),
                call(grid, "Get label of interval", tier, k),
            )
            for k in range(1, call(grid, "Get number of intervals", tier) + 1)
        ]
        assert spans[0][0] == 0
        assert spans[-1][1] == pytest.approx(timeline.duration_s, abs=1e-6)
        assert all(first[1] == second[0] for first, second in pairwise(spans)), "no gap, no overlap"
        tiers[call(grid, "Get tier name", tier)] = [span for span in spans if span[2]]
    expected = expected_tiers(timeline)
    assert list(tiers) == list(expected)
    for name, spans in expected.items():
        assert [span[2] for span in tiers[name]] == [span[2] for span in spans]
        assert [span[:2] for span in tiers[name]] == [pytest.approx(span[:2], abs=1e-6) for span in spans]
