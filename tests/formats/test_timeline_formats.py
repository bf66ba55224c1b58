import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from overtone.datatypes import Prediction
from overtone.errors import OptionError
from overtone.formats import TIMELINE_FORMATS, get_timeline_format, save_timeline
from overtone.timeline import ChannelTracks, Segment, Timeline, Tracks

EMOTIONS = ("neutral", "happy", "angry")


def make_timeline(source: str = "talk.wav", speakers: tuple[str, str] = ("anna", "ben\n")) -> Timeline:
    first = Prediction(
        EMOTIONS,
        np.array([0.2, 0.7, 0.1]),
        {"mel": np.array([1.0, 0, 0])},
        2,
        {"pitch_median_hz": 212.4},
        speech_s=1.792,
        arousal=0.9,
    )
    second = Prediction(EMOTIONS, np.array([0.35, 0.25, 0.4]), uncertain_below=0.5)
    probabilities = np.full((35, 3), np.nan, np.float32)
    probabilities[10:] = (0.25, 0.5, 0.25)
    arousal, valence = np.where(np.isnan(probabilities[:, 0]), np.nan, 0.25), np.full(35, np.nan)
    tracks = Tracks(0.1, probabilities, np.linspace(0, 200, 35), np.linspace(-90, -20, 35), arousal, valence)
    segments = (Segment(0, 1), Segment(1, 3, first, speakers[0]), Segment(3, 3.4567, second, speakers[1]))
    return Timeline(source, 3.4567, EMOTIONS, "tiny-1", segments, tracks)


def format_text(name: str, timeline: Timeline, encoding: str = "utf-8") -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="", errors="backslashreplace")
    get_timeline_format(name).write(timeline, stream)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def test_json_contains_the_whole_timeline() -> None:
    timeline = make_timeline()
    fields = json.loads(format_text("json", timeline))
    assert (fields["path"], fields["duration_s"], fields["model"]) == ("talk.wav", 3.457, "tiny-1")
    assert fields["emotions"] == list(EMOTIONS) and fields["turns_given"] is False
    assert [(row["start_s"], row["end_s"], row["speech"]) for row in fields["segments"]] == [
        (0, 1, False), (1, 3, True), (3, 3.457, True),
    ]  # fmt: skip
    silent, happy, angry = fields["segments"]
    assert set(silent) == {"start_s", "end_s", "speaker", "text", "speech", "decided_by"}
    assert (happy["emotion"], happy["confidence"], happy["speaker"]) == ("happy", 0.7, "anna")
    assert happy["prosody"] == {"pitch_median_hz": 212.4} and happy["branches"]["mel"]["neutral"] == 1
    assert (happy["uncertain"], angry["uncertain"]) == (False, True)
    assert (happy["speech_s"], angry["speech_s"]) == (1.792, None)
    assert (happy["arousal"], happy["valence"], angry["arousal"]) == (0.9, None, None)
    assert fields["tracks"]["arousal"] == [None] * 10 + [0.25] * 25
    assert fields["tracks"]["valence"] == [None] * 35
    assert [row["speech_s"] for row in fields["speakers"]] == [0, 2, 0.457]
    assert fields["speakers"][0]["probabilities"]["happy"] is None
    assert fields["speakers"][1]["shares"] == {"neutral": 0, "happy": 1, "angry": 0}
    assert [row["uncertain_share"] for row in fields["speakers"]] == [0, 0, 1]
    assert fields["summary"]["speech_s"] == pytest.approx(2.457)
    assert fields["summary"]["estimates"] == {} and fields["no_estimates"]
    assert fields["tracks"]["step_s"] == 0.1
    assert fields["tracks"]["probabilities"]["happy"] == [None] * 10 + [0.5] * 25
    assert fields["tracks"]["loudness_db"] == pytest.approx(timeline.tracks.loudness_db, abs=0.051)
    assert fields["tracks"]["pitch_hz"] == pytest.approx(timeline.tracks.pitch_hz, abs=0.051)


def test_jsonl_has_a_line_per_segment() -> None:
    timeline = make_timeline()
    rows = [json.loads(line) for line in format_text("jsonl", timeline).splitlines()]
    recording = {"path": "talk.wav", "model": "tiny-1"}
    assert rows == [{**recording, **segment} for segment in json.loads(format_text("json", timeline))["segments"]]


