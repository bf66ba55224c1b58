"""The network that is read back from a model file predicts as the file does, without the folder of its encoder."""

from pathlib import Path

import pytest
import torch
from small_corpus import Corpus

from overtone.audio.decode import read_utterance
from overtone.errors import ModelError
from overtone.inference.bundled_models import model_path
from overtone.training.onnx_export import TOLERANCE, agreement
from overtone.training.onnx_import import import_onnx


@pytest.fixture(autouse=True)
def no_encoder_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OVERTONE_ENCODERS", str(tmp_path))


def test_the_bundled_model_read_back_gives_the_same_probabilities(ravdess_folder: Path) -> None:
    from overtone.audio.decode import read

    imported = import_onnx(model_path("overtone"))
    clips = [read(path) for path in sorted((ravdess_folder / "Actor_01").iterdir())[:2]]
    compared = agreement(imported.model, imported.content, clips)  # of adapted probabilities too
    assert compared.difference < TOLERANCE and not compared.faults
    assert len(imported.mlps) == imported.architecture.recipe.members == 5


def test_an_exported_model_read_back_gives_the_same_probabilities(encoder_model: Path, corpus: Corpus) -> None:
    imported = import_onnx(encoder_model)
    compared = agreement(imported.model, imported.content, [read_utterance(clip) for clip in corpus.clips[:3]])
    assert compared.difference < TOLERANCE and not compared.faults
    other = imported.mlps[1].embed[1].weight
    assert not torch.equal(imported.mlps[0].embed[1].weight, other)


def test_a_model_of_another_architecture_is_refused() -> None:
    with pytest.raises(
        ModelError, match=r"lite\.onnx: of another architecture, with the branches mel, prosody"
    ) as error:
        import_onnx(model_path("lite"))
    assert "such as 'overtone'" in str(error.value)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(ModelError, match="not a model, or damaged"):
        import_onnx(path)
    with pytest.raises(ModelError, match=r"missing\.onnx: the model cannot be read"):
        import_onnx(tmp_path / "missing.onnx")
