"""Ensemble members: distillation into one network, rotating validation, and what such runs store."""

import dataclasses
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import small_corpus
import torch
from small_corpus import Corpus

from overtone.corpora.label_mapping import present_emotions
from overtone.datatypes import Split, Utterance
from overtone.errors import OptionError
from overtone.evaluation.calibration import fit_temperature
from overtone.models.ensemble import Ensemble
from overtone.models.network import Network
from overtone.recipe import Recipe
from overtone.training import train as train_module
from overtone.training.ensemble_members import (
    leave_corpora_out,
    member_seeds,
    rotating_validation,
    student_seed,
)
from overtone.training.feature_cache import load_features
from overtone.training.loop import predict_logits
from overtone.training.run_config import RunConfig, part_splits
from overtone.training.run_folder import load_network
from overtone.training.targets import Targets, make_targets
from overtone.training.train import train

DISTILLED = dataclasses.replace(
    small_corpus.recipe(small_corpus.JOINT), name="distilled", members=2, distil=0.7, epochs=2
)
ROTATING = dataclasses.replace(
    small_corpus.recipe(small_corpus.JOINT), name="rotating", members=3, validation="rotating", adapter=0.01, epochs=2
)


def falling_validation() -> Any:
    """Return a validation whose score falls from epoch to epoch."""
    scores = itertools.count(9, -1)
    return lambda *_: {"val_loss": 1.0, "val_accuracy": 0.0, "val_uar": float(next(scores))}


