"""The time that training runs take: what is counted, what is measured, and that measuring changes no training."""

import dataclasses
from pathlib import Path

import pytest
import small_corpus
import torch
from small_corpus import JOINT, PHASED, Corpus

from overtone.recipe import read_recipe
from overtone.training import time_estimate
from overtone.training.cross_validation import make_run_configs
from overtone.training.feature_cache import load_features
from overtone.training.time_estimate import Estimate, Job, clip_epochs, estimate

SECONDS = 2.0  # per training clip and epoch, in place of a measured time


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of the recipes whose training is tried; each takes the same time."""
    recipes: list[str] = []

    def take(recipe: time_estimate.Recipe, *_: object) -> float:
        recipes.append(recipe.name)
        return SECONDS

    monkeypatch.setattr(time_estimate, "_time_training", take)
    return recipes


def job(corpus: Corpus, text: str, folds: int, **changes: object) -> Job:
    recipe = dataclasses.replace(small_corpus.recipe(text), **changes)
    return Job(corpus.clips, make_run_configs(corpus.clips, recipe, "luna5", [0])[:folds])


def test_the_work_of_all_runs_is_counted(smaller_corpus: Corpus, measured: list[str], tmp_path: Path) -> None:
    runs = job(smaller_corpus, JOINT, 2, members=3)
    found = estimate([runs, runs], cache=tmp_path)
    splits = [time_estimate.part_splits(config, smaller_corpus.clips)["fusion"].train for config in runs.configs]
    clips = sum(map(len, splits))
    assert (found.runs, found.networks) == (4, 12)
    assert found.training_s == pytest.approx(2 * 3 * 3 * clips * SECONDS), "2 jobs, 3 networks, 3 epochs"
    assert found.feature_clips == 2 * 96, "both jobs need the same features, in two versions"
    assert measured == ["joint"]
    assert clip_epochs(runs) == 3 * 3 * clips


def test_cached_features_take_no_time(smaller_corpus: Corpus, measured: list[str], tmp_path: Path) -> None:
    load_features(smaller_corpus.clips, 0, tmp_path)
    found = estimate([job(smaller_corpus, JOINT, 1)], cache=tmp_path)
    assert found.feature_clips == 96, "only the augmented version"
    load_features(smaller_corpus.clips, 1, tmp_path)
    cached = estimate([job(smaller_corpus, JOINT, 1)], cache=tmp_path)
    assert (cached.feature_clips, cached.feature_s, cached.feature_bytes) == (0, 0, 0)
    assert found.feature_s > 0 and found.seconds == found.feature_s + found.training_s


def test_parallel_runs_share_the_time(smaller_corpus: Corpus, measured: list[str], tmp_path: Path) -> None:
    runs = job(smaller_corpus, JOINT, 2)
    one, two, many = (estimate([runs], cache=tmp_path, processes=count).training_s for count in (1, 2, 8))
    assert one == pytest.approx(2 * two) == pytest.approx(2 * many), "two runs fill two processes"


def test_teachers_and_students_are_networks(
    small_encoder: str, smaller_corpus: Corpus, measured: list[str], tmp_path: Path
) -> None:
    recipe = dataclasses.replace(read_recipe("lite-one-corpus"), wave_variants=0)
    configs = make_run_configs(smaller_corpus.clips, recipe, "luna5", [0])[:1]
    found = estimate([Job(smaller_corpus.clips, configs)], cache=tmp_path)
    assert found.networks == 2 * recipe.members
    assert measured == [recipe.name, recipe.teacher]
    assert estimate([job(smaller_corpus, JOINT, 1, distil=0.5)], cache=tmp_path).networks == 2


@pytest.mark.parametrize("text", [JOINT, PHASED], ids=["joint", "phased"])
def test_a_probe_measures_and_leaves_the_random_numbers_alone(
    text: str, one_thread: None, smaller_corpus: Corpus, tmp_path: Path
) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    found = estimate([job(smaller_corpus, text, 1)], cache=tmp_path / "cache")
    assert torch.equal(torch.rand(3), expected)
    assert isinstance(found, Estimate) and 0.001 < found.training_s < 600 and 0 < found.feature_s < 600
    assert not (tmp_path / "cache").exists(), "a probe stores nothing"
