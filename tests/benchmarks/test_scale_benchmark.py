"""The benchmark of many nodes believes no batch that lost an input, has one twice, or answers otherwise."""

import shutil
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

pytest.importorskip("librosa", reason="librosa comes with the [dev] extra")
pa = pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")

import pyarrow.parquet  # noqa: E402

from benchmarks import scale  # noqa: E402


def answered(folder: Path, *parts: list[str], emotion: str = "sad") -> None:
    """A dataset of answers to these numbers."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    (folder / "out" / "answers").mkdir(parents=True)
    for place, numbers in enumerate(parts):
        table = pa.table({"number": pa.array(numbers, pa.string()), "emotion": [emotion] * len(numbers)})
        pyarrow.parquet.write_table(table, folder / "out" / "answers" / f"part-{place:05}.parquet")


def test_clips_are_inputs_once_each(tmp_path: Path) -> None:
    scale.Batch(tmp_path, [tmp_path / "a.wav", tmp_path / "b.wav", tmp_path / "a.wav"])
    lines = (tmp_path / "inputs.csv").read_text().split()
    assert lines == ["path,number", f"{tmp_path}/a.wav,0", f"{tmp_path}/b.wav,1", f"{tmp_path}/a.wav,2"]


def test_only_what_is_whole_and_the_same_counts(tmp_path: Path) -> None:
    batch = scale.Batch(tmp_path, [tmp_path / "a.wav"] * 3)
    answered(tmp_path, ["0", "1"], ["2"])
    batch.check("1 node")
    assert (batch.lost, batch.twice) == (0, 0)
    assert batch.bytes == sum(file.stat().st_size for file in (tmp_path / "out" / "answers").iterdir())
    answered(tmp_path, ["0", "1"], ["2"], emotion="calm")
    with pytest.raises(SystemExit, match="2 nodes: other answers than in the run before: nothing written"):
        batch.check("2 nodes")
    for parts, told in (((["0"], ["2"]), "1 inputs lost, 0 there twice"), ((["0", "1"], ["1", "2"]), "0 .* 1 there")):
        answered(tmp_path, *parts)
        with pytest.raises(SystemExit, match=told):
            scale.Batch(tmp_path, [tmp_path / "a.wav"] * 3).check("1 node")
