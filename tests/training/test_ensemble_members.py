"""Networks that teach one: what such a run leaves, and that nothing of it is learned from its test side."""

import dataclasses
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import small_corpus
import torch
from small_corpus import Corpus

from overtone.errors import OptionError
from overtone.evaluation.calibration import fit_temperature
from overtone.models.ensemble import Ensemble
from overtone.models.network import Network
from overtone.recipe import Recipe
from overtone.training import train as train_module
from overtone.training.ensemble_members import member_seeds, rotating_validation, student_seed
from overtone.training.feature_cache import load_features
from overtone.training.loop import predict_logits
from overtone.training.run_config import RunConfig, part_splits, present_emotions
from overtone.training.targets import Targets, make_targets
from overtone.training.train import load_network, train

TAUGHT = dataclasses.replace(small_corpus.recipe(small_corpus.JOINT), name="taught", members=2, distil=0.7, epochs=2)


IN_TURNS = dataclasses.replace(
    small_corpus.recipe(small_corpus.JOINT), name="in-turns", members=3, validation="in-turns", adapter=0.01, epochs=2
)


@pytest.fixture
def plan() -> RunConfig:
    return RunConfig(TAUGHT, "luna5", "1", 0)


def test_one_network_answers_in_the_place_of_its_teachers(
    one_thread: None, corpus: Corpus, cache: Path, tmp_path: Path, plan: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit, wanted = train_module.fit, []

    def listen(network: Network, store: object, targets: Targets, *arguments: object, **options: object) -> object:
        wanted.append(targets)
        return fit(network, store, targets, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(train_module, "fit", listen)
    folder = train(corpus.clips, plan, tmp_path / "run", cache=cache)
    network, _ = load_network(folder)
    assert isinstance(network, Network)
    history = json.loads((folder / "history.json").read_text("utf-8"))
    seeds = [*member_seeds(TAUGHT, 0), student_seed(TAUGHT, 0)]
    assert list(dict.fromkeys(row["seed"] for row in history)) == seeds == [0, 1000, 2000]
    assert not (folder / "predictions-member.csv").exists() and not list(folder.glob("member-*"))
    # The teachers' word counts for the clips they were trained on, and for no other.
    *own, taught = wanted
    assert all(targets.wanted is None for targets in own)
    changed = (taught.shares() != own[0].shares()).any(1)
    assert changed.nonzero()[:, 0].tolist() == sorted(part_splits(plan, corpus.clips)["fusion"].train)
    assert torch.allclose(taught.shares().sum(1), torch.ones(len(corpus.clips)))


def test_teaching_is_refused_where_each_part_has_a_split_of_its_own(corpus: Corpus) -> None:
    recipe = Recipe("taught", phases=(("mel",), ("prosody",), ("fusion",)), distil=0.5)
    with pytest.raises(OptionError, match="distils"):
        part_splits(RunConfig(recipe, "paper", "1", 0), corpus.clips)


def test_networks_that_validate_in_turns_hear_the_whole_training_side_together(corpus: Corpus) -> None:
    whole = part_splits(RunConfig(IN_TURNS, "luna5", "1", 0), corpus.clips)["fusion"]
    turns = rotating_validation(whole, corpus.clips, 3)
    speaker_of = [clip.speaker for clip in corpus.clips]
    for split in turns:
        assert split.test == whole.test and {*split.train, *split.validation} == {*whole.train, *whole.validation}
        assert not {speaker_of[i] for i in split.train} & {speaker_of[i] for i in split.validation}
    assert sorted(i for split in turns for i in split.validation) == sorted(whole.validation)
    assert all(set(whole.train) < set(split.train) for split in turns)


def test_speakers_to_validate_on_come_round_again(corpus: Corpus) -> None:
    whole = part_splits(RunConfig(IN_TURNS, "luna5", "1", 0), corpus.clips)["fusion"]
    speakers = {corpus.clips[i].speaker for i in whole.validation}
    turns = rotating_validation(whole, corpus.clips, len(speakers) + 1)
    assert turns[-1] == turns[0] != turns[1]


def test_clips_take_turns_where_speakers_stand_on_both_sides(corpus: Corpus) -> None:
    whole = part_splits(RunConfig(IN_TURNS, "random", "1", 0), corpus.clips)["fusion"]
    turns = rotating_validation(whole, corpus.clips, 3)
    assert sorted(i for split in turns for i in split.validation) == sorted(whole.validation)
    assert max(len(split.validation) for split in turns) - min(len(split.validation) for split in turns) <= 1


def test_each_network_learns_what_another_leaves_out(
    one_thread: None, corpus: Corpus, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit, heard = train_module.fit, []

    def listen(network: Network, store: object, targets: object, parts: Any, *arguments: Any, **options: Any) -> object:
        heard.append(parts["fusion"])
        return fit(network, store, targets, parts, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(train_module, "fit", listen)
    plan = RunConfig(IN_TURNS, "luna5", "1", 0)
    folder = train(corpus.clips, plan, tmp_path / "run", cache=cache)
    whole = part_splits(plan, corpus.clips)["fusion"]
    assert heard == rotating_validation(whole, corpus.clips, 3)
    model, _ = load_network(folder)
    assert isinstance(model, Ensemble)
    means = torch.stack([network.mel.mean for network in model.networks])
    assert torch.equal(means[0], means[1]) and torch.equal(means[0], means[2])  # one reads the features for all
    assert model.adapter is not None and torch.isfinite(model.adapter.answer.weight).all()
    # Each clip that calibrates was answered by the network that has not heard it.
    store = load_features(corpus.clips, IN_TURNS.wave_variants, cache)
    turns = [(network, split.validation) for network, split in zip(model.networks, heard, strict=True)]
    logits = torch.cat([predict_logits(network, store, clips)["fusion"] for network, clips in turns])
    truth = make_targets(corpus.clips, present_emotions(corpus.clips)).truth[[i for _, clips in turns for i in clips]]
    assert model.temperature[2].item() == pytest.approx(fit_temperature(logits.double().numpy(), truth.numpy()))


def test_the_last_epoch_is_kept_where_networks_take_turns(
    one_thread: None, corpus: Corpus, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("overtone.training.loop._validation", falling())
    recipe = dataclasses.replace(IN_TURNS, members=1, adapter=0.0, epochs=2)
    last = train(corpus.clips, RunConfig(recipe, "luna5", "1", 0), tmp_path / "last", cache=cache)
    shared = dataclasses.replace(recipe, validation="shared")
    first = train(corpus.clips, RunConfig(shared, "luna5", "1", 0), tmp_path / "first", cache=cache)
    assert (last / "weights.safetensors").read_bytes() != (first / "weights.safetensors").read_bytes()


def falling() -> Any:
    """A validation that finds every epoch worse than the one before."""
    scores = itertools.count(9, -1)
    return lambda *_: {"val_loss": 1.0, "val_accuracy": 0.0, "val_uar": float(next(scores))}


def test_a_student_wants_a_shared_validation_side() -> None:
    with pytest.raises(OptionError, match="shared"):
        Recipe("both", validation="in-turns", distil=0.5)
    with pytest.raises(OptionError, match="in-turns"):
        Recipe("neither", validation="sometimes")
