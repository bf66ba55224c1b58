"""A complete training: the files of its run folder, the configurations it refuses, and resuming after a kill."""

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
import torch
from small_corpus import PARTS, Corpus, Run

from overtone.audio.decode import read
from overtone.errors import CorpusError, OptionError, TrainingError
from overtone.evaluation import oof_files
from overtone.evaluation.calibration import fit_temperature
from overtone.training import train as train_module
from overtone.training.feature_cache import load_features
from overtone.training.loop import predict_logits
from overtone.training.run_config import RUN_FORMAT, RunConfig, run_metadata
from overtone.training.run_folder import is_finished, load_network, matches_run, own_scores, read_run
from overtone.training.train import train

JOINT, PHASED = small_corpus.recipe(small_corpus.JOINT), small_corpus.recipe(small_corpus.PHASED)
TIMEOUT_S = 240.0
FILES = {"run.json", "history.json", "scores.json", "calibration.json", "weights.safetensors"}
FILES |= {"report.md", "report.html", "figures"}
PREDICTIONS = {f"predictions-{part}.csv" for part in PARTS}


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test if a network is trained or features are computed."""

    def fail(*arguments: object, **options: object) -> None:
        pytest.fail("something was trained")

    monkeypatch.setattr(train_module, "fit", fail)
    monkeypatch.setattr(train_module, "load_features", fail)


def test_the_files_of_a_run_folder(trained: Run) -> None:
    assert {path.name for path in trained.folder.iterdir()} == FILES | PREDICTIONS
    assert is_finished(trained.folder)
    history = json.loads((trained.folder / "history.json").read_text("utf-8"))
    assert [(row["part"], row["epoch"]) for row in history] == [(part, k) for k in range(3) for part in PARTS]
    figures = {path.name for path in (trained.folder / "figures").iterdir()}
    assert figures == {f"{kind}-{part}.png" for kind in ("curves", "confusion") for part in PARTS}


@pytest.mark.slow
def test_reference_sets_without_a_branch_that_refers_train_no_adapter(
    one_thread: None, smaller_corpus: Corpus, cache: Path, tmp_path: Path
) -> None:
    recipe = dataclasses.replace(JOINT, name="referring", epochs=1, reference_sets=0.5)
    folder = train(smaller_corpus.clips, RunConfig(recipe, "luna5", "1", 0), tmp_path / "run", cache=cache)
    assert is_finished(folder) and not (folder / "predictions-adapted.csv").exists()


def test_run_json_holds_the_metadata_of_the_run(trained: Run) -> None:
    assert read_run(trained.folder) == run_metadata(trained.clips, trained.config)
    assert matches_run(trained.folder, run_metadata(trained.clips, trained.config))


def test_every_test_clip_is_predicted_once_and_prosody_beats_chance(trained: Run) -> None:
    rows = own_scores(trained.folder)
    assert [row.name for row in rows.values()] == ["joint, mel", "joint, prosody", "joint, fusion"]
    for part, row in rows.items():
        table = oof_files.read(trained.folder / f"predictions-{part}.csv")
        assert sorted(table.path.tolist()) == sorted(read_run(trained.folder)["split"][part]["test"])
        truth = {clip.clip: (clip.emotion, clip.speaker, clip.sentence) for clip in trained.clips}
        keys = zip(table.path, table.truth, table.speaker, table.sentence, strict=True)
        assert all(truth[path] == tuple(key) for path, *key in keys)
        assert set(table.fold) == {"1"} and set(table.seed) == {0}
        assert row.audit is not None and (row.audit.seen_clips, row.audit.shared_speakers) == (0, 0)
    assert rows["prosody"].scores.uar.value > 0.25  # chance is 0.125


def test_scores_json_holds_the_scores(trained: Run) -> None:
    stored = json.loads((trained.folder / "scores.json").read_text("utf-8"))
    for part, row in own_scores(trained.folder).items():
        assert stored[part]["uar"] == {
            "value": row.scores.uar.value,
            "low": row.scores.uar.low,
            "high": row.scores.uar.high,
        }
        assert (stored[part]["clips"], stored[part]["audit"]["seen_clips"]) == (row.scores.clips, 0)


def test_the_report_shows_scores_with_their_audit(trained: Run) -> None:
    text = (trained.folder / "report.md").read_text("utf-8")
    assert (
        "Recipe joint, protocol luna5, fold 1, seed 0: 120 training clips, 32 validation clips (to select the epoch)"
        in text
    )
    assert "40 test clips" in text and "no test set" not in text
    assert "Test clips trained on" in text and "| 0 % |" in text.replace("  ", " ")
    for part in PARTS:
        assert f"figures/confusion-{part}.png" in text and f"figures/curves-{part}.png" in text


def test_the_loaded_network_reproduces_the_stored_predictions(trained: Run) -> None:
    network, _ = load_network(trained.folder)
    table = oof_files.read(trained.folder / "predictions-fusion.csv")
    rows = {path: k for k, path in enumerate(table.path.tolist())}
    for clip in [clip for clip in trained.clips if clip.clip in rows][:3]:
        with torch.inference_mode():
            outputs = network(torch.from_numpy(read(clip.path).samples)[None])
        probabilities = outputs[network.output_names.index("probabilities")][0].numpy()
        assert table.probabilities[rows[clip.clip]] == pytest.approx(probabilities, abs=1e-4)


def test_each_part_is_calibrated_on_the_validation_clips(trained: Run) -> None:
    network, run = load_network(trained.folder)
    clips = {clip.clip: clip for clip in trained.clips}
    held_out = [trained.clips.index(clips[name]) for name in run["split"]["fusion"]["validation"]]
    logits = predict_logits(network, load_features(trained.clips, 0, trained.folder.parent / "features"), held_out)
    truth = [run["emotions"].index(trained.clips[index].emotion) for index in held_out]
    for k, part in enumerate(PARTS):
        expected = fit_temperature(logits[part].double().numpy(), np.array(truth))
        assert network.temperature[k].item() == pytest.approx(expected, rel=1e-3) != pytest.approx(1)


def test_a_used_folder_is_refused(trained: Run, no_training: None) -> None:
    with pytest.raises(TrainingError, match=r"trained holds a training run already; .*--resume"):
        train(trained.clips, trained.config, trained.folder)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"seed": 1}, "another seed"),
        ({"fold": "2"}, "another fold"),
        ({"protocol": "random"}, "another protocol"),
        ({"recipe": dataclasses.replace(JOINT, epochs=5, dropout=0.1)}, r"another recipe \(epochs, dropout\)"),
    ],
)
def test_another_configuration_is_not_resumed(
    trained: Run, no_training: None, values: dict[str, object], message: str
) -> None:
    with pytest.raises(TrainingError, match=f"{trained.folder.name} holds a training run with {message};"):
        train(trained.clips, dataclasses.replace(trained.config, **values), trained.folder, resume=True)


def test_other_clips_are_not_resumed(trained: Run, no_training: None) -> None:
    with pytest.raises(TrainingError, match="with another split"):
        train(trained.clips[1:], trained.config, trained.folder, resume=True)


def test_a_run_of_other_code_is_not_resumed(trained: Run, tmp_path: Path, no_training: None) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "run")
    run = json.loads((folder / "run.json").read_text("utf-8"))
    (folder / "run.json").write_text(json.dumps({**run, "code": "0123456789abcdef"}))
    with pytest.raises(TrainingError, match="run holds a training run of other code"):
        train(trained.clips, trained.config, folder, resume=True)


def test_a_run_with_other_initial_weights_is_not_resumed(trained: Run, tmp_path: Path, no_training: None) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "run")
    init = {"weights": "0123", "training_data": []}
    (folder / "run.json").write_text(json.dumps({**read_run(folder), "init": init}))
    with pytest.raises(TrainingError, match="run holds a training run initialised from another run"):
        train(trained.clips, trained.config, folder, resume=True)


def test_a_finished_training_is_left_unchanged(trained: Run, no_training: None) -> None:
    before = {path: path.stat().st_mtime_ns for path in trained.folder.rglob("*")}
    assert train(trained.clips, trained.config, trained.folder, resume=True) == trained.folder
    assert {path: path.stat().st_mtime_ns for path in trained.folder.rglob("*")} == before


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "cannot be read"), ("[]", "cannot be read"), ('{"seed": 0}', "lacks audits, emotions, fold")],
)
def test_a_damaged_run_json_is_named(
    trained: Run, tmp_path: Path, no_training: None, content: str, message: str
) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "run")
    (folder / "run.json").write_text(content)
    with pytest.raises(TrainingError, match=f"run.json: {message}"):
        train(trained.clips, trained.config, folder, resume=True)
    with pytest.raises(TrainingError, match=f"run.json: {message}"):
        load_network(folder)


@pytest.mark.parametrize("run_format", [None, RUN_FORMAT - 1, RUN_FORMAT + 1])
def test_a_run_of_another_format_is_refused(
    trained: Run, tmp_path: Path, no_training: None, run_format: int | None
) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "run")
    run = {**read_run(folder), "format": run_format}
    if run_format is None:  # the first format had no such key
        del run["format"]
    (folder / "run.json").write_text(json.dumps(run))
    message = r"run\.json: written by another version of Overtone; delete the folder to train again$"
    for use in (read_run, load_network, own_scores, lambda folder: matches_run(folder, run)):
        with pytest.raises(TrainingError, match=message):
            use(folder)
    with pytest.raises(TrainingError, match=message):
        train(trained.clips, trained.config, folder, resume=True)


def test_the_network_of_an_unfinished_or_damaged_run_is_not_loaded(trained: Run, tmp_path: Path) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "run")
    (folder / "weights.safetensors").write_bytes(b"not weights")
    with pytest.raises(TrainingError, match=r"weights\.safetensors: cannot be loaded as weights of this network"):
        load_network(folder)
    (folder / "weights.safetensors").unlink()
    with pytest.raises(TrainingError, match=r"holds no finished training run; .*--resume"):
        load_network(folder)


def test_other_files_and_folders_are_left_unchanged(trained: Run, tmp_path: Path, no_training: None) -> None:
    file, folder = tmp_path / "file", tmp_path / "folder"
    file.write_text("mine")
    folder.mkdir()
    (folder / "checkpoint.safetensors").write_text("of another program")
    for path in (file, folder):
        with pytest.raises(TrainingError, match=f"{path.name} is not a run folder"):
            train(trained.clips, trained.config, path, resume=True)
    assert file.read_text() == "mine"
    assert [path.name for path in folder.iterdir()] == ["checkpoint.safetensors"]


def test_an_unreadable_clip_is_reported_before_anything_is_written(corpus: Corpus, tmp_path: Path) -> None:
    bad = tmp_path / "bad.flac"
    bad.write_bytes(corpus.clips[3].path.read_bytes()[:500])
    clips = [*corpus.clips[:3], dataclasses.replace(corpus.clips[3], path=bad), *corpus.clips[4:]]
    with pytest.raises(CorpusError, match=r"1 of 192 clips cannot be read, remove them:\n  .*bad\.flac"):
        train(clips, RunConfig(JOINT, "luna5", "1", 0), tmp_path / "run", cache=tmp_path / "cache")
    assert [path.name for path in tmp_path.rglob("*")] == ["bad.flac"]


@pytest.mark.parametrize(
    ("recipe", "protocol", "message"),
    [
        (JOINT, "paper", "recipe 'joint' trains several together"),
        (
            dataclasses.replace(JOINT, branches={"mel": "residual-cn", "prosody": "contour-cnn"}),
            "luna5",
            "no mel network 'residual-cn'; did you mean 'residual-cnn'",
        ),
    ],
)
def test_an_invalid_recipe_writes_no_file(
    corpus: Corpus, tmp_path: Path, recipe: object, protocol: str, message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        train(corpus.clips, RunConfig(recipe, protocol, "1", 0), tmp_path / "run", cache=tmp_path / "cache")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_without_a_test_set_the_report_has_no_scores(
    one_thread: None, smaller_corpus: Corpus, cache: Path, tmp_path: Path
) -> None:
    config = RunConfig(PHASED, "all", "all", 0)
    folder = train(smaller_corpus.clips, config, tmp_path / "run", cache=cache)
    assert {path.name for path in folder.iterdir()} == FILES
    assert own_scores(folder) == {}
    text = (folder / "report.md").read_text("utf-8")
    assert "80 training clips, 16 validation clips (to select the epoch), 0 test clips" in text
    assert "There is no test set" in text
    assert "UAR" not in text and "confusion" not in text.lower()
    assert all(f"figures/curves-{part}.png" in text for part in PARTS)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_a_killed_training_resumes_with_equal_results(
    one_thread: None, smaller_corpus: Corpus, cache: Path, tmp_path: Path
) -> None:
    config = RunConfig(JOINT, "random", "1", 5)
    uninterrupted = train(smaller_corpus.clips, config, tmp_path / "uninterrupted", cache=cache)
    folder, recipe = tmp_path / "killed", small_corpus.recipe_file(tmp_path, small_corpus.JOINT)
    command = [sys.executable, "-m", "overtone.cli.main", "train", "--data", smaller_corpus.folder, "--cache", cache]
    command += ["--recipe", recipe, "--protocol", "random", "--seed", "5", "--output", folder, "--no-export"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    kill_after_first_checkpoint(list(map(str, command)), environment, folder)
    assert not is_finished(folder) and not (folder / "weights.safetensors").exists()
    assert matches_run(folder, run_metadata(smaller_corpus.clips, config))

    resumed = subprocess.run([*map(str, command), "--resume"], env=environment, capture_output=True, text=True)
    first, *_, last = resumed.stderr.splitlines()
    assert (resumed.returncode, first) == (0, "ravdess: 96 clips") and last.startswith("3 of 3 steps: fusion: ")
    assert {path.name for path in folder.iterdir()} == {path.name for path in uninterrupted.iterdir()}
    for name in ("weights.safetensors", "history.json", *PREDICTIONS):
        assert (folder / name).read_bytes() == (uninterrupted / name).read_bytes(), name
    *scores, report = resumed.stdout.splitlines()
    assert report == str(folder / "report.html")
    assert [line.split(":")[0] for line in scores] == [f"joint, {part}, random" for part in PARTS]
    assert all("trained or chosen on: 0 of 20 test clips, " in line for line in scores)


def kill_after_first_checkpoint(command: list[str], environment: dict[str, str], folder: Path) -> None:
    """Start a training and kill it once its first checkpoint exists."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    start = time.monotonic()
    while not (folder / "checkpoint.safetensors").exists():
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() - start < TIMEOUT_S
        time.sleep(0.01)
    process.kill()
    _, error = process.communicate()
    assert process.returncode == -signal.SIGKILL, error
