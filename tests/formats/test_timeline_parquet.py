"""A timeline as Parquet, read back by pyarrow: every segment again, to the last bit."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from timelines import TIMELINES, every_timeline, plain

from overtone.datatypes import Prediction
from overtone.errors import MissingExtraError
from overtone.formats import save_timeline, timeline_parquet
from overtone.timeline import Segment, Timeline, Tracks

pyarrow = pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")


def table_of(given: Timeline, path: Path):
    import pyarrow.parquet

    save_timeline(given, path, "parquet")
    return pyarrow.parquet.read_table(path)


def without_lone_bytes(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


@every_timeline
def test_every_segment_comes_back(given: Timeline, tmp_path: Path) -> None:
    table = table_of(given, tmp_path / "talk.parquet")
    whole = json.loads(table.schema.metadata[b"overtone"])
    assert whole == {"duration_s": given.duration_s, "emotions": list(given.emotions), "turns_given": given.turns_given}
    assert table.num_rows == len(given.segments)
    for row, segment in zip(table.to_pylist(), given.segments, strict=True):
        assert (row["path"], row["model"]) == (without_lone_bytes(given.source), given.model)
        assert (row["start_s"], row["end_s"]) == (segment.start_s, segment.end_s)
        assert row["speaker"] == without_lone_bytes(segment.speaker)
        answer = segment.prediction
        if answer is None:
            said = {name for name, value in row.items() if value is not None}
            assert said == {"path", "model", "start_s", "end_s", "speaker", "speech"} and row["speech"] is False
        else:
            assert (row["speech"], row["emotion"], row["uncertain"]) == (True, answer.emotion, answer.uncertain)
            assert row["confidence"] == answer.confidence
            assert [row[f"p_{emotion}"] for emotion in given.emotions] == answer.probabilities.tolist()


def test_branches_and_what_was_measured_come_back(tmp_path: Path) -> None:
    emotions = ("sad", "angry")
    parts = {"mel": np.array([0.2, 0.8]), "prosody": np.array([0.6, 0.4])}
    known = Prediction(emotions, np.array([0.3, 0.7]), parts, 1, {"pitch_median_hz": 1 / 3})
    unknown = Prediction(emotions, np.array([0.5, 0.5]), parts, 1, {})
    segments = (Segment(0, 3, known, "Anna"), Segment(3, 6, unknown, "Ben"))
    curves = Tracks(0.1, np.full((60, 2), 0.5), np.zeros(60), np.zeros(60))
    first, second = table_of(Timeline("a.wav", 6, emotions, "m", segments, curves), tmp_path / "a.parquet").to_pylist()
    assert (first["mel_p_sad"], first["prosody_p_angry"], first["pitch_median_hz"]) == (0.2, 0.4, 1 / 3)
    assert (second["mel_p_angry"], second["pitch_median_hz"]) == (0.8, None)


def test_columns_have_types_even_where_nothing_is_said(tmp_path: Path) -> None:
    schema = table_of(TIMELINES["nothing"], tmp_path / "nothing.parquet").schema
    kinds = {name: str(schema.field(name).type) for name in schema.names}
    assert kinds == {
        **dict.fromkeys(("path", "model", "speaker", "emotion"), "string"),
        **dict.fromkeys(("start_s", "end_s", "confidence"), "double"),
        **dict.fromkeys(("speech", "uncertain"), "bool"),
        **dict.fromkeys((f"p_{emotion}" for emotion in TIMELINES["nothing"].emotions), "double"),
    }


def test_the_same_timeline_is_the_same_file(tmp_path: Path) -> None:
    for name in "ab":
        save_timeline(plain(), tmp_path / name, "parquet")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'overtone\[parquet\]'"):
        timeline_parquet.write(plain(), io.TextIOWrapper(io.BytesIO()))
