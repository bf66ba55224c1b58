"""The configuration of a training run applied to clips: folds, splits, leak audits, and the content of run.json."""

import dataclasses
import hashlib
import importlib.metadata
import json
from pathlib import Path

import pytest
import small_corpus
from small_corpus import PARTS

from overtone.corpora.ravdess import EMOTIONS
from overtone.datatypes import LeakAudit, Utterance
from overtone.errors import MissingExtraError, OptionError, TrainingError
from overtone.recipe import Recipe
from overtone.training import run_config
from overtone.training.run_config import (
    RUN_FORMAT,
    RunConfig,
    audit_parts,
    fold_names,
    part_splits,
    run_metadata,
    training_data,
    versions,
)
from overtone.training.run_folder import matches_run, write_json

JOINT, PHASED = small_corpus.recipe(small_corpus.JOINT), small_corpus.recipe(small_corpus.PHASED)
Clips = tuple[Utterance, ...]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return small_corpus.clips(small_corpus.write(tmp_path_factory.mktemp("named") / "ravdess", with_audio=False))


def audits(clips: Clips, recipe: Recipe, protocol: str) -> dict[str, LeakAudit]:
    return audit_parts([part_splits(RunConfig(recipe, protocol, "1", 0), clips)], clips)


def write_run(folder: Path, **values: object) -> None:
    """Write a run.json with these keys."""
    (folder / "run.json").write_text(json.dumps(values), encoding="utf-8")


def test_folds_of_a_protocol(clips: Clips) -> None:
    assert fold_names("paper", clips, 0) == fold_names("random", clips, 0) == ("1",)
    assert fold_names("luna5", clips, 0) == ("1", "2", "3", "4", "5")
    assert fold_names("all", clips, 0) == ("all",)
    assert len(fold_names("loso", clips, 0)) == small_corpus.ACTORS


