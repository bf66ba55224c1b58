"""The output folder of a batch is refused, and left as it is, if it holds anything else or is in use."""

from pathlib import Path

import pytest

from overtone.batch.checkpoint import BatchCheckpoint, open_checkpoint
from overtone.errors import OvertoneError

FINGERPRINT = {"model": "m", "inputs": "i", "format": "csv"}


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def write_files(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


def finish_batch(folder: Path, **changes: str) -> None:
    with open_checkpoint(folder, FINGERPRINT | changes) as (checkpoint, report):
        if report is None:
            checkpoint.finish(FINGERPRINT | changes, {"predictions": 1, "failures": 0})


@pytest.mark.parametrize(
    "old_files",
    [
        {"parts/plan.json": '{"model": "m", "form": "csv"}', "parts/00000.jsonl": '{"error": "x"}\n'},
        {"batch.json": '{"model": "m", "form": "csv", "answers": 1, "failures": 0}', "answers.csv": "path\n"},
    ],
    ids=["interrupted", "finished"],
)
def test_a_folder_of_an_earlier_version_is_refused(tmp_path: Path, old_files: dict[str, str]) -> None:
    write_files(tmp_path / "out", old_files)
    with pytest.raises(OvertoneError, match=r"out: .* an earlier version of Overtone; choose another output folder$"):
        finish_batch(tmp_path / "out")
    assert contents(tmp_path / "out") == old_files


@pytest.mark.parametrize("name", ["predictions.csv", "parts/take.wav"])
def test_a_folder_with_other_files_is_refused(tmp_path: Path, name: str) -> None:
    write_files(tmp_path / "out", {name: "keep"})
    with pytest.raises(OvertoneError, match=rf"out: contains other files \({Path(name).name}\)"):
        finish_batch(tmp_path / "out")
    assert contents(tmp_path / "out") == {name: "keep"}
    assert (tmp_path / "out" / "parts").exists() == name.startswith("parts/")


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    with (
        BatchCheckpoint(tmp_path / "out").lock(),
        pytest.raises(OvertoneError, match="out: another process is using"),
    ):
        finish_batch(tmp_path / "out")


def test_a_finished_batch_is_recognised_and_another_one_refused(tmp_path: Path) -> None:
    finish_batch(tmp_path / "out")
    (tmp_path / "out" / "parts").mkdir()  # killed before it removed the parts
    finish_batch(tmp_path / "out")
    files = contents(tmp_path / "out")
    assert list(files) == ["batch.json"] and not (tmp_path / "out" / "parts").exists()
    with pytest.raises(OvertoneError, match="out: the batch in this folder differs in model, inputs; choose another"):
        finish_batch(tmp_path / "out", model="n", inputs="j")
    assert contents(tmp_path / "out") == files
