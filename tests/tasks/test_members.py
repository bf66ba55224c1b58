"""Networks that teach one: what such a run leaves, and that nothing of it is learned from its test side."""

import dataclasses
import json
from pathlib import Path

import pytest
import small_corpus
import torch
from small_corpus import Corpus

from overtone.errors import OptionError
from overtone.models.network import Network
from overtone.recipe import Recipe
from overtone.tasks import train as train_module
from overtone.tasks.members import member_seeds, student_seed
from overtone.tasks.plan import Plan, splits_of
from overtone.tasks.targets import Targets
from overtone.tasks.train import load_network, train

TAUGHT = dataclasses.replace(small_corpus.recipe(small_corpus.JOINT), name="taught", members=2, distil=0.7, epochs=2)


@pytest.fixture
def plan() -> Plan:
    return Plan(TAUGHT, "luna5", "1", 0)


def test_one_network_answers_in_the_place_of_its_teachers(
    one_thread: None, corpus: Corpus, cache: Path, tmp_path: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch
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
    assert changed.nonzero()[:, 0].tolist() == sorted(splits_of(plan, corpus.clips)["fusion"].train)
    assert torch.allclose(taught.shares().sum(1), torch.ones(len(corpus.clips)))


def test_teaching_is_refused_where_each_part_has_a_split_of_its_own(corpus: Corpus) -> None:
    recipe = Recipe("taught", phases=(("mel",), ("prosody",), ("fusion",)), distil=0.5)
    with pytest.raises(OptionError, match="distils"):
        splits_of(Plan(recipe, "paper", "1", 0), corpus.clips)
