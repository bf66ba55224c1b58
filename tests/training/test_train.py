"""A whole training: what it leaves in its folder, what it refuses, and that a killed one ends as an unbroken one."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import small_corpus
from small_corpus import Corpus, Run

from overtone.audio.decode import read
from overtone.errors import CorpusError, OptionError, TrainingError
from overtone.evaluation import oof_files
from overtone.evaluation.calibration import fit_temperature
from overtone.recipe import PARTS
from overtone.training import train as train_module
from overtone.training.feature_cache import load_features
from overtone.training.run_config import RunConfig, run_metadata
from overtone.training.train import is_finished, load_network, matches_run, own_scores, read_run, train

JOINT, PHASED = small_corpus.recipe(small_corpus.JOINT), small_corpus.recipe(small_corpus.PHASED)
PATIENCE_S = 240.0
FILES = {"run.json", "history.json", "scores.json", "weights.safetensors", "report.md", "report.html", "figures"}
ANSWERS = {f"predictions-{part}.csv" for part in PARTS}


@pytest.fixture
def never_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes it an error to train or to measure."""

    def refuse(*arguments: object, **options: object) -> None:
        pytest.fail("something was trained")

    monkeypatch.setattr(train_module, "fit", refuse)
    monkeypatch.setattr(train_module, "prepare", refuse)


def changed(plan: RunConfig, **values: object) -> RunConfig:
    return dataclasses.replace(plan, **values)


def test_a_run_folder_holds_what_it_should_and_nothing_else(trained: Run) -> None:
    assert {path.name for path in trained.folder.iterdir()} == FILES | ANSWERS
    assert is_finished(trained.folder)
    history = json.loads((trained.folder / "history.json").read_text("utf-8"))
    assert [(row["part"], row["epoch"]) for row in history] == [(part, k) for k in range(3) for part in PARTS]
    figures = {path.name for path in (trained.folder / "figures").iterdir()}
    assert figures == {f"{kind}-{part}.png" for kind in ("curves", "confusion") for part in PARTS}


def test_run_json_says_what_was_planned(trained: Run) -> None:
    assert read_run(trained.folder) == run_metadata(trained.clips, trained.plan)
    assert matches_run(trained.folder, run_metadata(trained.clips, trained.plan))


def test_every_test_clip_is_answered_once_and_the_prosody_has_learned(trained: Run) -> None:
    rows = own_scores(trained.folder)
    assert [row.name for row in rows.values()] == ["joint, mel", "joint, prosody", "joint, fusion"]
    for part, row in rows.items():
        found = oof_files.read(trained.folder / f"predictions-{part}.csv")
        assert sorted(found.path.tolist()) == sorted(read_run(trained.folder)["split"][part]["test"])
        truth = {clip.clip: (clip.emotion, clip.speaker, clip.sentence) for clip in trained.clips}
        keys = zip(found.path, found.truth, found.speaker, found.sentence, strict=True)
        assert all(truth[path] == tuple(key) for path, *key in keys)
        assert set(found.fold) == {"1"} and set(found.seed) == {0}
        assert row.audit is not None and (row.audit.seen_clips, row.audit.shared_speakers) == (0, 0)
    assert rows["prosody"].scores.uar.value > 0.25  # chance is 0.125, and a random fold gets twice that and more


def test_scores_are_kept_as_numbers(trained: Run) -> None:
    kept = json.loads((trained.folder / "scores.json").read_text("utf-8"))
    for part, row in own_scores(trained.folder).items():
        assert kept[part]["uar"] == {
            "value": row.scores.uar.value,
            "low": row.scores.uar.low,
            "high": row.scores.uar.high,
        }
        assert (kept[part]["clips"], kept[part]["audit"]["seen_clips"]) == (row.scores.clips, 0)


def test_the_report_shows_scores_with_their_audit(trained: Run) -> None:
    text = (trained.folder / "report.md").read_text("utf-8")
    assert "Recipe joint, protocol luna5, fold 1, seed 0: 120 clips to learn from, 32 to choose the epoch on" in text
    assert "40 to test on" in text and "no test side" not in text
    assert "Test clips trained on" in text and "| 0 % |" in text.replace("  ", " ")
    for part in PARTS:
        assert f"figures/confusion-{part}.png" in text and f"figures/curves-{part}.png" in text


