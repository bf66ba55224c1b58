"""`overtone compare` with models, which recognise the clips of --data."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model
from compared_predictions import CLIPS, SPEAKERS, change, make, write_run
from synthetic_audio import RATE_HZ, voice

from overtone.cli.main import main
from overtone.evaluation.oof_files import select

PROJECT = Path(__file__).resolve().parent.parent.parent
ALL = SPEAKERS * CLIPS
TRAINING_PACKAGES = ("torch", "librosa", "scipy", "sklearn", "matplotlib", "onnx", "onnxscript", "safetensors")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return a finished run folder."""
    return write_run(tmp_path / "runs" / "mine", make(1, sharpness=2.5))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a manifest of twelve clips, whose ids are those of the first speaker of the synthetic predictions."""
    folder = tmp_path / "clips"
    (folder / "0").mkdir(parents=True)
    truth = make().truth[:CLIPS].tolist()
    for k in range(CLIPS):
        soundfile.write(folder / "0" / f"{k}.wav", voice(100.0 + 20 * k, 0.6, 0.03 * (k + 1)), RATE_HZ, "FLOAT")
    lines = [f"0/{k}.wav,{truth[k]},s{k % 3}\n" for k in range(CLIPS)]
    (folder / "manifest.csv").write_text("path,emotion,speaker\n" + "".join(lines), encoding="utf-8")
    return folder / "manifest.csv"


@pytest.fixture
def models(tmp_path: Path) -> tuple[Path, Path]:
    """Return two model files with the same weights, of which the second has a threshold."""
    (tmp_path / "models").mkdir()
    return (
        tiny_model.write(tmp_path / "models" / "one.onnx", training_data=[]),
        tiny_model.write(tmp_path / "models" / "other.onnx", training_data=[], uncertain_below=0.4),
    )


def compare(capsys: pytest.CaptureFixture[str], *arguments: object, exit_code: int = 0) -> tuple[str, str]:
    """Run the command, and return its stdout and stderr."""
    assert main(["compare", *map(str, arguments)]) == exit_code
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_models_recognise_the_clips(models: tuple[Path, Path], data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = compare(capsys, *models, "--data", f"manifest={data}", "--format", "json")
    values = json.loads(out)
    assert err == "manifest: 12 clips\n"
    assert [model["name"] for model in values["models"]] == ["one", "other"]
    samples = [soundfile.read(data.parent / "0" / f"{k}.wav")[0] for k in range(CLIPS)]
    predicted = [tiny_model.card()["emotions"][int(np.argmax(tiny_model.expected(clip)))] for clip in samples]
    hits = np.array(predicted) == make().truth[:CLIPS]
    assert values["models"][0]["wa"]["value"] == pytest.approx(np.mean(hits), abs=1e-9)
    assert values["clips"] == CLIPS
    assert [model["uncertain_below"] for model in values["models"]] == [[0.0, 0.0], [0.4, 0.4]]
    assert values["pairs"][0]["p"] == 1


def test_a_model_and_a_run_on_the_clips_of_both(
    models: tuple[Path, Path], data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = make(1, corpus="manifest")
    run = write_run(tmp_path / "mine", select(table, table.path != "0/3"))
    out, _ = compare(capsys, models[0], run, "--data", data, "--corpus", "manifest", "--format", "json")
    values = json.loads(out)
    assert values["clips"] == CLIPS - 1
    assert values["left_out"] == {"without a prediction of one": ALL - CLIPS, "without a prediction of mine": 1}


def test_clips_of_classes_that_a_model_lacks(
    models: tuple[Path, Path], data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = data.read_text("utf-8")
    data.write_text(table.replace("0/1.wav,neutral", "0/1.wav,bored"), encoding="utf-8")
    values = json.loads(compare(capsys, *models, "--data", f"manifest={data}", "--format", "json")[0])
    assert values["left_out"] == {"of class bored, which not all models have": 1}


def test_a_clip_with_another_class_in_stored_predictions_is_counted_once(
    models: tuple[Path, Path], data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data.write_text(data.read_text("utf-8").replace("0/1.wav,neutral", "0/1.wav,bored"), encoding="utf-8")
    run = write_run(tmp_path / "mine", make(1, corpus="manifest"))
    values = json.loads(compare(capsys, run, models[0], "--data", f"manifest={data}", "--format", "json")[0])
    assert values["clips"] == CLIPS - 1
    assert values["left_out"] == {"without a prediction of one": ALL - CLIPS + 1}


def test_a_clip_that_cannot_be_recognised_is_reported(
    models: tuple[Path, Path], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data.parent / "0" / "1.wav").write_bytes(b"RIFF")
    out, err = compare(capsys, *models, "--data", f"manifest={data}", "--format", "json", exit_code=1)
    assert json.loads(out)["left_out"] == {"that could not be recognised": 1}
    assert [line.partition(":")[0] for line in err.splitlines()] == ["manifest", "overtone", "overtone"]
    assert "1.wav" in err and err.endswith("overtone: 1 clip could not be recognised\n")
    run = write_run(data.parent / "mine", make(1, corpus="manifest"))
    out, _ = compare(capsys, run, models[0], "--data", f"manifest={data}", "--format", "json", exit_code=1)
    assert json.loads(out)["left_out"] == {"without a prediction of one": ALL - CLIPS + 1}


def test_a_model_that_was_trained_on_the_clips_is_a_warning(
    tmp_path: Path, models: tuple[Path, Path], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"corpus": "manifest", "clips": 99, "speakers": 3, "licence": "yours", "citation": ""}
    trained = tiny_model.write(tmp_path / "trained.onnx", training_data=[row])
    out, _ = compare(capsys, models[0], trained, "--data", f"manifest={data}", "--format", "json")
    assert json.loads(out)["warnings"] == [
        "trained: trained on manifest (99 clips), perhaps on some or all of 12 test clips and their speakers"
    ]


def test_a_bundled_model_by_name_with_a_folder_of_the_same_name(
    models: tuple[Path, Path],
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "lite").mkdir()
    monkeypatch.chdir(tmp_path)
    out, _ = compare(capsys, "lite", models[0], "--data", f"manifest={data}", "--format", "json")
    assert [model["name"] for model in json.loads(out)["models"]] == ["lite", "one"]


def test_nothing_but_the_output_is_written(
    run: Path, data: Path, models: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(run, make(1, corpus="manifest"))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    compare(capsys, run, models[0], "--data", f"manifest={data}")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_no_package_of_the_training_is_needed(run: Path, data: Path, models: tuple[Path, Path]) -> None:
    write_run(run, make(1, corpus="manifest"))
    arguments = ["compare", str(run), str(models[0]), "--data", f"manifest={data}"]
    program = f"import sys; sys.modules.update(dict.fromkeys({TRAINING_PACKAGES!r}))\n"
    program += f"from overtone.cli.main import main\nsys.exit(main({arguments!r}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=PROJECT)
    assert (done.returncode, done.stderr) == (0, "manifest: 12 clips\n")
    assert done.stdout.startswith("Comparison of mine, one\n")


def test_no_clip_of_the_data_in_common_is_an_error(
    run: Path, data: Path, models: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_run(run, change(make(1), path=np.char.add("x", make(1).path)))
    _, err = compare(capsys, other, models[0], "--data", f"manifest={data}", exit_code=1)
    assert err.splitlines()[1].startswith("overtone: no clip can be compared (12 without a prediction of mine); ")
