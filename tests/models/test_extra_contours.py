"""Networks whose name lists contours: their inputs, and that networks without any stay as they are."""

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from overtone.errors import OptionError
from overtone.features.contours import CONTOURS
from overtone.features.front_end import Features, speech_frames
from overtone.models import build
from overtone.models.branches import build_branch
from overtone.models.extra_contours import contour_features, split_name
from overtone.models.network import Network
from overtone.models.prosody_cnn import MARGIN_FRAMES, SUMMARIES, TRACKS
from overtone.recipe import Recipe, read_recipe


class Ramp(nn.Module):
    """The number of each frame: a contour whose values are known."""

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, waveform: Tensor) -> Tensor:
        frames = torch.arange(waveform.shape[1] // 256 + 1, dtype=torch.float32)
        return (self.factor * frames).expand(len(waveform), -1)


@pytest.fixture(autouse=True)
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two contours in the registry."""
    monkeypatch.setitem(CONTOURS, "ramp", Ramp)
    monkeypatch.setitem(CONTOURS, "fall", lambda: Ramp(-2.0))


def recipe(network: str) -> Recipe:
    return dataclasses.replace(read_recipe("base"), branches={"prosody": network}, phases=())


def with_ramps(batch: Features) -> Features:
    ramp = torch.arange(batch.inside.shape[1], dtype=torch.float32).expand(len(batch.inside), -1)
    return batch._replace(extra={"ramp": ramp, "fall": -2 * ramp})


def fitted(network: str, batch: Features) -> tuple[Network, Features]:
    torch.manual_seed(0)
    made = build(recipe(network), 4)
    features = with_ramps(batch)
    made.fit_normalisers({"prosody": [features]})
    return made.eval(), features


def test_the_cnn_takes_standardised_contours_after_its_own(batch: Features) -> None:
    network, features = fitted("contour-cnn+ramp+fall", batch)
    tracks, summaries, inside = network.branch("prosody").train().inputs(features)
    assert tracks.shape[1] == TRACKS + 2 and summaries.shape[1] == SUMMARIES + 4
    plain = fitted("contour-cnn", batch)[0].branch("prosody").train().inputs(batch)
    torch.testing.assert_close(tracks[:, :TRACKS], plain[0])
    torch.testing.assert_close(summaries[:, :SUMMARIES], plain[1])
    ramp = tracks[:, TRACKS][inside]
    assert abs(float(ramp.mean())) < 1e-5 and abs(float(ramp.std()) - 1) < 1e-5
    torch.testing.assert_close(tracks[:, TRACKS + 1], -tracks[:, TRACKS])
    assert not tracks[:, TRACKS:].transpose(1, 2)[~inside].any(), "0 after the end of a shorter clip"


def test_the_mlp_takes_mean_and_spread_of_each_contour(batch: Features) -> None:
    network, features = fitted("statistics-mlp+ramp", batch)
    statistics, _ = network.branch("prosody").inputs(features)
    mask = speech_frames(features, MARGIN_FRAMES)
    for row, clip in zip(statistics, mask, strict=True):
        spoken = clip.nonzero()[:, 0].to(torch.float32)
        torch.testing.assert_close(row[-2:], torch.stack([spoken.mean(), spoken.std(correction=0)]), atol=1e-3, rtol=0)


@pytest.mark.parametrize("network", ["contour-cnn+ramp", "statistics-mlp+ramp"])
def test_every_contour_affects_the_probabilities(network: str, batch: Features) -> None:
    made, features = fitted(network, batch)
    changed = features._replace(extra={"ramp": features.extra["ramp"] ** 1.5})
    with torch.inference_mode():
        before, after = (made.logits(made.inputs(values))["fusion"] for values in (features, changed))
    assert (after - before).abs().max() > 1e-4


def test_a_padded_batch_equals_single_clips(batch: Features, single: list[Features]) -> None:
    made, features = fitted("contour-cnn+ramp", batch)
    with torch.inference_mode():
        logits = made.logits(made.inputs(features))["prosody"]
        for index, clip in enumerate(single):
            alone = made.logits(made.inputs(with_ramps(clip)))["prosody"]
            torch.testing.assert_close(alone[0], logits[index], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["contour-cnn", "statistics-mlp"])
def test_a_network_without_contours_has_the_weights_of_former_versions(name: str) -> None:
    state = build(recipe(name), 4).state_dict()
    assert not [key for key in state if "contour" in key]
    width = {"contour-cnn": TRACKS, "statistics-mlp": 128}[name]
    key = {"contour-cnn": "convolutions.0.weight", "statistics-mlp": "embed.1.bias"}[name]
    values = state[f"branches.prosody.{key}"]
    assert values.shape[1 if name == "contour-cnn" else 0] == width


def test_contours_are_features_of_the_front_end() -> None:
    assert split_name("contour-cnn+ramp+fall") == ("contour-cnn", ("ramp", "fall"))
    assert list(contour_features("contour-cnn+ramp+fall")) == ["ramp", "fall"]
    assert contour_features("contour-cnn") == {}


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("contour-cnn+rampe", "no contour 'rampe'; did you mean 'ramp'"),
        ("contour-cnn+", "no contour ''"),
        ("contour-cnn+ramp+ramp", "lists a contour twice"),
        ("kontour-cnn+ramp", "recipe base: no prosody network 'kontour-cnn'; did you mean 'contour-cnn'"),
        ("paper-mlp+ramp", "recipe base: paper-mlp takes no contours, unlike contour-cnn, statistics-mlp"),
    ],
)
def test_names_that_do_not_fit_are_refused(network: str, message: str) -> None:
    with pytest.raises(OptionError, match=message.replace("+", r"\+")):
        build(recipe(network), 4)


def test_the_log_mel_branch_takes_no_contours() -> None:
    with pytest.raises(OptionError, match=r"no mel network 'residual-cnn\+ramp'"):
        build_branch(
            "mel", dataclasses.replace(read_recipe("base"), branches={"mel": "residual-cnn+ramp"}, phases=()), 4
        )
