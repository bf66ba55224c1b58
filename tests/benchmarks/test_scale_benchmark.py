"""The cluster benchmark rejects a batch with a lost or duplicated input or with different predictions."""

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


def write_predictions(folder: Path, *parts: list[str], emotion: str = "sad") -> None:
    """Write a dataset of predictions for the inputs with these numbers."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    (folder / "out" / "predictions").mkdir(parents=True)
    for index, numbers in enumerate(parts):
        table = pa.table({"number": pa.array(numbers, pa.string()), "emotion": [emotion] * len(numbers)})
        pyarrow.parquet.write_table(table, folder / "out" / "predictions" / f"part-{index:05}.parquet")


def test_the_manifest_has_one_row_per_clip(tmp_path: Path) -> None:
    scale.Batch(tmp_path, [tmp_path / "a.wav", tmp_path / "b.wav", tmp_path / "a.wav"])
    lines = (tmp_path / "inputs.csv").read_text().split()
    assert lines == ["path,number", f"{tmp_path}/a.wav,0", f"{tmp_path}/b.wav,1", f"{tmp_path}/a.wav,2"]


def test_incomplete_duplicated_or_different_predictions_are_rejected(tmp_path: Path) -> None:
    batch = scale.Batch(tmp_path, [tmp_path / "a.wav"] * 3)
    write_predictions(tmp_path, ["0", "1"], ["2"])
    batch.check("1 node")
    assert (batch.lost, batch.duplicated) == (0, 0)
    assert batch.bytes == sum(file.stat().st_size for file in (tmp_path / "out" / "predictions").iterdir())
    write_predictions(tmp_path, ["0", "1"], ["2"], emotion="calm")
    with pytest.raises(SystemExit, match=r"2 nodes: predictions differ .*: nothing written"):
        batch.check("2 nodes")
    for parts, message in (
        ((["0"], ["2"]), "1 inputs lost, 0 duplicated"),
        ((["0", "1"], ["1", "2"]), "0 inputs lost, 1 duplicated"),
    ):
        write_predictions(tmp_path, *parts)
        with pytest.raises(SystemExit, match=message):
            scale.Batch(tmp_path, [tmp_path / "a.wav"] * 3).check("1 node")