def test_the_network_of_a_run_gives_its_predictions(trained: Run) -> None:
    import torch

    network, _ = load_network(trained.folder)
    found = oof_files.read(trained.folder / "predictions-fusion.csv")
    row_of = {path: k for k, path in enumerate(found.path.tolist())}
    for clip in [clip for clip in trained.clips if clip.clip in row_of][:3]:
        with torch.inference_mode():
            answer = network(torch.from_numpy(read(clip.path).samples)[None]).probabilities[0].numpy()
        assert found.probabilities[row_of[clip.clip]] == pytest.approx(answer, abs=1e-4)


def test_each_part_is_calibrated_on_the_validation_clips(trained: Run) -> None:
    network, run = load_network(trained.folder)
    clips = {clip.clip: clip for clip in trained.clips}
    held_out = [trained.clips.index(clips[name]) for name in run["split"]["fusion"]["validation"]]
    logits = train_module.predict_logits(
        network, load_features(trained.clips, 0, trained.folder.parent / "features"), held_out
    )
    truth = [run["emotions"].index(trained.clips[index].emotion) for index in held_out]
    for k, part in enumerate(PARTS):
        expected = fit_temperature(logits[part].double().numpy(), np.array(truth))
        assert network.temperature[k].item() == pytest.approx(expected, rel=1e-3) != pytest.approx(1)


def test_a_used_folder_is_refused(trained: Run, never_fitted: None) -> None:
    with pytest.raises(TrainingError, match="holds a training already; give --resume to go on, or another folder"):
        train(trained.clips, trained.plan, trained.folder)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"seed": 1}, "another seed"),
        ({"fold": "2"}, "another fold"),
        ({"protocol": "random"}, "another protocol"),
        ({"recipe": dataclasses.replace(JOINT, epochs=5, dropout=0.1)}, r"another recipe \(epochs, dropout\)"),
    ],
)
def test_another_plan_is_not_resumed(trained: Run, never_fitted: None, values: dict[str, object], message: str) -> None:
    with pytest.raises(TrainingError, match=f"{trained.folder.name} holds a training with {message}; take another"):
        train(trained.clips, changed(trained.plan, **values), trained.folder, resume=True)


def test_other_clips_are_not_resumed(trained: Run, never_fitted: None) -> None:
    with pytest.raises(TrainingError, match="with another split"):
        train(trained.clips[1:], trained.plan, trained.folder, resume=True)


def test_a_training_by_other_code_is_not_resumed(trained: Run, tmp_path: Path, never_fitted: None) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "run")
    run = json.loads((folder / "run.json").read_text("utf-8"))
    (folder / "run.json").write_text(json.dumps({**run, "code": "0123456789abcdef"}))
    with pytest.raises(TrainingError, match="holds a training by other code"):
        train(trained.clips, trained.plan, folder, resume=True)


def test_a_finished_training_is_left_as_it_is(trained: Run, never_fitted: None) -> None:
    before = {path: path.stat().st_mtime_ns for path in trained.folder.rglob("*")}
    assert train(trained.clips, trained.plan, trained.folder, resume=True) == trained.folder
    assert {path: path.stat().st_mtime_ns for path in trained.folder.rglob("*")} == before


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "cannot be read"), ("[]", "cannot be read"), ('{"seed": 0}', "lacks audits, emotions, fold")],
)
def test_a_damaged_run_json_is_named(
    trained: Run, tmp_path: Path, never_fitted: None, content: str, message: str
) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "run")
    (folder / "run.json").write_text(content)
    with pytest.raises(TrainingError, match=f"run.json: {message}"):
        train(trained.clips, trained.plan, folder, resume=True)
    with pytest.raises(TrainingError, match=f"run.json: {message}"):
        load_network(folder)


def test_an_unfinished_or_damaged_run_gives_no_network(trained: Run, tmp_path: Path) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "run")
    (folder / "weights.safetensors").write_bytes(b"not weights")
    with pytest.raises(TrainingError, match=r"weights\.safetensors: no weights of this network"):
        load_network(folder)
    (folder / "weights.safetensors").unlink()
    with pytest.raises(TrainingError, match="holds no finished training; run it to its end with --resume"):
        load_network(folder)


