"""The bundled model is never sure of the emotion of an animal or a household, in `predict` and `batch` alike."""

import json
from pathlib import Path

import everyday_sounds
import non_speech
import numpy as np
import pytest
import soundfile

from overtone.cli.main import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sounds")
    for name, samples in everyday_sounds.make_sounds(np.random.default_rng(0)).items():
        background = 1e-4 * np.random.default_rng(1).standard_normal(len(samples))
        loud = non_speech.at_level(samples + background, -20)
        soundfile.write(folder / f"{name}.wav", loud, everyday_sounds.RATE_HZ, subtype="FLOAT")
    return folder


def test_predict(folder: Path, tmp_path: Path) -> None:
    assert main(["predict", str(folder), "--output", str(tmp_path / "out.jsonl")]) == 0
    predictions = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert len(predictions) == len(list(folder.iterdir())) > 10
    assert [row["path"] for row in predictions if not row["uncertain"]] == []


@pytest.mark.slow
def test_batch(folder: Path, tmp_path: Path) -> None:
    assert main(["batch", str(folder), "--output", str(tmp_path), "--format", "jsonl", "--processes", "1"]) == 0
    predictions = [json.loads(line) for line in (tmp_path / "predictions.jsonl").read_text("utf-8").splitlines()]
    assert len(predictions) == len(list(folder.iterdir()))
    assert [row["path"] for row in predictions if not row["uncertain"]] == []