@pytest.mark.slow
def test_distillation_leaves_one_network(
    one_thread: None, corpus: Corpus, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit, received = train_module.fit, []
    config = RunConfig(DISTILLED, "luna5", "1", 0)

    def recording_fit(
        network: Network, store: object, targets: Targets, *arguments: object, **options: object
    ) -> object:
        received.append(targets)
        return fit(network, store, targets, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(train_module, "fit", recording_fit)
    folder = train(corpus.clips, config, tmp_path / "run", cache=cache)
    network, _ = load_network(folder)
    assert isinstance(network, Network)
    history = json.loads((folder / "history.json").read_text("utf-8"))
    seeds = [*member_seeds(DISTILLED, 0), student_seed(DISTILLED, 0)]
    assert list(dict.fromkeys(row["seed"] for row in history)) == seeds == [0, 1000, 2000]
    assert not (folder / "predictions-member.csv").exists() and not list(folder.glob("member-*"))
    # The predictions of the teachers are targets for the training clips alone.
    *of_teachers, of_student = received
    assert len(of_teachers) == 2 and all(targets.soft_labels is None for targets in of_teachers)
    changed = (of_student.probabilities() != of_teachers[0].probabilities()).any(1)
    assert changed.nonzero()[:, 0].tolist() == sorted(part_splits(config, corpus.clips)["fusion"].train)
    assert torch.allclose(of_student.probabilities().sum(1), torch.ones(len(corpus.clips)))


def test_distillation_needs_one_split_for_all_parts(corpus: Corpus) -> None:
    recipe = Recipe("distilled", phases=(("mel",), ("prosody",), ("fusion",)), distil=0.5)
    with pytest.raises(OptionError, match="distils"):
        part_splits(RunConfig(recipe, "paper", "1", 0), corpus.clips)


def test_the_rotations_cover_training_and_validation_set(corpus: Corpus) -> None:
    fold = part_splits(RunConfig(ROTATING, "luna5", "1", 0), corpus.clips)["fusion"]
    rotations = rotating_validation(fold, corpus.clips, 3)
    speakers = [clip.speaker for clip in corpus.clips]
    for split in rotations:
        assert split.test == fold.test and {*split.train, *split.validation} == {*fold.train, *fold.validation}
        assert not {speakers[i] for i in split.train} & {speakers[i] for i in split.validation}
    assert sorted(i for split in rotations for i in split.validation) == sorted(fold.validation)
    assert all(set(fold.train) < set(split.train) for split in rotations)


def test_validation_speakers_are_reused_if_there_are_fewer_than_rotations(corpus: Corpus) -> None:
    fold = part_splits(RunConfig(ROTATING, "luna5", "1", 0), corpus.clips)["fusion"]
    speakers = {corpus.clips[i].speaker for i in fold.validation}
    rotations = rotating_validation(fold, corpus.clips, len(speakers) + 1)
    assert rotations[-1] == rotations[0] != rotations[1]


def test_clips_rotate_if_training_and_validation_share_speakers(corpus: Corpus) -> None:
    fold = part_splits(RunConfig(ROTATING, "random", "1", 0), corpus.clips)["fusion"]
    rotations = rotating_validation(fold, corpus.clips, 3)
    assert sorted(i for split in rotations for i in split.validation) == sorted(fold.validation)
    assert max(len(split.validation) for split in rotations) - min(len(split.validation) for split in rotations) <= 1


@pytest.mark.slow
def test_each_member_is_calibrated_on_its_held_out_speakers(
    one_thread: None, corpus: Corpus, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit, splits = train_module.fit, []

    def recording_fit(
        network: Network, store: object, targets: object, parts: Any, *arguments: Any, **options: Any
    ) -> object:
        splits.append(parts["fusion"])
        return fit(network, store, targets, parts, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(train_module, "fit", recording_fit)
    config = RunConfig(ROTATING, "luna5", "1", 0)
    folder = train(corpus.clips, config, tmp_path / "run", cache=cache)
    fold = part_splits(config, corpus.clips)["fusion"]
    assert splits == rotating_validation(fold, corpus.clips, 3)
    model, _ = load_network(folder)
    assert isinstance(model, Ensemble)
    means = torch.stack([network.branch("mel").mean for network in model.networks])
    assert torch.equal(means[0], means[1]) and torch.equal(means[0], means[2])  # the first prepares the inputs of all
    assert model.adapter is not None and torch.isfinite(model.adapter.classifier.weight).all()
    # Each calibration clip was predicted by the network that was not trained on it.
    store = load_features(corpus.clips, ROTATING.wave_variants, cache)
    held_out = [(network, split.validation) for network, split in zip(model.networks, splits, strict=True)]
    logits = torch.cat([predict_logits(network, store, clips)["fusion"] for network, clips in held_out])
    truth = make_targets(corpus.clips, present_emotions(corpus.clips)).truth[
        [i for _, clips in held_out for i in clips]
    ]
    assert model.temperature[2].item() == pytest.approx(fit_temperature(logits.double().numpy(), truth.numpy()))


@pytest.mark.slow
def test_rotating_validation_stores_the_last_epoch(
    one_thread: None, corpus: Corpus, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("overtone.training.loop._validation", falling_validation())
    recipe = dataclasses.replace(ROTATING, members=1, adapter=0.0, epochs=2)
    last = train(corpus.clips, RunConfig(recipe, "luna5", "1", 0), tmp_path / "last", cache=cache)
    shared = dataclasses.replace(recipe, validation="shared")
    first = train(corpus.clips, RunConfig(shared, "luna5", "1", 0), tmp_path / "first", cache=cache)
    assert (last / "weights.safetensors").read_bytes() != (first / "weights.safetensors").read_bytes()


def test_distillation_needs_a_shared_validation_set() -> None:
    with pytest.raises(OptionError, match="shared"):
        Recipe("both", validation="rotating", distil=0.5)
    with pytest.raises(OptionError, match="rotating"):
        Recipe("neither", validation="sometimes")


def test_each_network_leaves_out_one_corpus_of_speech() -> None:
    classes = {"emodb": "nhs", "emovo": "nhs", "nemo": "nh", "ravdess": "nhsc", "emogator": "nhs"}
    names = {"n": "neutral", "h": "happy", "s": "sad", "c": "calm"}
    clips = [
        Utterance(Path("clip.wav"), names[letter], speaker, corpus=corpus)
        for corpus, letters in classes.items()
        for speaker in ("1", "2", "3")
        for letter in letters
    ]
    indices = tuple(range(len(clips)))
    split = Split("all", "all", train=indices[::2], validation=indices[1::2], test=())
    left_out = leave_corpora_out(split, clips, 4)
    corpora = [{clips[i].corpus for i in part.validation} for part in left_out]
    # EmoGator has no speech, and calm is in RAVDESS alone; the others take turns.
    assert corpora == [{"emodb"}, {"emovo"}, {"nemo"}, {"emodb"}]
    for part in left_out:
        assert sorted((*part.train, *part.validation)) == list(indices)
        assert not {clips[i].corpus for i in part.train} & {clips[i].corpus for i in part.validation}


def test_speakers_rotate_where_the_tested_corpus_is_in_the_training_set() -> None:
    clips = [
        Utterance(Path("clip.wav"), emotion, speaker, corpus=corpus)
        for corpus in ("emodb", "emovo", "ravdess")
        for speaker in ("1", "2", "3", "4", "5")
        for emotion in ("sad", "happy")
    ]
    of_ravdess = [i for i, clip in enumerate(clips) if clip.corpus == "ravdess"]
    test, validation = tuple(of_ravdess[:2]), tuple(of_ravdess[2:6])
    train = tuple(i for i in range(len(clips)) if i not in (*test, *validation))
    parts = leave_corpora_out(Split("luna5", "1", train, validation, test), clips, 2)
    assert [{clips[i].speaker for i in part.validation} for part in parts] == [{"2"}, {"3"}]
    assert all({clips[i].corpus for i in part.validation} == {"ravdess"} for part in parts)
