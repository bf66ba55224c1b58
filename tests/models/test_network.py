"""Complete networks: shapes of inputs and outputs, and changes that must not affect a prediction."""

from collections.abc import Callable

import numpy as np
import pytest
import synthetic_audio
import torch
from tiny_training import make_store

from overtone.datatypes import Waveform
from overtone.features.front_end import Features
from overtone.features.spectrum import HOP_SAMPLES
from overtone.models import build
from overtone.models.network import Network
from overtone.recipe import FUSION, read_recipe
from overtone.training.batches import collate

RECIPES = ("base", "paper")
Networks = Callable[[str], Network]
Outputs = dict[str, torch.Tensor]


def run(network: Network, *clips: np.ndarray) -> Outputs:
    """Return the outputs of the network for clips of one length, by name."""
    with torch.inference_mode():
        outputs = network(torch.from_numpy(np.stack(clips)))
    return dict(zip(network.output_names, outputs, strict=True))


def probabilities(outputs: Outputs) -> torch.Tensor:
    """Return the probabilities of the fusion and both branches, `(parts, batch, emotions)`."""
    return torch.stack([outputs[name] for name in ("probabilities", "mel_probabilities", "prosody_probabilities")])


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("duration_s", [0.5, 3.0, 30.0])
def test_clips_of_any_length_give_probabilities(
    network: Networks, rng: np.random.Generator, recipe: str, duration_s: float
) -> None:
    clip = synthetic_audio.speech_like(rng, duration_s, padding_s=0.1)
    found = run(network(recipe), clip, clip)
    frames = synthetic_audio.frame_count(len(clip))
    assert probabilities(found).shape == (3, 2, 8)
    assert found["pitch_hz"].shape == found["loudness_db"].shape == (2, frames)
    assert {found[name].shape for name in ("tempo_bpm", "speech_rate_hz", "pause_ratio")} == {(2,)}
    assert all(torch.isfinite(values).all() for values in found.values())
    torch.testing.assert_close(probabilities(found).sum(-1), torch.ones(3, 2))


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_parts_give_different_probabilities(network: Networks, clips: list[np.ndarray], recipe: str) -> None:
    fused, mel, prosody = probabilities(run(network(recipe), clips[2]))
    for one, other in ((fused, mel), (fused, prosody), (mel, prosody)):
        assert (one - other).abs().max() > 1e-3


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("kind", ["zeros", "constant", "one sample", "loud noise"])
def test_audio_without_speech_gives_finite_outputs(
    network: Networks, rng: np.random.Generator, recipe: str, kind: str
) -> None:
    clip = synthetic_audio.silence(1)
    if kind == "constant":
        clip += 0.5
    elif kind == "one sample":
        clip[8000] = 1
    elif kind == "loud noise":
        clip += rng.uniform(-1, 1, len(clip)).astype(np.float32)
    found = run(network(recipe), clip)
    assert all(torch.isfinite(values).all() for values in found.values())
    torch.testing.assert_close(probabilities(found).sum(-1), torch.ones(3, 1))


@pytest.mark.parametrize("recipe", RECIPES)
def test_clips_of_a_batch_do_not_affect_each_other(network: Networks, rng: np.random.Generator, recipe: str) -> None:
    clips = [synthetic_audio.speech_like(rng, 1.2) for _ in range(3)]
    in_batch = probabilities(run(network(recipe), *clips))
    for index, clip in enumerate(clips):
        single = probabilities(run(network(recipe), clip))
        torch.testing.assert_close(in_batch[:, index], single[:, 0], atol=1e-5, rtol=0)
    assert (in_batch[:, 0] - in_batch[:, 1]).abs().max() > 1e-3