def test_what_is_no_run_folder_is_left_alone(trained: Run, tmp_path: Path, never_fitted: None) -> None:
    file, folder = tmp_path / "file", tmp_path / "folder"
    file.write_text("mine")
    folder.mkdir()
    (folder / "checkpoint.safetensors").write_text("of something else")
    for path in (file, folder):
        with pytest.raises(TrainingError, match=f"{path.name} is no folder of a run"):
            train(trained.clips, trained.plan, path, resume=True)
    assert file.read_text() == "mine"
    assert [path.name for path in folder.iterdir()] == ["checkpoint.safetensors"]


def test_a_bad_clip_stops_it_before_anything_is_written(corpus: Corpus, tmp_path: Path) -> None:
    bad = tmp_path / "bad.flac"
    bad.write_bytes(corpus.clips[3].path.read_bytes()[:500])
    clips = [*corpus.clips[:3], dataclasses.replace(corpus.clips[3], path=bad), *corpus.clips[4:]]
    with pytest.raises(CorpusError, match=r"1 of 192 clips cannot be read, take them out:\n  .*bad\.flac"):
        train(clips, RunConfig(JOINT, "luna5", "1", 0), tmp_path / "run", cache=tmp_path / "cache")
    assert [path.name for path in tmp_path.rglob("*")] == ["bad.flac"]


@pytest.mark.parametrize(
    ("recipe", "protocol", "message"),
    [
        (JOINT, "paper", "recipe 'joint' trains several together"),
        (dataclasses.replace(JOINT, mel="atentive"), "luna5", "no mel network 'atentive'; did you mean 'attentive'"),
    ],
)
def test_a_recipe_that_cannot_be_trained_leaves_nothing(
    corpus: Corpus, tmp_path: Path, recipe: object, protocol: str, message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        train(corpus.clips, RunConfig(recipe, protocol, "1", 0), tmp_path / "run", cache=tmp_path / "cache")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_without_a_test_side_the_report_claims_nothing(
    one_thread: None, smaller_corpus: Corpus, cache: Path, tmp_path: Path
) -> None:
    plan = RunConfig(PHASED, "all", "all", 0)
    folder = train(smaller_corpus.clips, plan, tmp_path / "run", cache=cache)
    assert {path.name for path in folder.iterdir()} == FILES
    assert own_scores(folder) == {}
    text = (folder / "report.md").read_text("utf-8")
    assert "80 clips to learn from, 16 to choose the epoch on, 0 to test on" in text
    assert "There is no test side" in text
    assert "UAR" not in text and "confusion" not in text.lower()
    assert all(f"figures/curves-{part}.png" in text for part in PARTS)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_a_killed_training_ends_as_an_unbroken_one(
    one_thread: None, smaller_corpus: Corpus, cache: Path, tmp_path: Path
) -> None:
    plan = RunConfig(JOINT, "random", "1", 5)
    unbroken = train(smaller_corpus.clips, plan, tmp_path / "unbroken", cache=cache)
    folder, recipe = tmp_path / "killed", small_corpus.recipe_file(tmp_path, small_corpus.JOINT)
    command = [sys.executable, "-m", "overtone.cli.main", "train", "--data", smaller_corpus.folder, "--cache", cache]
    command += ["--recipe", recipe, "--protocol", "random", "--seed", "5", "--output", folder, "--no-export"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    kill_after_the_first_checkpoint([str(word) for word in command], environment, folder)
    assert not is_finished(folder) and not (folder / "weights.safetensors").exists()
    assert matches_run(folder, run_metadata(smaller_corpus.clips, plan))

    done = subprocess.run([*map(str, command), "--resume"], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "ravdess: 96 clips\n")
    assert {path.name for path in folder.iterdir()} == {path.name for path in unbroken.iterdir()}
    for name in ("weights.safetensors", "history.json", *ANSWERS):
        assert (folder / name).read_bytes() == (unbroken / name).read_bytes(), name
    *scores, report = done.stdout.splitlines()
    assert report == str(folder / "report.html")
    assert [line.split(":")[0] for line in scores] == [f"joint, {part}, random" for part in PARTS]
    assert all("trained or chosen on: 0 of 20 test clips, " in line for line in scores)


def kill_after_the_first_checkpoint(command: list[str], environment: dict[str, str], folder: Path) -> None:
    running = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    start = time.monotonic()
    while not (folder / "checkpoint.safetensors").exists():
        assert running.poll() is None, running.stderr.read() if running.stderr else ""
        assert time.monotonic() - start < PATIENCE_S
        time.sleep(0.01)
    running.kill()
    _, error = running.communicate()
    assert running.returncode == -signal.SIGKILL, error
