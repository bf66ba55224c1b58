"""Batches: every clip once, padded with silence, in a random version; augmentation and mixup of the inputs."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_training import CLIPS, recipe, tiny_store, waveform

from overtone.datatypes import Utterance
from overtone.features.front_end import Features, FrontEnd
from overtone.features.loudness import FLOOR_DB
from overtone.features.mel import POWER_FLOOR
from overtone.training.batches import (
    augment,
    clean_batches,
    collate,
    mixup,
    sampling_weights,
    training_batches,
)

RECIPE = recipe("base", batch_clips=5)


def batches_of(seed: int, indices: range = range(CLIPS)) -> list[tuple[Features, np.ndarray, np.ndarray]]:
    """Return the training batches of one epoch with this seed."""
    return list(training_batches(tiny_store(2), indices, RECIPE, np.random.default_rng(seed)))


def test_a_batch_of_one_clip_equals_the_output_of_the_front_end() -> None:
    with torch.inference_mode():
        expected = FrontEnd()(torch.from_numpy(waveform(3).samples)[None])
    found = collate([tiny_store().clip(3)])
    for name in (name for name in Features._fields if name != "extra"):
        assert torch.equal(getattr(found, name), getattr(expected, name)), name
    assert found.extra == expected.extra == {}


def test_shorter_clips_are_padded_with_silence() -> None:
    store = tiny_store(2)
    clips = [store.clip(0), store.clip(0).around_speech(0), store.clip(1)]
    found = collate(clips)
    assert found.inside.sum(1).tolist() == [len(clip.tracks) for clip in clips]
    outside = ~found.inside
    assert outside.any()
    assert (found.log_mel[outside] == np.log(np.float32(POWER_FLOOR))).all()
    assert (found.loudness_db[outside] == FLOOR_DB).all()
    assert not found.pitch_hz[outside].any() and not found.periodicity[outside].any()
    np.testing.assert_array_equal(found.log_mel[1][found.inside[1]], clips[1].log_mel)
    assert found.tempo_bpm.tolist() == [clip.rates[0] for clip in clips]
    assert found.pause_ratio.tolist() == [clip.rates[2] for clip in clips]


def test_every_clip_occurs_once_and_no_batch_has_one_clip() -> None:
    for seed in range(3):
        batches = batches_of(seed)
        positions = np.concatenate([indices for _, indices, _ in batches])
        assert sorted(positions) == list(range(CLIPS))
        assert max(len(indices) for _, indices, _ in batches) <= RECIPE.batch_clips
    remaining = np.concatenate([indices for _, indices, _ in batches_of(0, range(11))])
    assert len(remaining) == 10, "a last batch of one clip is left out: batch normalisation needs two"


def test_order_and_versions_depend_on_the_seed_alone() -> None:
    first, again, other = batches_of(1), batches_of(1), batches_of(2)
    for (features, indices, _), (features_again, indices_again, _) in zip(first, again, strict=True):
        np.testing.assert_array_equal(indices, indices_again)
        assert torch.equal(features.log_mel, features_again.log_mel)
    assert [list(i) for _, i, _ in first] != [list(i) for _, i, _ in other]


def test_features_and_indices_of_a_batch_match() -> None:
    store = tiny_store(2)
    versions = set()
    for features, indices, _ in batches_of(4):
        for row, index in enumerate(indices):
            found = features.pitch_hz[row][features.inside[row]].numpy()
            matching = [
                version
                for version in range(2)
                if np.array_equal(
                    found, store.clip(index, version).around_speech(RECIPE.crop_margin_frames).tracks[:, 0]
                )
            ]
            assert matching
            versions.update(matching)
    assert versions == {0, 1}


def test_clips_that_refer_to_others_are_clean() -> None:
    store, recipe = tiny_store(2), dataclasses.replace(RECIPE, reference_sets=0.5, crop_margin_frames=-1)
    shares = []
    for features, indices, refers in training_batches(store, range(CLIPS), recipe, np.random.default_rng(5)):
        shares += refers.tolist()
        for row in np.flatnonzero(refers):
            found = features.pitch_hz[row][features.inside[row]].numpy()
            np.testing.assert_array_equal(found, store.clip(indices[row]).tracks[:, 0])
    assert 0.2 < np.mean(shares) < 0.8


def test_balanced_sampling_draws_corpora_classes_and_speakers_equally_often() -> None:
    def utterance(corpus: str, emotion: str, speaker: str) -> Utterance:
        return Utterance(Path("clip.wav"), emotion, speaker, corpus=corpus)

    utterances = [utterance("emodb", "sad", "1")] * 5 + [utterance("emodb", "sad", "2")]
    utterances += [utterance("emodb", "angry", "1")] * 2 + [utterance("ravdess", "sad", "1")] * 3
    weights = sampling_weights(utterances, range(len(utterances)))
    assert weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(weights, [1 / 40] * 5 + [1 / 8] + [1 / 8] * 2 + [1 / 6] * 3)
    drawn = [
        index
        for _, indices, _ in training_batches(tiny_store(), range(11), RECIPE, np.random.default_rng(0), weights)
        for index in indices
    ]
    assert len(drawn) == 10 and set(drawn) <= set(range(11))  # a last batch of one clip is left out


def test_a_negative_margin_leaves_clips_uncropped() -> None:
    uncropped = dataclasses.replace(RECIPE, crop_margin_frames=-1)
    features, indices, _ = next(training_batches(tiny_store(), range(4), uncropped, np.random.default_rng(0)))
    lengths = [len(tiny_store().clip(index).tracks) for index in indices]
    assert features.inside.sum(1).tolist() == lengths


def test_clean_batches_are_uncropped_and_in_order() -> None:
    store = tiny_store(2)
    batches = list(clean_batches(store, [5, 3, 9, 1, 0], batch_clips=2))
    assert [len(batch.tempo_bpm) for batch in batches] == [2, 2, 1]
    tempi = torch.cat([batch.tempo_bpm for batch in batches]).tolist()
    assert tempi == [store.clip(index).rates[0] for index in (5, 3, 9, 1, 0)]
    assert batches[0].inside.sum(1).tolist() == [len(store.clip(index).tracks) for index in (5, 3)]


@pytest.fixture
def inputs(rng: np.random.Generator) -> dict[str, tuple[torch.Tensor, ...]]:
    """Return a spectrogram with its mask, and a vector per clip."""
    spectrogram = torch.from_numpy(rng.standard_normal((4, 40, 64)).astype(np.float32))
    mask = torch.from_numpy(rng.random((4, 40)) < 0.5)
    return {"mel": (spectrogram, mask), "prosody": (torch.from_numpy(rng.standard_normal((4, 7)).astype(np.float32)),)}


def test_only_the_spectrogram_is_augmented(inputs: dict[str, tuple[torch.Tensor, ...]]) -> None:
    found, again = (augment(inputs, RECIPE, np.random.default_rng(1)) for _ in range(2))
    assert found["mel"][0].shape == inputs["mel"][0].shape
    assert not torch.equal(found["mel"][0], inputs["mel"][0])
    assert torch.equal(found["mel"][0], again["mel"][0])
    assert found["mel"][1] is inputs["mel"][1] and found["prosody"] is inputs["prosody"]


def test_a_recipe_without_augmentation_changes_no_input(
    inputs: dict[str, tuple[torch.Tensor, ...]], rng: np.random.Generator
) -> None:
    before = rng.bit_generator.state
    found = augment(inputs, recipe("paper"), rng)
    assert found.keys() == inputs.keys()
    assert all(tensor is inputs[name][k] for name, tensors in found.items() for k, tensor in enumerate(tensors))
    assert rng.bit_generator.state == before


def test_mixup_mixes_clips_and_unites_their_masks(inputs: dict[str, tuple[torch.Tensor, ...]]) -> None:
    partners = torch.tensor([2, 0, 1, 3])
    found = mixup(inputs, 0.75, partners)
    spectrogram, mask = inputs["mel"]
    torch.testing.assert_close(found["mel"][0], 0.75 * spectrogram + 0.25 * spectrogram[partners])
    assert torch.equal(found["mel"][1], mask | mask[partners])
    torch.testing.assert_close(found["prosody"][0][0], 0.75 * inputs["prosody"][0][0] + 0.25 * inputs["prosody"][0][2])
    torch.testing.assert_close(found["mel"][0][3], spectrogram[3])


def test_mixup_with_weight_one_changes_nothing(inputs: dict[str, tuple[torch.Tensor, ...]]) -> None:
    found = mixup(inputs, 1.0, torch.tensor([1, 2, 3, 0]))
    torch.testing.assert_close(found["mel"][0], inputs["mel"][0])
