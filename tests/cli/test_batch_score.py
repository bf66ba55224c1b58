"""`overtone batch --score`: what is printed and written."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model

from overtone.cli.main import main
from overtone.corpora.ravdess import EMOTIONS

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model and an audio file."""
    folder = tmp_path_factory.mktemp("work")
    tiny_model.write(folder / "tiny.onnx")
    soundfile.write(folder / "long.wav", np.random.default_rng(3).normal(0, 0.2, 30 * RATE_HZ), RATE_HZ)
    return folder


def batch(work: Path, out: Path, rows: list[str], *options: str) -> int:
    (work / "m.csv").write_text("\n".join(["path;emotion;end_s;site", *rows]), "utf-8")
    return main(
        [
            "batch",
            str(work / "m.csv"),
            "--output",
            str(out),
            "--model",
            str(work / "tiny.onnx"),
            "--processes",
            "1",
            *options,
        ]
    )


def test_the_score_is_printed_and_written(work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"long.wav;{EMOTIONS[k % 3]};{k + 1};{k % 2}" for k in range(12)]
    rows += ["long.wav;\"so\nso, 'غاضب'\";1;", "gone.wav;sad;;", "long.wav;;1;1"]
    assert batch(work, tmp_path / "out", rows, "--score-by", "site") == 1
    out = capsys.readouterr().out
    text = " ".join(out.split())
    for line in (
        "Score of 12 predictions by the column 'given_emotion'",
        "Not recognised, and so not scored: 1.",
        "Left out without a label: 1.",
        "Left out with a label that the model does not have: 1 (1 x 'so so, 'غاضب'').",
        "by bootstrap over clips, as speakers are not known",
    ):
        assert line in text
    score = json.loads((tmp_path / "out" / "score.json").read_text("utf-8"))
    assert (score["failures"], score["unlabelled"], sum(score["unknown_labels"].values())) == (1, 1, 1)
    assert score["all"]["n"] == 12 and score["by"]["site"]["0"]["n"] == score["by"]["site"]["1"]["n"] == 6
    assert np.shape(score["all"]["confusion"]) == (len(EMOTIONS), len(EMOTIONS))
    assert f"all 12 ? {100 * score['all']['uar']['value']:.1f} [" in text
    written = (tmp_path / "out" / "score.json").read_bytes()
    assert batch(work, tmp_path / "out", rows, "--score-by", "site") == 1  # it is not run again
    assert (capsys.readouterr().out, (tmp_path / "out" / "score.json").read_bytes()) == (out, written)


def test_hundreds_of_values_are_counted(work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"long.wav;sad;{1 + k / 10:.1f};site {k}" for k in range(30)]
    assert batch(work, tmp_path / "out", rows, "--score", "--score-by", "site") == 0
    assert f"The 20 most frequent of 30 values; all of them: {tmp_path}/out/score.json" in " ".join(
        capsys.readouterr().out.split()
    )
    assert len(json.loads((tmp_path / "out" / "score.json").read_text("utf-8"))["by"]["site"]) == 30


def test_the_channels_of_a_manifest_are_scored_separately(work: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(4).normal(0, 0.2, (2 * RATE_HZ, 2))
    soundfile.write(work / "stereo.wav", noise, RATE_HZ)
    rows = [f"stereo.wav,{EMOTIONS[k % 2]},{side}" for k, side in enumerate(("left", "right", "left"))]
    (work / "sides.csv").write_text("\n".join(["path,emotion,channel", *rows]), "utf-8")
    options = ["--output", str(tmp_path / "out"), "--model", str(work / "tiny.onnx"), "--score-by", "channel"]
    assert main(["batch", str(work / "sides.csv"), "--processes", "1", *options]) == 0
    score = json.loads((tmp_path / "out" / "score.json").read_text("utf-8"))
    assert {name: group["n"] for name, group in score["by"]["channel"].items()} == {"left": 2, "right": 1}


def test_a_score_without_labels_is_a_usage_error(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["batch", str(work / "long.wav"), "--output", str(tmp_path / "out"), "--score"]
    assert main(command) == 2
    assert "the inputs have no labels, which a score needs" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_score_on_training_data_is_called_so(work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "03-01-05-02-01-01-01.wav"  # of RAVDESS, which is in the card of the model
    (work / name).write_bytes((work / "long.wav").read_bytes())
    assert batch(work, tmp_path / "out", [f"{name};sad;1;", "long.wav;happy;1;", f"{name};;1;"], "--score") == 0
    warning = json.loads((tmp_path / "out" / "score.json").read_text("utf-8"))["warning"]
    assert warning.startswith("1 of 2 clips were used to train this model")
    assert f"overtone: warning: {warning}\n" in capsys.readouterr().err
    assert batch(work, tmp_path / "other", ["long.wav;sad;1;"], "--score") == 0
    assert json.loads((tmp_path / "other" / "score.json").read_text("utf-8"))["warning"] is None
    assert "warning" not in capsys.readouterr().err