def test_csv_has_a_row_per_segment() -> None:
    rows = list(csv.DictReader(io.StringIO(format_text("csv", make_timeline()), newline="")))
    assert [(row["start_s"], row["end_s"]) for row in rows] == [
        ("0.000", "1.000"),
        ("1.000", "3.000"),
        ("3.000", "3.457"),
    ]
    assert [row["emotion"] for row in rows] == ["", "happy", "angry"]
    assert [row["uncertain"] for row in rows] == ["", "false", "true"]
    assert [row["speech_s"] for row in rows] == ["", "1.792", ""]
    assert [row["arousal"] for row in rows] == ["", "0.900", ""]
    assert [row["p_angry"] for row in rows] == ["", "0.100000", "0.400000"]
    assert [row["speaker"] for row in rows] == ["", "anna", "ben\n"]
    assert {row["path"] for row in rows} == {"talk.wav"}


def test_the_table_is_for_people() -> None:
    lines = format_text("table", make_timeline()).splitlines()
    assert lines[0] == "talk.wav  0:03.4"
    assert lines[2].split() == ["from", "to", "speaker", "emotion", "confidence", "runner-up", "pitch"]
    assert lines[3].split() == ["0:00.0", "0:01.0", "-"]
    assert lines[4].split() == ["0:01.0", "0:03.0", "anna", "happy", "█████▋", "70%", "neutral", "20%", "212", "Hz"]
    assert "uncertain (angry)" in lines[5] and "ben\\n" in lines[5]
    assert lines[7:] == [
        "anna: 2.0 s of speech: happy 100 %",
        "ben\\n: 0.5 s of speech: uncertain 100 %",
        "recording: 2.5 s of speech: happy 81 %, uncertain 19 %",
        "no estimates of the true shares: the timeline was made without a model file",
        "",
    ]


def test_words_are_in_every_text_format() -> None:
    timeline = make_timeline()
    spoken = "well, \u201cyes\u201d and so on, " * 4
    timeline = replace(timeline, segments=(*timeline.segments[:2], replace(timeline.segments[2], text=spoken.strip())))
    assert [row["text"] for row in json.loads(format_text("json", timeline))["segments"]] == ["", "", spoken.strip()]
    rows = csv.DictReader(io.StringIO(format_text("csv", timeline), newline=""))
    assert [row["text"] for row in rows] == ["", "", spoken.strip()]
    lines = format_text("table", timeline).splitlines()
    assert lines[2].endswith("  pitch   text")
    assert lines[5].endswith(f"  {spoken[:59].rstrip()}…")
    assert all(line == line.rstrip() for line in lines)


def test_the_table_needs_neither_speakers_nor_block_characters() -> None:
    text = format_text("table", make_timeline(speakers=("", "")), "ascii")
    assert "speaker" not in text and "#" in text and "\\u" not in text
    assert text.splitlines()[-3] == "recording: 2.5 s of speech: happy 81 %, uncertain 19 %"


@pytest.mark.parametrize("format_name", TIMELINE_FORMATS)
def test_formats_save_complete_files_under_any_source_name(format_name: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{get_timeline_format(format_name).suffix}"
    for source in ("声.wav", "line\nbreak.wav", "not-utf8-\udcff.wav", 'with "quotes", commas.wav'):
        save_timeline(make_timeline(source), path, format_name)
        assert path.read_bytes().endswith((b"\n", b"IEND\xaeB`\x82", b"PAR1"))
    assert list(tmp_path.iterdir()) == [path]


def test_an_unknown_format_suggests_the_nearest() -> None:
    with pytest.raises(OptionError, match=r"'jsn'.*'json'"):
        get_timeline_format("jsn")


def channels_timeline() -> Timeline:
    """Return the timeline of two channels that are speakers, of which the second has no speech."""
    timeline = make_timeline()
    (segment,) = (replace(part, speaker="agent") for part in timeline.segments[1:2])
    nothing = replace(timeline.tracks, probabilities=np.full_like(timeline.tracks.probabilities, np.nan))
    channels = (ChannelTracks("agent", timeline.tracks), ChannelTracks('a "customer", \u00e4', nothing))
    return replace(timeline, segments=(segment,), channels=channels, adaptation="speakers")


def test_json_has_the_tracks_of_each_channel() -> None:
    found = json.loads(format_text("json", channels_timeline()))
    assert [channel["speaker"] for channel in found["channels"]] == ["agent", 'a "customer", \u00e4']
    assert found["channels"][0]["tracks"] == found["tracks"]
    assert set(found["channels"][1]["tracks"]["probabilities"]["happy"]) == {None}
    assert [(row["speaker"], row["speech_s"]) for row in found["speakers"]] == [
        ("agent", 2.0),
        ('a "customer", \u00e4', 0.0),
    ]
    assert "channels" not in json.loads(format_text("json", make_timeline()))


def test_a_table_names_a_channel_without_speech() -> None:
    text = format_text("table", channels_timeline())
    assert 'a "customer", \u00e4: 0.0 s of speech\n' in text
    assert "adapted to each speaker" in text
