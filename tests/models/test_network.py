"""Both recipes' networks as wholes: what goes in and comes out, and what must not change an answer."""

from collections.abc import Callable

import numpy as np
import pytest
import sounds
import torch
from tiny_training import store_of

from overtone.datatypes import Waveform
from overtone.features.front_end import Features
from overtone.features.spectrum import HOP_SAMPLES
from overtone.models import build
from overtone.models.network import Network, Outputs
from overtone.recipe import PARTS, read_recipe
from overtone.training.batches import collate

RECIPES = ("overtone", "paper")
Networks = Callable[[str], Network]


def answers(network: Network, *clips: np.ndarray) -> Outputs:
    with torch.inference_mode():
        return network(torch.from_numpy(np.stack(clips)))


def probabilities(found: Outputs) -> torch.Tensor:
    """Of all three parts, `(parts, batch, emotions)`."""
    return torch.stack(found[:3])


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("duration_s", [0.5, 3.0, 30.0])
def test_any_length_is_answered(network: Networks, rng: np.random.Generator, recipe: str, duration_s: float) -> None:
    clip = sounds.speech_like(rng, duration_s, around_s=0.1)
    found = answers(network(recipe), clip, clip)
    frames = sounds.frame_count(len(clip))
    assert probabilities(found).shape == (3, 2, 8)
    assert found.pitch_hz.shape == found.loudness_db.shape == (2, frames)
    assert found.tempo_bpm.shape == found.speech_rate_hz.shape == found.pause_ratio.shape == (2,)
    assert all(torch.isfinite(values).all() for values in found)
    torch.testing.assert_close(probabilities(found).sum(-1), torch.ones(3, 2))


@pytest.mark.parametrize("recipe", RECIPES)
def test_parts_give_answers_of_their_own(network: Networks, clips: list[np.ndarray], recipe: str) -> None:
    fused, mel, prosody = probabilities(answers(network(recipe), clips[2]))
    for one, other in ((fused, mel), (fused, prosody), (mel, prosody)):
        assert (one - other).abs().max() > 1e-3


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("kind", ["zeros", "constant", "one sample", "loud noise"])
def test_sound_without_speech_gives_a_finite_answer(
    network: Networks, rng: np.random.Generator, recipe: str, kind: str
) -> None:
    clip = sounds.silence(1)
    if kind == "constant":
        clip += 0.5
    elif kind == "one sample":
        clip[8000] = 1
    elif kind == "loud noise":
        clip += rng.uniform(-1, 1, len(clip)).astype(np.float32)
    found = answers(network(recipe), clip)
    assert all(torch.isfinite(values).all() for values in found)
    torch.testing.assert_close(probabilities(found).sum(-1), torch.ones(3, 1))


@pytest.mark.parametrize("recipe", RECIPES)
def test_clips_of_a_batch_do_not_touch(network: Networks, rng: np.random.Generator, recipe: str) -> None:
    several = [sounds.speech_like(rng, 1.2) for _ in range(3)]
    together = probabilities(answers(network(recipe), *several))
    for index, clip in enumerate(several):
        alone = probabilities(answers(network(recipe), clip))
        torch.testing.assert_close(together[:, index], alone[:, 0], atol=1e-5, rtol=0)
    assert (together[:, 0] - together[:, 1]).abs().max() > 1e-3


def test_an_answer_does_not_depend_on_who_is_in_the_batch(
    network: Networks, clips: list[np.ndarray], rng: np.random.Generator
) -> None:
    """Clips of other lengths whose speech begins elsewhere: evaluating in batches is the same as using the model."""
    moved = [np.pad(clip, (int(rng.integers(0, 9000)), 0)) for clip in clips]
    store = store_of([Waveform(samples) for samples in moved])
    whole = network("overtone")
    with torch.inference_mode():
        together = whole.logits(whole.inputs(collate([store.clip(index) for index in range(len(moved))])))
        for index, clip in enumerate(moved):
            alone = whole(torch.from_numpy(clip)[None])
            for part, found in zip(PARTS, (alone.mel_probabilities, alone.prosody_probabilities), strict=False):
                expected = together[part][index].softmax(-1)
                torch.testing.assert_close(found[0], expected, atol=1e-4, rtol=1e-3)
            torch.testing.assert_close(
                alone.probabilities[0], together["fusion"][index].softmax(-1), atol=1e-4, rtol=1e-3
            )


