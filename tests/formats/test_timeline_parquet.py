"""pyarrow reads a timeline written as Parquet without loss."""

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from timelines import TIMELINES, every_timeline, plain_timeline

from overtone.datatypes import Prediction
from overtone.errors import MissingExtraError
from overtone.formats import save_timeline, timeline_parquet
from overtone.timeline import Segment, Timeline, Tracks

pyarrow = pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")


def read_table(timeline: Timeline, path: Path):
    import pyarrow.parquet

    save_timeline(timeline, path, "parquet")
    return pyarrow.parquet.read_table(path)


def escape_surrogates(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


@every_timeline
def test_segments_are_lossless(timeline: Timeline, tmp_path: Path) -> None:
    table = read_table(timeline, tmp_path / "talk.parquet")
    metadata = json.loads(table.schema.metadata[b"overtone"])
    assert metadata == {
        "duration_s": timeline.duration_s,
        "emotions": list(timeline.emotions),
        "turns_given": timeline.turns_given,
        "adaptation": "none",
        **({"channels": [channel.speaker for channel in timeline.channels]} if timeline.channels else {}),
    }
    assert table.num_rows == len(timeline.segments)
    for row, segment in zip(table.to_pylist(), timeline.segments, strict=True):
        assert (row["path"], row["model"]) == (escape_surrogates(timeline.source), timeline.model)
        assert (row["start_s"], row["end_s"]) == (segment.start_s, segment.end_s)
        assert (row["speaker"], row["text"]) == (escape_surrogates(segment.speaker), segment.text)
        prediction = segment.prediction
        decision = (segment.is_speech, segment.emotion or None, segment.decided_by, segment.model_emotion or None)
        assert tuple(row[name] for name in ("speech", "emotion", "decided_by", "model_emotion")) == decision
        if prediction is None and not segment.by_person:
            filled = {name for name, value in row.items() if value is not None}
            assert (
                filled == {"path", "model", "start_s", "end_s", "speaker", "text", "speech", "decided_by"}
                and row["speech"] is False
            )
        elif prediction is not None:
            assert row["uncertain"] == prediction.uncertain
            assert row["confidence"] == prediction.confidence
            assert row["reference_clips"] == prediction.reference_clips
            assert [row[f"p_{emotion}"] for emotion in timeline.emotions] == prediction.probabilities.tolist()


def test_branches_and_prosody_are_lossless(tmp_path: Path) -> None:
    emotions = ("sad", "angry")
    branches = {"mel": np.array([0.2, 0.8]), "prosody": np.array([0.6, 0.4])}
    measured = Prediction(emotions, np.array([0.3, 0.7]), branches, 1, {"pitch_median_hz": 1 / 3})
    measured = replace(measured, speech_s=2 / 3, arousal=0.1 + 0.2, valence=0.7)
    unmeasured = Prediction(emotions, np.array([0.5, 0.5]), branches, 1, {})
    segments = (Segment(0, 3, measured, "Anna"), Segment(3, 6, unmeasured, "Ben"))
    tracks = Tracks(0.1, np.full((60, 2), 0.5), *np.zeros((4, 60)))
    timeline = Timeline("a.wav", 6, emotions, "m", segments, tracks)
    first, second = read_table(timeline, tmp_path / "a.parquet").to_pylist()
    assert (first["mel_p_sad"], first["prosody_p_angry"], first["pitch_median_hz"]) == (0.2, 0.4, 1 / 3)
    assert (second["mel_p_angry"], second["pitch_median_hz"]) == (0.8, None)
    assert [first[name] for name in ("speech_s", "arousal", "valence")] == [2 / 3, 0.1 + 0.2, 0.7]
    assert [second[name] for name in ("speech_s", "arousal", "valence")] == [None, None, None]


def test_columns_are_typed_even_without_segments(tmp_path: Path) -> None:
    schema = read_table(TIMELINES["nothing"], tmp_path / "nothing.parquet").schema
    types = {name: str(schema.field(name).type) for name in schema.names}
    assert types == {
        **dict.fromkeys(("path", "model", "speaker", "text", "emotion", "decided_by", "model_emotion"), "string"),
        **dict.fromkeys(("start_s", "end_s", "confidence", "speech_s", "arousal", "valence"), "double"),
        **dict.fromkeys(("speech", "uncertain"), "bool"),
        "reference_clips": "int64",
        **dict.fromkeys((f"p_{emotion}" for emotion in TIMELINES["nothing"].emotions), "double"),
    }


def test_equal_timelines_give_equal_files(tmp_path: Path) -> None:
    for name in "ab":
        save_timeline(plain_timeline(), tmp_path / name, "parquet")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_missing_pyarrow_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'overtone\[parquet\]'"):
        timeline_parquet.write(plain_timeline(), io.TextIOWrapper(io.BytesIO()))
