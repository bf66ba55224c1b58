"""A new contour is one file and one registry row: it is registered here, trained, exported and used for inference."""

from pathlib import Path

import numpy as np
import pytest
import small_corpus
import torch
from small_corpus import Corpus
from torch import Tensor, nn

import overtone
from overtone.datatypes import Waveform
from overtone.errors import OptionError
from overtone.features.contours import CONTOURS, contour_feature
from overtone.features.front_end import FrontEnd
from overtone.features.spectrum import SAMPLE_RATE_HZ, PowerSpectrum, frames, hops
from overtone.training.export import export_run
from overtone.training.feature_cache import load_features
from overtone.training.feature_extraction import extract
from overtone.training.run_config import RunConfig
from overtone.training.train import train

FFT_SAMPLES = 512
RECIPE = f"""
name = "with-centroid"
epochs = 2
wave_variants = 1
{small_corpus.COMMON}
[branches]
mel = ""
prosody = "NETWORK+centroid"
"""


class Centroid(nn.Module):
    """Waveform `(batch, samples)` -> centre of the power spectrum in kHz, `(batch, frames)`."""

    khz: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.power = PowerSpectrum(FFT_SAMPLES, range(1, FFT_SAMPLES // 2))
        khz = torch.tensor(self.power.bins) * (SAMPLE_RATE_HZ / FFT_SAMPLES / 1000)
        self.register_buffer("khz", khz, persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        power = self.power(*frames(hops(waveform), 2).chunk(2, dim=-1))
        return (power @ self.khz) / power.sum(-1).clamp(min=1e-9)


@pytest.fixture
def row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The contour in the registry."""
    monkeypatch.setitem(CONTOURS, "centroid", Centroid)


@pytest.mark.slow
@pytest.mark.parametrize("network", ["contour-cnn", "statistics-mlp"])
def test_a_contour_is_one_registry_row(
    network: str, row: None, one_thread: None, smaller_corpus: Corpus, tmp_path: Path
) -> None:
    recipe = small_corpus.recipe(RECIPE.replace("NETWORK", network))
    folder = train(smaller_corpus.clips, RunConfig(recipe, "luna5", "1", 0), tmp_path / "run", cache=tmp_path / "cache")
    model = export_run(smaller_corpus.clips, folder, model_id="with-centroid")
    recogniser = overtone.load(model)
    assert recogniser.card["recipe"]["branches"] == {"prosody": f"{network}+centroid"}
    prediction = recogniser.recognise(smaller_corpus.clips[0].path)
    assert sum(prediction.probabilities) == pytest.approx(1, abs=1e-5)

    assert Centroid().khz.numpy().tobytes() in model.read_bytes(), "the exported graph computes the contour"


def test_values_follow_the_sound(row: None) -> None:
    times_s = np.arange(8000) / SAMPLE_RATE_HZ
    for hz in (500.0, 3000.0):
        tone = np.sin(2 * np.pi * hz * times_s).astype(np.float32)
        features = FrontEnd({"centroid": contour_feature("centroid")})(torch.from_numpy(tone)[None])
        assert features.extra["centroid"].shape == features.pitch_hz.shape
        assert float(features.extra["centroid"][0, 10:-10].mean()) == pytest.approx(hz / 1000, abs=0.15)


def test_cached_features_without_the_contour_stay_valid(row: None, smaller_corpus: Corpus, tmp_path: Path) -> None:
    clips = smaller_corpus.clips[:3]
    load_features(clips, 0, tmp_path)
    (plain,) = (tmp_path / "features").iterdir()
    extra = {"centroid": contour_feature("centroid")}
    store = load_features(clips, 0, tmp_path, extra=extra)
    assert plain.is_file() and len(list((tmp_path / "features").iterdir())) == 2
    clip = store.clip(1)
    assert clip.extra["centroid"].shape == (len(clip.tracks),)
    cropped = clip.around_speech(2, extra)
    assert len(cropped.extra["centroid"]) == len(cropped.tracks) < len(clip.tracks)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (lambda waveform: waveform[:, ::100], "feature 'wrong' has 80 frames where the front end has 32"),
        (lambda waveform: waveform[:, : 8000 // 256 + 1].log(), "feature 'wrong' is NaN or infinite"),
    ],
    ids=["frames", "nan"],
)
def test_a_wrong_layer_is_named(layer: object, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(nn.Module):
        def forward(self, waveform: Tensor) -> Tensor:
            assert callable(layer)
            return layer(waveform)

    monkeypatch.setitem(CONTOURS, "wrong", Wrong)
    samples = np.random.default_rng(0).standard_normal(8000).astype(np.float32)
    with pytest.raises(OptionError, match=message):
        extract([Waveform(samples)], 0, lambda *_: None, {"wrong": contour_feature("wrong")})
