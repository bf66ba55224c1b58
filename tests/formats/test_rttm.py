"""RTTM: one line per segment with speech, with the fields at the places that the format defines."""

from pathlib import Path

import pytest
from timelines import every_timeline, make_prediction, make_timeline, plain_timeline, turns_timeline, write_to

from overtone.formats import rttm
from overtone.formats.annotation_tiers import visible_segments
from overtone.timeline import Segment, Timeline


@every_timeline
def test_a_line_per_segment(timeline: Timeline, tmp_path: Path) -> None:
    lines = write_to(tmp_path / "talk.rttm", rttm, timeline).read_text("utf-8").splitlines()
    for line, segment in zip(lines, visible_segments(timeline), strict=True):
        fields = line.split()
        assert fields[:3] == ["SPEAKER", "talk", "1"] and fields[5:7] == fields[-2:] == ["<NA>", "<NA>"]
        assert float(fields[3]) == pytest.approx(segment.start_s, abs=5e-4)
        assert float(fields[4]) == pytest.approx(segment.duration_s, abs=1e-3)


def test_names(tmp_path: Path) -> None:
    def names(timeline: Timeline) -> list[str]:
        content = write_to(tmp_path / "a.rttm", rttm, timeline).read_text("utf-8")
        return [line.split(" <NA> <NA> ")[1].removesuffix(" <NA> <NA>") for line in content.splitlines()]

    assert names(plain_timeline()) == ["<NA>", "<NA>"]
    assert names(turns_timeline("Anna", "Ben\nWeber")) == ["Anna", "Anna", r"Ben\nWeber", r"Ben\nWeber"]
    assert names(turns_timeline("声")) == ["声"] * 3


@pytest.mark.parametrize(("source", "file"), [("a/call 2.flac", "call 2"), ("x", "x"), ("", "<NA>"), (" .wav", "<NA>")])
def test_the_file(source: str, file: str, tmp_path: Path) -> None:
    timeline = make_timeline(Segment(0, 6, make_prediction("sad")), source=source)
    assert write_to(tmp_path / "a.rttm", rttm, timeline).read_text("utf-8").startswith(f"SPEAKER {file} 1 0.000 6.000 ")


def test_pyannote_reads_the_turns(tmp_path: Path) -> None:
    util = pytest.importorskip("pyannote.database.util", reason="pyannote.database is not installed")
    (annotation,) = util.load_rttm(write_to(tmp_path / "talk.rttm", rttm, turns_timeline("Anna", "Ben"))).values()
    found = [(turn.start, turn.end, speaker) for turn, _, speaker in annotation.itertracks(yield_label=True)]
    expected = [(0.5, 1.5, "Anna"), (0.75, 2, "Anna"), (1, 2, "Ben"), (5.5, 6, "Ben")]
    assert [(round(start_s, 3), round(end_s, 3), speaker) for start_s, end_s, speaker in found] == expected