def test_probabilities_do_not_depend_on_the_other_clips_of_the_batch(
    network: Networks, clips: list[np.ndarray], rng: np.random.Generator
) -> None:
    """Clips of different lengths and speech onsets: evaluation in batches equals inference with single clips."""
    moved = [np.pad(clip, (int(rng.integers(0, 9000)), 0)) for clip in clips]
    store = make_store([Waveform(samples) for samples in moved])
    base = network("base")
    with torch.inference_mode():
        logits = base.logits(base.inputs(collate([store.clip(index) for index in range(len(moved))])))
        for index, clip in enumerate(moved):
            single = probabilities(run(base, clip))
            for part, found in zip((FUSION, "mel", "prosody"), single, strict=True):
                expected = logits[part][index].softmax(-1)
                torch.testing.assert_close(found[0], expected, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("recipe", RECIPES)
def test_speech_up_to_the_end_of_a_clip_in_a_batch(network: Networks, rng: np.random.Generator, recipe: str) -> None:
    """As in windows of a recording: nothing follows the last frame of the shorter speech."""
    speech = [synthetic_audio.speech_like(rng, duration_s, padding_s=0.0)[-16_000:] for duration_s in (1.5, 0.5)]
    windows = [np.pad(clip, (16_000 - len(clip), 0)) for clip in speech]
    in_batch = probabilities(run(network(recipe), *windows))
    for index, clip in enumerate(windows):
        single = probabilities(run(network(recipe), clip))
        torch.testing.assert_close(in_batch[:, index], single[:, 0], atol=1e-5, rtol=0)


@pytest.mark.parametrize(("before_hops", "after_s"), [(0, 2.0), (40, 0.0), (120, 3.0)])
def test_silence_around_the_speech_changes_little(
    network: Networks, clips: list[np.ndarray], before_hops: int, after_s: float
) -> None:
    """The layers are masked to the speech; strides and the tempo, which uses the whole clip, cause small changes."""
    for clip in clips:
        longer = np.concatenate(
            [np.zeros(before_hops * HOP_SAMPLES, np.float32), clip, synthetic_audio.silence(after_s)]
        )
        single, padded = (probabilities(run(network("base"), samples)) for samples in (clip, longer))
        assert (single - padded).abs().max() < 0.02


def test_gain_changes_the_prosody_branch_but_not_the_mel_branch(network: Networks, clips: list[np.ndarray]) -> None:
    clip = clips[3]
    _, mel, prosody = probabilities(run(network("base"), clip))
    _, mel_quieter, prosody_quieter = probabilities(run(network("base"), clip * np.float32(0.5)))
    assert (mel - mel_quieter).abs().max() < 0.02
    assert (prosody - prosody_quieter).abs().max() > 1e-3


@pytest.mark.parametrize("recipe", RECIPES)
def test_fusion_sends_no_gradient_into_the_branches(recipe: str, network: Networks, batch: Features) -> None:
    model = network(recipe)
    model.zero_grad()
    model.logits(model.inputs(batch))["fusion"].square().sum().backward()
    for part in model.parts:
        gradients = [p.grad for p in model.part(part).parameters()]
        if part == FUSION:
            assert all(g is not None and g.abs().sum() > 0 for g in gradients)
        else:
            assert all(g is None or not g.any() for g in gradients)
    model.zero_grad()


def test_the_bundled_network_is_small() -> None:
    """The package has a limit of 10 MB; the front end takes 2 MB of the file."""
    parameters = sum(parameter.numel() for parameter in build(read_recipe("base"), 8).parameters())
    assert 4 * parameters < 7e6


def test_reduced_precision_is_for_training_only(network: Networks, batch: Features) -> None:
    model = network("base")
    assert model.precision is torch.bfloat16
    with torch.inference_mode():
        inputs = model.inputs(batch)
        exact = model.logits(inputs)["mel"]
        model.training = True  # of the network alone: dropout and batch normalisation stay in eval mode
        try:
            reduced = model.logits(inputs)["mel"]
        finally:
            model.training = False
    assert exact.dtype == reduced.dtype == torch.float32
    assert 0 < (exact - reduced).abs().max() < 0.5


def test_initial_weights_depend_on_the_seed_alone() -> None:
    states = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        states.append(build(read_recipe("base"), 8).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert any(not torch.equal(states[0][name], states[2][name]) for name in states[0])