@pytest.mark.parametrize("recipe", RECIPES)
def test_speech_to_the_very_end_does_not_go_on_in_a_batch(
    network: Networks, rng: np.random.Generator, recipe: str
) -> None:
    """Such as windows cut out of a recording: behind the last frame of the shorter speech there is nothing to hear."""
    spoken = [sounds.speech_like(rng, duration_s, around_s=0.0)[-16_000:] for duration_s in (1.5, 0.5)]
    windows = [np.pad(clip, (16_000 - len(clip), 0)) for clip in spoken]
    together = probabilities(answers(network(recipe), *windows))
    for index, clip in enumerate(windows):
        alone = probabilities(answers(network(recipe), clip))
        torch.testing.assert_close(together[:, index], alone[:, 0], atol=1e-5, rtol=0)


@pytest.mark.parametrize(("before_hops", "after_s"), [(0, 2.0), (40, 0.0), (120, 3.0)])
def test_silence_around_the_speech_changes_little(
    network: Networks, clips: list[np.ndarray], before_hops: int, after_s: float
) -> None:
    """Masked to the speech; what is left is where strides fall, and the tempo, which hears the whole clip."""
    for clip in clips:
        longer = np.concatenate([np.zeros(before_hops * HOP_SAMPLES, np.float32), clip, sounds.silence(after_s)])
        alone, padded = (probabilities(answers(network("overtone"), samples)) for samples in (clip, longer))
        assert (alone - padded).abs().max() < 0.02


def test_gain_changes_the_prosody_but_not_the_mel_answer(network: Networks, clips: list[np.ndarray]) -> None:
    clip = clips[3]
    _, mel, prosody = probabilities(answers(network("overtone"), clip))
    _, mel_quieter, prosody_quieter = probabilities(answers(network("overtone"), clip * np.float32(0.5)))
    assert (mel - mel_quieter).abs().max() < 0.02
    assert (prosody - prosody_quieter).abs().max() > 1e-3


@pytest.mark.parametrize("recipe", RECIPES)
def test_fusion_sends_no_gradient_into_the_branches(recipe: str, network: Networks, batch: Features) -> None:
    found = network(recipe)
    found.zero_grad()
    found.logits(found.inputs(batch))["fusion"].square().sum().backward()
    for part in PARTS:
        gradients = [p.grad for p in found.get_submodule(part).parameters()]
        if part == "fusion":
            assert all(g is not None and g.abs().sum() > 0 for g in gradients)
        else:
            assert all(g is None or not g.any() for g in gradients)
    found.zero_grad()


def test_the_bundled_network_is_small() -> None:
    """The package may carry 10 MB in all; the front end takes 2 MB of the file."""
    parameters = sum(parameter.numel() for parameter in build(read_recipe("overtone"), 8).parameters())
    assert 4 * parameters < 7e6


def test_reduced_precision_is_for_training_only(network: Networks, batch: Features) -> None:
    found = network("overtone")
    assert found.precision is torch.bfloat16
    with torch.inference_mode():
        inputs = found.inputs(batch)
        exact = found.logits(inputs)["mel"]
        found.training = True  # of the network alone: dropout and batch norms stay as they are
        try:
            reduced = found.logits(inputs)["mel"]
        finally:
            found.training = False
    assert exact.dtype == reduced.dtype == torch.float32
    assert 0 < (exact - reduced).abs().max() < 0.5


def test_same_seed_same_weights() -> None:
    made = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        made.append(build(read_recipe("overtone"), 8).state_dict())
    assert all(torch.equal(made[0][name], made[1][name]) for name in made[0])
    assert any(not torch.equal(made[0][name], made[2][name]) for name in made[0])
