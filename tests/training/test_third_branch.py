"""A third branch is one registry row: it is registered here, trained, exported and used for inference."""

from pathlib import Path

import numpy as np
import pytest
import small_corpus
import torch
from small_corpus import Corpus
from torch import Tensor, nn

import overtone
from overtone.features.front_end import ExtraFeature, Features
from overtone.formats import save
from overtone.models import build
from overtone.models.branches import BRANCHES, Branch
from overtone.recipe import Recipe, read_recipe
from overtone.training.export import export_run
from overtone.training.run_config import RunConfig
from overtone.training.train import train

pytestmark = pytest.mark.slow
PROJECT = Path(__file__).resolve().parents[2]
HOP_SAMPLES = 400
RECIPE = f"""
name = "three-branches"
epochs = 2
wave_variants = 1
mask_count = 1
{small_corpus.COMMON.replace("mask_count = 0", "")}
[branches]
mel = "paper-cnn"
prosody = "paper-mlp"
crossings = "linear"
"""


class ZeroCrossings(nn.Module):
    """Zero-crossing rate per 25 ms, `(batch, frames, 1)`: a feature at a frame rate of its own."""

    def forward(self, waveform: Tensor) -> Tensor:
        changes = (waveform[:, 1:].sign() != waveform[:, :-1].sign()).to(waveform.dtype)
        return nn.functional.avg_pool1d(changes[:, None], HOP_SAMPLES, HOP_SAMPLES, ceil_mode=True).transpose(1, 2)


class LinearBranch(nn.Module):
    """Mean zero-crossing rate -> one linear layer."""

    embedding = 4

    def __init__(self, emotions: int, dropout: float) -> None:
        super().__init__()
        self.embed = nn.Linear(1, self.embedding)
        self.classifier = nn.Linear(self.embedding, emotions)

    def fit(self, training: list[Features]) -> None:
        assert all("crossings" in features.extra for features in training)

    def inputs(self, features: Features) -> tuple[Tensor, ...]:
        return (features.extra["crossings"].mean(1),)

    def forward(self, rate: Tensor) -> tuple[Tensor, Tensor]:
        embedding = self.embed(rate).relu()
        return embedding, self.classifier(embedding)


def test_a_third_branch_is_one_registry_row(
    one_thread: None, smaller_corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    augmented = []

    def augment(inputs: tuple[Tensor, ...], recipe: Recipe, rng: np.random.Generator) -> tuple[Tensor, ...]:
        augmented.append(len(inputs[0]))
        return inputs

    feature = ExtraFeature(ZeroCrossings, hop_samples=HOP_SAMPLES)
    row = Branch(networks={"linear": LinearBranch}, augment=augment, features=lambda network: {"crossings": feature})
    monkeypatch.setitem(BRANCHES, "crossings", row)

    config = RunConfig(small_corpus.recipe(RECIPE), "luna5", "1", 0)
    folder = train(smaller_corpus.clips, config, tmp_path / "run", cache=tmp_path / "cache")
    assert sum(augmented) > 0
    assert (folder / "predictions-crossings.csv").is_file() and (folder / "figures" / "curves-crossings.png").is_file()

    model = export_run(smaller_corpus.clips, folder, model_id="three")
    recogniser = overtone.load(model)
    assert recogniser.branches == ("mel", "prosody", "crossings")
    assert "crossings" in {row["part"] for row in recogniser.card["scores"]}

    prediction = recogniser.recognise(smaller_corpus.clips[0].path)
    assert set(prediction.branches) == {"mel", "prosody", "crossings"}
    assert not np.allclose(prediction.branches["crossings"], prediction.branches["mel"])
    save([prediction], tmp_path / "predictions.csv", "csv")
    assert "crossings" in (tmp_path / "predictions.csv").read_text("utf-8").splitlines()[0]


def test_frames_of_a_feature_are_cropped_with_the_speech() -> None:
    """The crop covers the same time at any frame rate."""
    from overtone.training.feature_cache import ClipFeatures

    loudness_db = np.full(100, -80.0)
    loudness_db[40:60] = -20
    tracks = np.stack([np.zeros(100), np.zeros(100), loudness_db], axis=-1)
    seconds = np.arange(64, dtype=np.float32)[:, None] * HOP_SAMPLES / 16_000
    clip = ClipFeatures(np.zeros((100, 4)), tracks, np.zeros(3), {"clock": seconds, "id": np.ones((1, 2))})
    extra = {"clock": ExtraFeature(nn.Identity, hop_samples=HOP_SAMPLES), "id": ExtraFeature(nn.Identity)}
    cropped = clip.around_speech(5, extra)
    assert len(cropped.tracks) == 30
    assert cropped.extra["clock"][0, 0] == pytest.approx(35 * 256 / 16_000, abs=HOP_SAMPLES / 16_000)
    assert cropped.extra["clock"][-1, 0] == pytest.approx(65 * 256 / 16_000, abs=2 * HOP_SAMPLES / 16_000)
    assert cropped.extra["id"].shape == (1, 2)
    assert torch.equal(torch.from_numpy(cropped.log_mel), torch.zeros(30, 4))


def test_the_recipe_of_all_branches_builds_each_of_them(small_encoder: str) -> None:
    recipe = read_recipe(PROJECT / "experiments" / "recipes" / "three-branches.toml")
    assert recipe.fusion == "weighted" and recipe.branches["encoder"] == small_encoder
    network = build(recipe, emotions=4)
    assert tuple(network.branches) == tuple(BRANCHES) == ("mel", "prosody", "encoder")
