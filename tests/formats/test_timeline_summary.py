"""The summary table, and the dialects of CSV that R, pandas and Excel read."""

import csv
import io
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from timelines import EMOTIONS, NASTY_NAMES, make_prediction, make_timeline, plain_timeline, turns_timeline

from overtone.errors import OptionError
from overtone.formats import save, save_timeline
from overtone.formats.csv_dialect import BYTE_ORDER_MARK, DIALECTS
from overtone.shares import ShareEstimate
from overtone.timeline import Segment, Timeline


def estimated() -> Timeline:
    """Return a timeline of two speakers with estimates, the second of whom is uncertain throughout."""
    segments = (
        Segment(0, 1.5, make_prediction("happy", 0.9), "Anna"),
        Segment(1.5, 2, make_prediction("sad", 0.4), "Anna", text="=1+1"),
        Segment(2, 6, make_prediction("sad", 0.4), "=Ben"),
    )
    estimates = tuple(ShareEstimate(value, value / 2, 1.0) for value in (0.4, 0.3, 0.2, 0.1))
    return replace(make_timeline(*segments), share_estimates=(estimates,) * 3, no_estimates="")


def read(path: Path, dialect: str = "plain") -> list[dict[str, str]]:
    text = path.read_text("utf-8", "surrogateescape").removeprefix(BYTE_ORDER_MARK)
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=DIALECTS[dialect].separator))


def test_a_row_per_speaker_and_emotion_and_the_recording(tmp_path: Path) -> None:
    save_timeline(estimated(), tmp_path / "s.csv", "summary")
    rows = read(tmp_path / "s.csv")
    assert [(row["of"], row["speaker"], row["emotion"]) for row in rows] == [
        *(("speaker", name, emotion) for name in ("=Ben", "Anna") for emotion in EMOTIONS),
        *(("recording", "", emotion) for emotion in EMOTIONS),
    ]
    ben, anna, whole = (rows[start : start + 4] for start in (0, 4, 8))
    assert [float(row["share"]) for row in anna] == [0, 0.75, 0, 0] and anna[0]["uncertain_share"] == "0.250000"
    assert {row["uncertain_share"] for row in ben} == {"1.000000"}
    assert whole[1]["share"] == "0.250000" and (whole[0]["segments"], whole[0]["speech_s"]) == ("3", "6.000")
    assert [whole[0][f"estimate{bound}"] for bound in ("", "_low", "_high")] == ["0.400000", "0.200000", "1.000000"]
    for group in (ben, anna, whole):
        assert sum(float(row["share"]) for row in group) + float(group[0]["uncertain_share"]) == pytest.approx(1)


def test_without_speakers_there_are_rows_of_the_recording_alone(tmp_path: Path) -> None:
    save_timeline(plain_timeline(), tmp_path / "s.csv", "summary")
    rows = read(tmp_path / "s.csv")
    assert [row["of"] for row in rows] == ["recording"] * len(EMOTIONS)
    assert {row["estimate"] for row in rows} == {""}
    assert {row["no_estimate"] for row in rows} == {"the timeline was made without a model file"}


@pytest.mark.parametrize("format_name", ["csv", "summary"])
def test_a_german_table_has_the_same_content(tmp_path: Path, format_name: str) -> None:
    for timeline in (estimated(), turns_timeline(*NASTY_NAMES)):
        for dialect in DIALECTS:
            save_timeline(timeline, tmp_path / dialect, format_name, dialect=dialect)
        plain, german = (read(tmp_path / name, name) for name in ("plain", "excel-de"))
        assert (tmp_path / "excel-de").read_bytes().startswith(b"\xef\xbb\xbf")
        for row, other in zip(plain, german, strict=True):
            assert list(row) == list(other)
            for name, value in row.items():
                is_text = name in ("path", "speaker", "text", "model")
                expected = f"'{value}" if value.startswith("=") else value if is_text else value.replace(".", ",")
                assert other[name] == expected


def test_an_unknown_dialect_suggests_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="unknown dialect 'excel-fr'; did you mean 'excel"):
        save_timeline(estimated(), tmp_path / "s.csv", "csv", dialect="excel-fr")


def test_predictions_have_dialects_too(tmp_path: Path) -> None:
    prediction = replace(make_prediction("happy", 0.8), source="=a.wav", columns={"age": 41.5, "name": "1.5 m"})
    save([prediction], tmp_path / "p.csv", "csv", dialect="excel-de")
    (row,) = read(tmp_path / "p.csv", "excel-de")
    assert (row["age"], row["name"], row["path"], row["confidence"]) == ("41,5", "1.5 m", "'=a.wav", "0,800000")


def test_pandas_reads_every_dialect(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    for name, dialect in DIALECTS.items():
        save_timeline(estimated(), tmp_path / name, "csv", dialect=name)
        encoding = "utf-8-sig" if dialect.for_excel else "utf-8"
        table = pandas.read_csv(tmp_path / name, sep=dialect.separator, decimal=dialect.decimal, encoding=encoding)
        assert table["end_s"].tolist() == [1.5, 2.0, 6.0]
        assert table["uncertain"].tolist() == [False, True, True]
        assert table["p_happy"].tolist() == pytest.approx([0.9, 0.2, 0.2])


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="needs Rscript: apt-get install r-base-core")
def test_r_reads_every_dialect(tmp_path: Path) -> None:
    readers = {"plain": "read.csv({})", "excel-de": "read.csv2({}, fileEncoding='UTF-8-BOM')"}
    for name, reader in readers.items():
        save_timeline(estimated(), tmp_path / name, "csv", dialect=name)
        table = reader.format(repr(str(tmp_path / name)))
        code = f"d <- {table}; cat(names(d)[1], sum(d$end_s), sum(d$uncertain == 'true'))"
        result = subprocess.run(["Rscript", "-e", code], capture_output=True, text=True, check=True)
        assert result.stdout == "path 9.5 2"
