"""An ensemble with an adapter: what its run leaves, and that the exported file knows a speaker as the training did."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import small_corpus
import tiny_model
import torch
from small_corpus import Corpus, Run

from overtone.cli.main import main
from overtone.datatypes import Split
from overtone.errors import ModelError, OptionError, OvertoneError
from overtone.evaluation import oof_files
from overtone.inference.recogniser import Recogniser, load
from overtone.models.ensemble import Ensemble
from overtone.recipe import PARTS
from overtone.training import train as train_module
from overtone.training.cross_validation import collect_oof, run_folder, score_oof
from overtone.training.ensemble_members import member_seeds
from overtone.training.export import export_run
from overtone.training.fit_adapter import can_adapt
from overtone.training.run_config import RunConfig, part_splits
from overtone.training.train import load_network, own_scores, train

TOGETHER = dataclasses.replace(
    small_corpus.recipe(small_corpus.JOINT), name="together", epochs=2, members=2, adapter=0.01
)


def trained_in(runs: Path, corpus: Corpus, cache: Path) -> Run:
    """The run of the first fold, where `overtone evaluate` would put it."""
    plan = RunConfig(TOGETHER, "luna5", "1", 0)
    return Run(corpus.clips, plan, train(corpus.clips, plan, run_folder(runs, plan), cache=cache))


@pytest.fixture(scope="module")
def ensemble(one_thread: None, corpus: Corpus, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two networks as one model, with an adapter."""
    return trained_in(tmp_path_factory.mktemp("ensemble"), corpus, cache)


@pytest.fixture(scope="module")
def model(ensemble: Run) -> Path:
    """Its exported file."""
    return export_run(ensemble.clips, ensemble.folder, model_id="together")


def test_every_answer_of_an_ensemble_is_kept(ensemble: Run) -> None:
    found = {
        part: oof_files.read(ensemble.folder / f"predictions-{part}.csv") for part in (*PARTS, "member", "adapted")
    }
    seeds = member_seeds(TOGETHER, 0)
    assert {part: set(one.seed.tolist()) for part, one in found.items()} == {
        **{part: {0} for part in (*PARTS, "adapted")},
        "member": set(seeds),
    }
    clips = len(found["fusion"])
    members = found["member"].probabilities.reshape(len(seeds), clips, -1)
    assert np.abs(members[0] - members[1]).max() > 0.01
    # One temperature above all: where the mean of the members is surest, the ensemble is.
    assert np.array_equal(members.mean(0).argmax(1), found["fusion"].probabilities.argmax(1))
    assert not list(ensemble.folder.glob("member-*")) and not (ensemble.folder / "checkpoint.safetensors").exists()
    history = json.loads((ensemble.folder / "history.json").read_text("utf-8"))
    assert {(row["seed"], row["epoch"]) for row in history} == {(seed, epoch) for seed in seeds for epoch in range(2)}


def test_the_report_of_a_run_tells_every_answer_of_it(ensemble: Run) -> None:
    rows = own_scores(ensemble.folder)
    assert list(rows) == [*PARTS, "member", "adapted"]
    assert rows["adapted"].audit == rows["member"].audit == rows["fusion"].audit
    text = (ensemble.folder / "report.md").read_text("utf-8")
    assert "together, adapted" in text and (ensemble.folder / "figures" / "confusion-adapted.png").is_file()


def test_an_ensemble_comes_back_as_it_was(ensemble: Run) -> None:
    network, _ = load_network(ensemble.folder)
    assert isinstance(network, Ensemble) and len(network.networks) == 2 and network.adapter is not None
    assert all(torch.equal(weight, weight.half().float()) for one in network.networks for weight in one.parameters())


