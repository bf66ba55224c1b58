"""A teacher of another recipe: what it is trained on, what it teaches, and what its run stores."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import small_corpus
import torch
from small_corpus import Corpus

from overtone.datatypes import Split
from overtone.errors import OptionError, TrainingError
from overtone.recipe import Recipe, read_recipe, read_teacher
from overtone.training import train as train_module
from overtone.training.ensemble_members import member_seeds, rotating_validation
from overtone.training.run_config import RunConfig, part_splits, run_metadata
from overtone.training.run_folder import load_network, matches_run, write_json
from overtone.training.targets import Targets
from overtone.training.teacher import required_features
from overtone.training.train import train

TEACHER = """
base = "lite"
name = "teacher"
teacher = ""
distil = 0.0
epochs = 1
batch_clips = 16
members = 1
wave_variants = 0
reference_sets = 0.0
[branches]
mel = ""
"""


@pytest.fixture
def student(tmp_path: Path) -> Recipe:
    """Return a recipe of two networks, each with a teacher that has the prosody branch alone."""
    path = tmp_path / "teacher.toml"
    path.write_text(TEACHER)
    recipe = small_corpus.recipe(small_corpus.JOINT)
    taught = {"distil": 0.5, "teacher": str(path), "members": 2, "validation": "rotating", "epochs": 1}
    return dataclasses.replace(recipe, name="student", branches={"mel": "small-residual-cnn"}, phases=(), **taught)


@pytest.mark.slow
def test_each_network_has_a_teacher_that_saw_the_same_clips(
    one_thread: None, corpus: Corpus, cache: Path, tmp_path: Path, student: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = train_module.fit
    fitted: list[tuple[str, int, Split, Targets, int]] = []
    weights: list[torch.Tensor] = []

    def recording_fit(network: Any, store: Any, targets: Any, splits: Any, recipe: Recipe, **options: Any) -> Any:
        fitted.append((recipe.name, options["seed"], splits["fusion"], targets, len(store.versions)))
        history = fit(network, store, targets, splits, recipe, **options)
        weights.append(next(network.parameters()).clone())
        return history

    monkeypatch.setattr(train_module, "fit", recording_fit)
    config = RunConfig(student, "luna5", "1", 0)
    folder = train(corpus.clips, config, tmp_path / "run", cache=cache)
    seeds = member_seeds(student, 0)
    assert not torch.equal(weights[0], weights[2]), "each teacher is trained, not resumed from another's checkpoint"
    assert [row[:2] for row in fitted] == [(name, seed) for seed in seeds for name in ("teacher", "student")]
    rotations = rotating_validation(part_splits(config, corpus.clips)["fusion"], corpus.clips, 2)
    assert [row[2] for row in fitted] == [split for split in rotations for _ in range(2)]
    assert [row[4] for row in fitted] == [1, 2] * 2  # a recipe is trained on its own number of augmented versions
    for (_, _, split, of_teacher, _), (_, _, _, of_student, _) in zip(fitted[::2], fitted[1::2], strict=True):
        assert of_teacher.soft_labels is None
        changed = (of_student.probabilities() != of_teacher.probabilities()).any(1)
        assert tuple(changed.nonzero()[:, 0].tolist()) == split.train
    model, run = load_network(folder)
    assert model.branch_names == ("mel",) and run["teacher"]["recipe"]["name"] == "teacher"
    assert not [*folder.glob("member-*"), *folder.glob("teacher-*")]


def test_the_settings_of_the_teacher_are_part_of_a_run(corpus: Corpus, student: Recipe) -> None:
    config = RunConfig(student, "luna5", "1", 0)
    before = run_metadata(corpus.clips, config)
    Path(student.teacher).write_text(TEACHER.replace("epochs = 1", "epochs = 2"))
    after = run_metadata(corpus.clips, config)
    assert before["teacher"] != after["teacher"]
    assert {key for key in before if before[key] != after[key]} == {"teacher"}


def test_the_features_are_those_of_both_recipes(small_encoder: str) -> None:
    assert required_features(read_recipe("lite"))[1].keys() == {"encoder"}
    recipe = dataclasses.replace(read_recipe("lite"), wave_variants=1)
    assert required_features(recipe)[0] == read_recipe("encoder").wave_variants
    assert required_features(read_recipe("base")) == (read_recipe("base").wave_variants, {})


def test_a_teacher_needs_a_weight_and_is_not_distilled_itself() -> None:
    with pytest.raises(OptionError):
        Recipe("student", teacher="encoder")
    with pytest.raises(OptionError):
        read_teacher(Recipe("student", teacher="lite", distil=0.5))
    with pytest.raises(OptionError):
        read_teacher(Recipe("student", teacher="encodre", distil=0.5))
    assert read_teacher(Recipe("student")) is None


def test_a_run_with_another_teacher_is_refused(corpus: Corpus, tmp_path: Path, student: Recipe) -> None:
    config = RunConfig(student, "luna5", "1", 0)
    write_json(tmp_path / "run" / "run.json", run_metadata(corpus.clips, config))
    assert matches_run(tmp_path / "run", run_metadata(corpus.clips, config))
    Path(student.teacher).write_text(TEACHER.replace("epochs = 1", "epochs = 2"))
    with pytest.raises(TrainingError):
        matches_run(tmp_path / "run", run_metadata(corpus.clips, config))
