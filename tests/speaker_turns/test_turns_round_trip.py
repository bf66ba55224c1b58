"""A timeline that is written and given back as turns has the same turns, to 1 ms, with their speakers and words."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from praatio import textgrid
from pympi.Elan import Eaf
from timelines import channels_timeline, make_prediction, make_timeline, plain_timeline, turns_timeline

from overtone.formats import get_timeline_format, save_timeline, timeline_csv
from overtone.formats.csv_dialect import DIALECTS
from overtone.speaker_turns import read_labelled_turns, read_turns
from overtone.speaker_turns.turn import clean_text
from overtone.timeline import Segment, Timeline

DURATION_S = 30
FORMATS = ("textgrid", "elan", "webvtt", "srt", "rttm", "audacity", "csv", "json", "jsonl")
every_format = pytest.mark.parametrize("format_name", FORMATS)

NAMES, TEXTS = ("anna", "anna 2", "A & <b>", "x: y", ""), ("", "happy 81 %", "no: 50 %", "a --> b", "|")
characters = st.characters(exclude_categories=("C", "Z"), include_characters=" ")
speakers = st.text(characters, max_size=12).map(clean_text) | st.sampled_from(NAMES)
texts = st.text(characters, max_size=30).map(clean_text) | st.sampled_from(TEXTS)


@st.composite
def turns(draw: st.DrawFn) -> Segment:
    start_ms = draw(st.integers(0, 1000 * DURATION_S - 1))
    end_ms = draw(st.integers(start_ms + 1, min(start_ms + 5000, 1000 * DURATION_S)))
    prediction = draw(st.sampled_from((None, make_prediction("happy", 0.8), make_prediction("sad", 0.3))))
    decision = draw(st.sampled_from((("model", ""), ("model", ""), ("person", ""), ("person", "frustrated"))))
    return Segment(start_ms / 1000, end_ms / 1000, prediction, draw(speakers), draw(texts), *decision)


def give_back(timeline: Timeline, format_name: str) -> tuple[Segment, ...]:
    """Return the turns in the file of a timeline."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"talk{get_timeline_format(format_name).suffix}"
        save_timeline(timeline, path, format_name)
        return read_turns(path, timeline.source, timeline.duration_s)


def in_ms(segments: tuple[Segment, ...]) -> list[tuple[int, int, str, str]]:
    return sorted((round(1000 * part.start_s), round(1000 * part.end_s), part.speaker, part.text) for part in segments)


@every_format
@settings(max_examples=25, deadline=None)
@given(segments=st.lists(turns(), min_size=1, max_size=6))
@example(segments=[Segment(0, 2, None, "anna"), Segment(1, 3, None, "anna"), Segment(1.5, 4, None, "anna")])
@example(segments=[Segment(0, 2), Segment(1, 3, make_prediction("sad")), Segment(5, 6, None, "", "well, yes")])
def test_turns_are_the_same(format_name: str, segments: list[Segment]) -> None:
    if format_name in ("csv", "jsonl"):  # where a segment without any content is a pause
        segments = [part for part in segments if part.is_speech or part.speaker or part.text]
    if format_name == "rttm":  # which has no words
        segments = [replace(part, text="") for part in segments]
    ordered = sorted(segments, key=lambda turn: (turn.start_s, turn.end_s))
    if ordered:
        timeline = make_timeline(*ordered, duration_s=DURATION_S, turns=True)
        assert in_ms(give_back(timeline, format_name)) == in_ms(timeline.segments)


@pytest.mark.parametrize("dialect", list(DIALECTS))
def test_tables_in_any_dialect(dialect: str, tmp_path: Path) -> None:
    """Read names and words as they were, also those that Excel would run as formulas."""
    rows = [(0.5, 1.25, "=cmd()", "+1"), (1.25, 2, "-anna", "@ben"), (2, 3.001, "a;b,c", "'tis"), (3.5, 4, "'=x", "")]
    segments = [Segment(start, end, make_prediction("sad"), speaker, text) for start, end, speaker, text in rows]
    timeline = make_timeline(*segments[: len(rows) - (dialect != "plain")], duration_s=DURATION_S, turns=True)
    with (tmp_path / "talk.csv").open("w", encoding="utf-8", newline="") as stream:
        timeline_csv.write(timeline, stream, dialect=DIALECTS[dialect])
    assert in_ms(read_turns(tmp_path / "talk.csv", timeline.source, DURATION_S)) == in_ms(timeline.segments)


@every_format
def test_pauses_are_no_turns(format_name: str) -> None:
    assert in_ms(give_back(plain_timeline(), format_name)) == [(1000, 3250, "", ""), (3250, 5000, "", "")]


@every_format
def test_channels_are_speakers(format_name: str) -> None:
    timeline = channels_timeline("agent", "customer", "third")
    assert in_ms(give_back(timeline, format_name)) == [(0, 1000, "agent", ""), (500, 1500, "customer", "")]


def test_other_programs_read_the_same_turns(tmp_path: Path) -> None:
    """Find the turns of each speaker with praatio and pympi, in the tiers of the emotions."""
    timeline = turns_timeline("Anna", "Ben Weber")
    for format_name in ("textgrid", "elan"):
        save_timeline(timeline, tmp_path / f"talk{get_timeline_format(format_name).suffix}", format_name)
    grid = textgrid.openTextgrid(str(tmp_path / "talk.TextGrid"), includeEmptyIntervals=False)
    document = Eaf(str(tmp_path / "talk.eaf"))
    expected = {
        "emotion@Anna": [(500, 1500)],
        "emotion 2@Anna": [(750, 2000)],
        "emotion@Ben Weber": [(1000, 2000), (5500, 6000)],
    }
    found = {name: grid.getTier(name).entries for name in grid.tierNames if name.startswith("emotion")}
    in_tiers = {
        name: [tuple(round(1000 * time_s) for time_s in row[:2]) for row in rows] for name, rows in found.items()
    }
    assert in_tiers == expected
    tiers = {name: document.get_annotation_data_for_tier(name) for name in document.get_tier_names()}
    assert {name: [row[:2] for row in rows] for name, rows in tiers.items() if name.startswith("emotion")} == expected


def test_tiers_that_a_person_added_are_not_read(tmp_path: Path) -> None:
    timeline = turns_timeline("Anna", "Ben Weber")
    praat, elan = tmp_path / "talk.TextGrid", tmp_path / "talk.eaf"
    save_timeline(timeline, praat, "textgrid")
    save_timeline(timeline, elan, "elan")
    grid = textgrid.openTextgrid(str(praat), includeEmptyIntervals=True)
    grid.addTier(textgrid.IntervalTier("notes", [(0, 3, "check this")], 0, timeline.duration_s))
    grid.save(str(praat), "long_textgrid", includeBlankSpaces=True)
    document = Eaf(str(elan))
    document.add_tier("notes")
    document.add_annotation("notes", 0, 3000, "check this")
    document.to_file(str(elan))
    for path in (praat, elan):
        file, labels, _ = read_labelled_turns(path, timeline.source, timeline.duration_s)
        assert in_ms(file.turns) == in_ms(timeline.segments)
        assert [label.name for label in labels] == ["angry", "happy", "angry", None]
