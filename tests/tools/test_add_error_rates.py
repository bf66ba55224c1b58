"""The tool writes error rates into the card of a model file, and changes nothing else."""

from pathlib import Path

import numpy as np
import pytest
import tiny_model

from overtone.corpora.ravdess import EMOTIONS
from overtone.evaluation import oof_files
from overtone.inference.recogniser import load
from tools.add_error_rates import main


@pytest.fixture
def oof(tmp_path: Path, rng: np.random.Generator) -> Path:
    """A folder with random predictions for four corpora of two speakers."""
    rows = [
        (f"{speaker}-{number}", corpus, speaker, "", corpus, 0, name, *rng.dirichlet(np.ones(len(EMOTIONS))))
        for corpus in "abcd"
        for speaker in "xy"
        for name in EMOTIONS
        for number in [f"{name}-1", f"{name}-2"]
    ]
    path = oof_files.csv_path(tmp_path / "oof", "unseen-corpus", "tiny", "fusion")
    path.parent.mkdir()
    oof_files.write(oof_files.from_rows(EMOTIONS, rows), path)
    return path.parent


def test_the_card_gets_the_rates_and_the_file_a_new_checksum(tmp_path: Path, oof: Path) -> None:
    old, new = tiny_model.write(tmp_path / "old.onnx"), tmp_path / "new.onnx"
    options = ["--recipe", "tiny", "--without", "c", "--oof", str(oof), "--output", str(new)]
    assert main([str(old), *options]) == 0
    before, after = load(old), load(new)
    assert list(after.card["error_rates"]["parts"]["fusion"]["rates"]) == ["a", "b", "d"]
    assert {key: value for key, value in after.card.items() if key != "error_rates"} == before.card
    samples = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    assert after.recognise(samples, 16_000).probabilities == pytest.approx(
        before.recognise(samples, 16_000).probabilities
    )


def test_faults_are_reported(tmp_path: Path, oof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tiny_model.write(tmp_path / "m.onnx")
    assert main([str(model), "--recipe", "other", "--oof", str(oof)]) == 1
    assert "no predictions of recipe 'other' on unseen corpora" in capsys.readouterr().err
    model.write_bytes(model.read_bytes()[:-1])
    assert main([str(model), "--recipe", "tiny", "--oof", str(oof)]) == 1
    assert "m.onnx" in capsys.readouterr().err