@pytest.mark.parametrize(
    ("protocol", "fold", "seed", "message"),
    [
        ("lna5", "1", 0, "no protocol 'lna5'; did you mean 'luna5'"),
        ("luna5", "6", 0, "protocol 'luna5' has no fold '6'; known are 1, 2, 3, 4, 5"),
        ("paper", "mel", 0, "protocol 'paper' has no fold 'mel'"),
        ("random", "1", -1, "a seed must be 0 or more, got -1"),
    ],
)
def test_invalid_configurations(clips: Clips, protocol: str, fold: str, seed: int, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        part_splits(RunConfig(PHASED, protocol, fold, seed), clips)


def test_the_paper_protocol_needs_parts_trained_separately(clips: Clips) -> None:
    with pytest.raises(OptionError, match="recipe 'joint' trains several together"):
        part_splits(RunConfig(JOINT, "paper", "1", 0), clips)
    parts = part_splits(RunConfig(PHASED, "paper", "1", 0), clips)
    assert len({split.test for split in parts.values()}) == len(PARTS)
    assert len({split.test for split in part_splits(RunConfig(PHASED, "luna5", "2", 0), clips).values()}) == 1


def test_audits_find_the_leak_of_the_paper_alone(clips: Clips) -> None:
    paper = audits(clips, PHASED, "paper")
    assert paper["fusion"].seen_clips > 0.9 * paper["fusion"].test_clips
    assert paper["mel"].seen_clips == paper["prosody"].seen_clips == 0
    assert paper["mel"].shared_speakers == paper["mel"].test_speakers > 0
    for part, found in audits(clips, PHASED, "random").items():
        assert (part, found.seen_clips) == (part, 0)
        assert found.shared_speakers == found.test_speakers > 0
    for part, found in audits(clips, PHASED, "luna5").items():
        assert (part, found.seen_clips, found.shared_speakers) == (part, 0, 0)
        assert (found.test_clips, found.test_speakers) == (5 * len(EMOTIONS), 5)
        assert found.shared_sentences == found.test_sentences == 2


def test_training_data_has_licence_and_speakers(clips: Clips) -> None:
    others = [dataclasses.replace(clip, corpus="manifest", speaker="me") for clip in clips[:3]]
    manifest, ravdess = training_data([*clips, *others])
    assert (manifest["clips"], manifest["speakers"], manifest["licence"]) == (3, 1, "yours")
    assert (ravdess["clips"], ravdess["speakers"]) == (len(clips), small_corpus.ACTORS)
    assert ravdess["licence"] == "CC BY-NC-SA 4.0"


def test_run_metadata_is_plain_json(clips: Clips) -> None:
    run = run_metadata(clips, RunConfig(JOINT, "luna5", "3", 4))
    assert json.loads(json.dumps(run)) == run
    assert run["format"] == RUN_FORMAT and run["init"] is None
    assert (run["protocol"], run["fold"], run["seed"], run["recipe"]["name"]) == ("luna5", "3", 4, "joint")
    split = run["split"]["fusion"]
    assert sorted(name for names in split.values() for name in names) == sorted(clip.clip for clip in clips)
    assert {name[6:8] for name in split["test"]} == {"10", "11", "12", "19", "20"}
    assert run["audits"]["fusion"]["test_clips"] == len(split["test"])


def test_a_training_may_be_initialised_from_a_run_on_other_corpora(clips: Clips, tmp_path: Path) -> None:
    data = [{"corpus": "emodb", "clips": 535, "speakers": 10, "licence": "free for research", "citation": "Burkhardt"}]
    config = dataclasses.replace(RunConfig(JOINT, "luna5", "1", 0), init_from=tmp_path)
    write_run(tmp_path, format=RUN_FORMAT, training_data=data)
    with pytest.raises(OptionError, match="--init-from needs the folder of a finished run"):
        run_metadata(clips, config)
    (tmp_path / "weights.safetensors").write_bytes(b"weights")
    run = run_metadata(clips, config)
    assert run["init"] == {"weights": hashlib.sha256(b"weights").hexdigest(), "training_data": data}
    assert [row["corpus"] for row in run["training_data"]] == ["ravdess", "emodb"]
    write_run(tmp_path, format=RUN_FORMAT, training_data=[{**data[0], "corpus": "ravdess"}])
    with pytest.raises(OptionError, match="was trained on ravdess already"):
        run_metadata(clips, config)


def test_runs_of_another_format_initialise_no_training(clips: Clips, tmp_path: Path) -> None:
    (tmp_path / "weights.safetensors").write_bytes(b"weights")
    config = dataclasses.replace(RunConfig(JOINT, "luna5", "1", 0), init_from=tmp_path)
    for values in ({}, {"format": RUN_FORMAT - 1}, {"format": RUN_FORMAT + 1}):
        write_run(tmp_path, training_data=[], **values)
        with pytest.raises(OptionError, match=r"run was written by another version of Overtone; train it again$"):
            run_metadata(clips, config)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name == "matplotlib":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1"

    assert {"python", "overtone", "torch", "matplotlib"} <= versions().keys()
    monkeypatch.setattr(run_config.importlib.metadata, "version", version)
    with pytest.raises(MissingExtraError, match=r"matplotlib: pip install 'overtone\[train\]'"):
        versions()


def test_a_run_with_other_labels_of_the_same_clips_is_another_run(clips: Clips, tmp_path: Path) -> None:
    sad, angry = ([k for k, clip in enumerate(clips) if clip.emotion == name] for name in ("sad", "angry"))
    swapped = list(clips)
    for one, other in zip(sad, angry, strict=True):
        swapped[one], swapped[other] = (
            dataclasses.replace(clips[k], emotion=clips[n].emotion) for k, n in ((one, other), (other, one))
        )
    config = RunConfig(JOINT, "luna5", "1", 0)
    write_json(tmp_path / "run.json", run_metadata(clips, config))
    assert matches_run(tmp_path, run_metadata(clips, config))
    with pytest.raises(TrainingError, match="labels"):
        matches_run(tmp_path, run_metadata(swapped, config))
    older = {key: value for key, value in run_metadata(clips, config).items() if key != "labels"}
    write_json(tmp_path / "run.json", older)  # of a version that did not store them
    assert matches_run(tmp_path, run_metadata(clips, config))