def test_a_training_killed_between_its_networks_goes_on_with_the_second(
    ensemble: Run, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit, fitted = train_module.fit, []

    def die_at_the_second(*arguments: object, **options: object) -> object:
        fitted.append(options["seed"])
        if fitted == [0, 1000]:
            raise KeyboardInterrupt
        return fit(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(train_module, "fit", die_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        train(ensemble.clips, ensemble.plan, tmp_path / "run", cache=cache)
    train(ensemble.clips, ensemble.plan, tmp_path / "run", cache=cache, resume=True)
    assert fitted == [0, 1000, 1000]
    for name in ("weights.safetensors", "predictions-fusion.csv", "predictions-adapted.csv", "history.json"):
        assert (tmp_path / "run" / name).read_bytes() == (ensemble.folder / name).read_bytes()


def test_a_second_network_never_goes_on_from_the_first(
    ensemble: Run, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = train_module.checkpoint.save_weights

    def die_when_kept(path: Path, network: torch.nn.Module) -> None:
        save(path, network)  # type: ignore[arg-type]
        if path.name == "member-0.safetensors":
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(train_module.checkpoint, "save_weights", die_when_kept)
        with pytest.raises(KeyboardInterrupt):
            train(ensemble.clips, ensemble.plan, tmp_path / "run", cache=cache)
    train(ensemble.clips, ensemble.plan, tmp_path / "run", cache=cache, resume=True)
    assert (tmp_path / "run" / "predictions-member.csv").read_bytes() == (
        ensemble.folder / "predictions-member.csv"
    ).read_bytes()


def test_the_file_knows_a_speaker_as_the_training_did(ensemble: Run, model: Path) -> None:
    found = oof_files.read(ensemble.folder / "predictions-adapted.csv")
    path_of = {clip.clip: clip.path for clip in ensemble.clips}
    recogniser = load(model)
    for speaker in sorted(set(found.speaker.tolist()))[:2]:
        rows = np.flatnonzero(found.speaker == speaker)
        known = recogniser.adapt(path_of[found.path[row]] for row in rows)
        for row in rows:
            answer = known.recognise(path_of[found.path[row]])
            assert answer.probabilities == pytest.approx(found.probabilities[row], abs=1e-4)


def test_adapting_leaves_the_recogniser_as_it_was(ensemble: Run, model: Path) -> None:
    recogniser = load(model)
    clips = [clip.path for clip in ensemble.clips[:5]]
    before = recogniser.recognise(clips[0])
    known = recogniser.adapt(clips)
    assert np.array_equal(recogniser.recognise(clips[0]).probabilities, before.probabilities)
    assert not np.allclose(known.recognise(clips[0]).probabilities, before.probabilities, atol=1e-3)


def test_bad_clips_to_adapt_from(ensemble: Run, model: Path) -> None:
    recogniser = load(model)
    clips = [clip.path for clip in ensemble.clips[:3]]
    with pytest.raises(OvertoneError, match="nowhere"):
        recogniser.adapt([*clips, Path("nowhere.wav")])
    told: list[OvertoneError] = []
    known = recogniser.adapt([clips[0], Path("nowhere.wav"), *clips[1:]], on_error=told.append)
    assert len(told) == 1 and "nowhere.wav" in str(told[0])
    expected = recogniser.adapt(clips).recognise(clips[0]).probabilities
    assert np.array_equal(known.recognise(clips[0]).probabilities, expected)
    for one in (clips[0], str(clips[0]), b"RIFF"):
        with pytest.raises(OptionError, match="expected several clips"):
            recogniser.adapt(one)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="at least one clip"):
        recogniser.adapt([Path("nowhere.wav")], on_error=told.append)


def test_a_model_without_an_adapter(tmp_path: Path) -> None:
    recogniser = load(tiny_model.write(tmp_path / "tiny.onnx"))
    assert isinstance(recogniser, Recogniser) and not recogniser.can_adapt
    with pytest.raises(ModelError, match=r"tiny\.onnx: this model cannot adapt to a speaker"):
        recogniser.adapt([])


def test_predicting_for_one_speaker(
    ensemble: Run, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = [clip.path for clip in ensemble.clips if clip.speaker == "02"]
    options = ["--model", str(model), "--format", "json"]
    known = load(model).adapt(own).recognise(own[0])
    assert main(["predict", str(own[0]), "--adapt-from", str(own[0].parent), *options]) == 0
    row = json.loads(capsys.readouterr().out)[0]
    assert list(row["probabilities"].values()) == pytest.approx(known.probabilities.tolist(), abs=1e-6)
    assert main(["predict", str(own[0]), "--adapt-from", *map(str, own[:1]), "--adapt-from", "no", *options]) == 1
    printed = capsys.readouterr()
    assert len(json.loads(printed.out)) == 1 and "not adapted to: no: no such file" in printed.err


def test_all_answers_are_gathered_with_their_audits(
    one_thread: None, smaller_corpus: Corpus, cache: Path, tmp_path: Path
) -> None:
    recipe = dataclasses.replace(TOGETHER, epochs=1)
    for fold in "12345":
        plan = RunConfig(recipe, "luna5", fold, 0)
        train(smaller_corpus.clips, plan, run_folder(tmp_path / "runs", plan), cache=cache)
    collect_oof(smaller_corpus.clips, recipe, "luna5", [0], tmp_path / "runs", tmp_path / "oof")
    rows = {row.name: row for row in score_oof(tmp_path / "oof", "luna5", "together")}
    assert set(rows) == {f"together recipe, {part}" for part in (*PARTS, "member", "adapted")}
    adapted, fused = rows["together recipe, adapted"], rows["together recipe, fusion"]
    assert adapted.audit == fused.audit and adapted.scores.clips == len(smaller_corpus.clips)
    assert rows["together recipe, member"].scores.seeds == 2
    with pytest.raises(OptionError, match="holds folds 1, 3, 4, 5 too; take another folder with --oof"):
        collect_oof(smaller_corpus.clips, recipe, "luna5", [0], tmp_path / "runs", tmp_path / "oof", folds=["2"])
    collect_oof(smaller_corpus.clips, recipe, "luna5", [0], tmp_path / "runs", tmp_path / "second", folds=["2"])
    kept = oof_files.read(oof_files.csv_path(tmp_path / "second", "luna5", "together", "fusion"))
    assert set(kept.fold.tolist()) == {"2"}


def test_who_can_adapt(corpus: Corpus) -> None:
    clips = corpus.clips
    apart = part_splits(RunConfig(TOGETHER, "luna5", "1", 0), clips)["fusion"]
    by_clip = part_splits(RunConfig(TOGETHER, "random", "1", 0), clips)["fusion"]
    assert can_adapt(apart, clips)
    assert not can_adapt(by_clip, clips)  # the test speakers are known already
    nameless = tuple(dataclasses.replace(clip, speaker="") for clip in clips)
    assert not can_adapt(Split("all", "all", apart.train, apart.validation, ()), nameless)
