"""An ensemble with a speaker adapter: what its run stores, and that the exported file adapts as the training does."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import small_corpus
import tiny_model
import torch
from small_corpus import PARTS, Corpus, Run

from overtone.cli.main import main
from overtone.datatypes import Split
from overtone.errors import ModelError, OptionError, OvertoneError
from overtone.evaluation import oof_files
from overtone.inference.recogniser import Recogniser, load
from overtone.models.ensemble import Ensemble
from overtone.training import train as train_module
from overtone.training.cross_validation import collect_oof, run_folder, score_oof
from overtone.training.ensemble_members import member_seeds
from overtone.training.export import export_run
from overtone.training.fit_adapter import can_adapt
from overtone.training.run_config import RunConfig, part_splits
from overtone.training.run_folder import load_network, own_scores
from overtone.training.train import train

pytestmark = pytest.mark.slow
ADAPTED = dataclasses.replace(
    small_corpus.recipe(small_corpus.JOINT), name="adapted-ensemble", epochs=2, members=2, adapter=0.01
)


@pytest.fixture(scope="module")
def ensemble(one_thread: None, corpus: Corpus, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a training of two networks with an adapter, in the run folder of `overtone evaluate`."""
    config = RunConfig(ADAPTED, "luna5", "1", 0)
    folder = run_folder(tmp_path_factory.mktemp("ensemble"), config)
    return Run(corpus.clips, config, train(corpus.clips, config, folder, cache=cache))


@pytest.fixture(scope="module")
def model(ensemble: Run) -> Path:
    """Return the exported file of the ensemble."""
    return export_run(ensemble.clips, ensemble.folder, model_id="adapted-ensemble")


def test_all_predictions_of_an_ensemble_are_stored(ensemble: Run) -> None:
    tables = {
        part: oof_files.read(ensemble.folder / f"predictions-{part}.csv") for part in (*PARTS, "member", "adapted")
    }
    seeds = member_seeds(ADAPTED, 0)
    assert {part: set(table.seed.tolist()) for part, table in tables.items()} == {
        **{part: {0} for part in (*PARTS, "adapted")},
        "member": set(seeds),
    }
    clips = len(tables["fusion"])
    members = tables["member"].probabilities.reshape(len(seeds), clips, -1)
    assert np.abs(members[0] - members[1]).max() > 0.01
    # The ensemble is calibrated with one temperature, which changes no label.
    assert np.array_equal(members.mean(0).argmax(1), tables["fusion"].probabilities.argmax(1))
    assert not list(ensemble.folder.glob("member-*")) and not (ensemble.folder / "checkpoint.safetensors").exists()
    history = json.loads((ensemble.folder / "history.json").read_text("utf-8"))
    assert {(row["seed"], row["epoch"]) for row in history} == {(seed, epoch) for seed in seeds for epoch in range(2)}


def test_the_report_has_the_scores_of_all_predictions(ensemble: Run) -> None:
    rows = own_scores(ensemble.folder)
    assert list(rows) == [*PARTS, "member", "adapted"]
    assert rows["adapted"].audit == rows["member"].audit == rows["fusion"].audit
    text = (ensemble.folder / "report.md").read_text("utf-8")
    assert "adapted-ensemble, adapted" in text and (ensemble.folder / "figures" / "confusion-adapted.png").is_file()


def test_an_ensemble_is_loaded_with_float16_weights(ensemble: Run) -> None:
    network, _ = load_network(ensemble.folder)
    assert isinstance(network, Ensemble) and len(network.networks) == 2 and network.adapter is not None
    assert all(
        torch.equal(weight, weight.half().float()) for member in network.networks for weight in member.parameters()
    )


def test_a_training_killed_between_its_networks_resumes_with_the_second(
    ensemble: Run, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit, fitted = train_module.fit, []

    def interrupted_fit(*arguments: object, **options: object) -> object:
        fitted.append(options["seed"])
        if fitted == [0, 1000]:
            raise KeyboardInterrupt
        return fit(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(train_module, "fit", interrupted_fit)
    with pytest.raises(KeyboardInterrupt):
        train(ensemble.clips, ensemble.config, tmp_path / "run", cache=cache)
    train(ensemble.clips, ensemble.config, tmp_path / "run", cache=cache, resume=True)
    assert fitted == [0, 1000, 1000]
    for name in ("weights.safetensors", "predictions-fusion.csv", "predictions-adapted.csv", "history.json"):
        assert (tmp_path / "run" / name).read_bytes() == (ensemble.folder / name).read_bytes()


def test_a_second_network_does_not_resume_from_the_first(
    ensemble: Run, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = train_module.checkpoint.save_weights

    def interrupted_save(path: Path, network: torch.nn.Module) -> None:
        save(path, network)  # type: ignore[arg-type]
        if path.name == "member-0.safetensors":
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(train_module.checkpoint, "save_weights", interrupted_save)
        with pytest.raises(KeyboardInterrupt):
            train(ensemble.clips, ensemble.config, tmp_path / "run", cache=cache)
    train(ensemble.clips, ensemble.config, tmp_path / "run", cache=cache, resume=True)
    assert (tmp_path / "run" / "predictions-member.csv").read_bytes() == (
        ensemble.folder / "predictions-member.csv"
    ).read_bytes()


def test_the_exported_file_adapts_as_the_training_does(ensemble: Run, model: Path) -> None:
    found = oof_files.read(ensemble.folder / "predictions-adapted.csv")
    paths = {clip.clip: clip.path for clip in ensemble.clips}
    recogniser = load(model)
    for speaker in sorted(set(found.speaker.tolist()))[:2]:
        rows = np.flatnonzero(found.speaker == speaker)
        adapted = recogniser.adapt(paths[found.path[row]] for row in rows)
        for row in rows:
            prediction = adapted.recognise(paths[found.path[row]])
            assert prediction.probabilities == pytest.approx(found.probabilities[row], abs=1e-4)


def test_adapting_does_not_change_the_recogniser(ensemble: Run, model: Path) -> None:
    recogniser = load(model)
    clips = [clip.path for clip in ensemble.clips[:5]]
    before = recogniser.recognise(clips[0])
    adapted = recogniser.adapt(clips)
    assert np.array_equal(recogniser.recognise(clips[0]).probabilities, before.probabilities)
    assert not np.allclose(adapted.recognise(clips[0]).probabilities, before.probabilities, atol=1e-3)


def test_unreadable_reference_clips(ensemble: Run, model: Path) -> None:
    recogniser = load(model)
    clips = [clip.path for clip in ensemble.clips[:3]]
    with pytest.raises(OvertoneError, match="nowhere"):
        recogniser.adapt([*clips, Path("nowhere.wav")])
    errors: list[OvertoneError] = []
    adapted = recogniser.adapt([clips[0], Path("nowhere.wav"), *clips[1:]], on_error=errors.append)
    assert len(errors) == 1 and "nowhere.wav" in str(errors[0])
    expected = recogniser.adapt(clips).recognise(clips[0]).probabilities
    assert np.array_equal(adapted.recognise(clips[0]).probabilities, expected)
    for single in (clips[0], str(clips[0]), b"RIFF"):
        with pytest.raises(OptionError, match="expected several clips"):
            recogniser.adapt(single)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="at least one reference clip"):
        recogniser.adapt([Path("nowhere.wav")], on_error=errors.append)


def test_a_model_without_an_adapter_cannot_adapt(tmp_path: Path) -> None:
    recogniser = load(tiny_model.write(tmp_path / "tiny.onnx"))
    assert isinstance(recogniser, Recogniser) and not recogniser.can_adapt
    with pytest.raises(ModelError, match=r"tiny\.onnx: this model has no speaker adapter"):
        recogniser.adapt([])


def test_predict_command_with_reference_clips(
    ensemble: Run, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = [clip.path for clip in ensemble.clips if clip.speaker == "02"]
    options = ["--model", str(model), "--format", "json"]
    expected = load(model).adapt(clips).recognise(clips[0])
    assert main(["predict", str(clips[0]), "--reference", str(clips[0].parent), *options]) == 0
    row = json.loads(capsys.readouterr().out)[0]
    assert list(row["probabilities"].values()) == pytest.approx(expected.probabilities.tolist(), abs=1e-6)
    assert main(["predict", str(clips[0]), "--reference", *map(str, clips[:1]), "--reference", "no", *options]) == 1
    printed = capsys.readouterr()
    assert len(json.loads(printed.out)) == 1 and "no: no such file" in printed.err


def test_all_predictions_are_collected_with_their_audits(
    one_thread: None, smaller_corpus: Corpus, cache: Path, tmp_path: Path
) -> None:
    recipe = dataclasses.replace(ADAPTED, epochs=1)
    for fold in "12345":
        config = RunConfig(recipe, "luna5", fold, 0)
        train(smaller_corpus.clips, config, run_folder(tmp_path / "runs", config), cache=cache)
    collect_oof(smaller_corpus.clips, recipe, "luna5", [0], tmp_path / "runs", tmp_path / "oof")
    rows = {row.name: row for row in score_oof(tmp_path / "oof", "luna5", "adapted-ensemble")}
    assert set(rows) == {f"adapted-ensemble recipe, {part}" for part in (*PARTS, "member", "adapted")}
    adapted, fused = rows["adapted-ensemble recipe, adapted"], rows["adapted-ensemble recipe, fusion"]
    assert adapted.audit == fused.audit and adapted.scores.clips == len(smaller_corpus.clips)
    assert rows["adapted-ensemble recipe, member"].scores.seeds == 2
    with pytest.raises(OptionError, match="holds folds 1, 3, 4, 5 too; choose another folder with --oof"):
        collect_oof(smaller_corpus.clips, recipe, "luna5", [0], tmp_path / "runs", tmp_path / "oof", folds=["2"])
    collect_oof(smaller_corpus.clips, recipe, "luna5", [0], tmp_path / "runs", tmp_path / "second", folds=["2"])
    table = oof_files.read(oof_files.csv_path(tmp_path / "second", "luna5", "adapted-ensemble", "fusion"))
    assert set(table.fold.tolist()) == {"2"}


def test_adaptation_needs_known_and_disjoint_speakers(corpus: Corpus) -> None:
    clips = corpus.clips
    by_speaker = part_splits(RunConfig(ADAPTED, "luna5", "1", 0), clips)["fusion"]
    by_clip = part_splits(RunConfig(ADAPTED, "random", "1", 0), clips)["fusion"]
    assert can_adapt(by_speaker, clips)
    assert not can_adapt(by_clip, clips)  # the test speakers are in the training set
    unnamed = tuple(dataclasses.replace(clip, speaker="") for clip in clips)
    assert not can_adapt(Split("all", "all", by_speaker.train, by_speaker.validation, ()), unnamed)
