"""Out-of-fold predictions: every clip once per seed, the same however many jobs, and no failure without a name."""

import dataclasses
import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import small_corpus
from small_corpus import Corpus

from overtone.corpora.ravdess import EMOTIONS
from overtone.errors import OptionError, TrainingError
from overtone.evaluation import oof_files
from overtone.evaluation.protocols import LUNA5
from overtone.recipe import PARTS
from overtone.training import cross_validation as evaluate_module
from overtone.training.cross_validation import collect_oof, evaluate, make_run_configs, run_folder, score_oof
from overtone.training.run_config import RunConfig
from overtone.training.train import read_run

JOINT, PHASED = small_corpus.recipe(small_corpus.JOINT), small_corpus.recipe(small_corpus.PHASED)
SEEDS = (3, 4)


@pytest.fixture(scope="module")
def evaluated(one_thread: None, smaller_corpus: Corpus, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with runs and predictions of two seeds, trained here one after the other."""
    folder = tmp_path_factory.mktemp("evaluated")
    evaluate(smaller_corpus.clips, PHASED, "random", SEEDS, runs=folder / "runs", oof=folder / "oof", cache=cache)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_run_lies_where_its_plan_says() -> None:
    assert run_folder(Path("runs"), RunConfig(JOINT, "luna5", "2", 7)) == Path("runs/luna5-joint/seed7-fold2")
    # The folds of `loso` are named after speakers, and those can be called anything.
    hostile = run_folder(Path("runs"), RunConfig(JOINT, "loso", "../../etc/me", 0))
    assert hostile.parent == Path("runs/loso-joint") and ".." not in hostile.parts


def test_every_clip_is_answered_once_by_a_fold_that_held_out_its_actor(rebuilt: Path, smaller_corpus: Corpus) -> None:
    for part in PARTS:
        path = oof_files.csv_path(rebuilt / "oof", "luna5", "phased", part)
        emotions = ",".join(f"p_{emotion}" for emotion in EMOTIONS[:4])
        assert path.read_text().splitlines()[0] == f"path,speaker,sentence,fold,seed,truth,{emotions}"
        found = oof_files.read(path)
        assert Counter(found.path.tolist()) == Counter(clip.clip for clip in smaller_corpus.clips)
        fold_of = {f"{actor:02d}": str(k) for k, actors in enumerate(LUNA5, start=1) for actor in actors}
        assert found.fold.tolist() == [fold_of[speaker] for speaker in found.speaker]
        assert set(found.seed.tolist()) == {0}


def test_audits_are_summed_over_folds_and_seeds(rebuilt: Path, evaluated: Path) -> None:
    luna5 = oof_files.read_record(oof_files.record_path(rebuilt / "oof", "luna5", "phased"))
    assert vars(luna5.parts["fusion"]) == {
        "test_clips": 96, "test_speakers": 24, "test_sentences": 10,
        "shared_speakers": 0, "shared_sentences": 10, "seen_clips": 0,
    }  # fmt: skip
    paper = oof_files.read_record(oof_files.record_path(rebuilt / "oof", "paper", "phased")).parts["fusion"]
    assert 0.9 * paper.test_clips < paper.seen_clips <= paper.test_clips == 20
    random = oof_files.read_record(oof_files.record_path(evaluated / "oof", "random", "phased"))
    assert (random.protocol, random.recipe, random.seeds) == ("random", "phased", SEEDS)
    assert (random.parts["mel"].test_clips, random.parts["mel"].seen_clips) == (40, 0)


def test_predictions_of_several_seeds_stand_in_one_file(evaluated: Path) -> None:
    found = oof_files.read(oof_files.csv_path(evaluated / "oof", "random", "phased", "fusion"))
    assert Counter(found.seed.tolist()) == {3: 20, 4: 20}
    tested = {seed: set(found.path[found.seed == seed].tolist()) for seed in SEEDS}
    assert tested[3] != tested[4]
    rows = score_oof(evaluated / "oof", "random", "phased")
    assert [(row.name, row.scores.seeds) for row in rows] == [(f"phased recipe, {part}", 2) for part in PARTS]


def test_versions_are_those_of_the_trainings(evaluated: Path, smaller_corpus: Corpus, tmp_path: Path) -> None:
    first, second = (run_folder(evaluated / "runs", RunConfig(PHASED, "random", "1", seed)) for seed in SEEDS)
    assert read_run(first)["versions"] == read_run(second)["versions"]
    kept = (second / "run.json").read_text("utf-8")
    run = json.loads(kept)
    run["versions"]["numpy"] = "0.0.1"
    (second / "run.json").write_text(json.dumps(run))
    collect_oof(smaller_corpus.clips, PHASED, "random", SEEDS, evaluated / "runs", tmp_path)
    (second / "run.json").write_text(kept)
    versions = oof_files.read_record(oof_files.record_path(tmp_path, "random", "phased")).versions
    assert versions["numpy"] == f"0.0.1, {read_run(first)['versions']['numpy']}"
    assert versions["torch"] == read_run(first)["versions"]["torch"]


def test_started_again_it_takes_what_is_finished(
    evaluated: Path, smaller_corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("train", "prepare", "_train_beside"):
        monkeypatch.setattr(evaluate_module, name, lambda *a, **k: pytest.fail("something was trained"))
    before = {path: path.stat().st_mtime_ns for path in (evaluated / "runs").rglob("*")}
    for jobs in (1, 2):
        oof = tmp_path / str(jobs)
        evaluate(
            smaller_corpus.clips, PHASED, "random", SEEDS,
            runs=evaluated / "runs", oof=oof, command=["train"], jobs=jobs,
        )  # fmt: skip
        assert files(oof) == files(evaluated / "oof")
    assert {path: path.stat().st_mtime_ns for path in (evaluated / "runs").rglob("*")} == before


@pytest.mark.slow
def test_two_jobs_give_the_same_files_as_one(
    evaluated: Path, smaller_corpus: Corpus, cache: Path, tmp_path: Path
) -> None:
    recipe = small_corpus.recipe_file(tmp_path, small_corpus.PHASED)
    command = ["train", "--data", smaller_corpus.folder, "--cache", cache, "--recipe", recipe, "--protocol", "random"]
    told: list[tuple[int, int, str]] = []
    evaluate(
        smaller_corpus.clips, PHASED, "random", SEEDS,
        runs=tmp_path / "runs", oof=tmp_path / "oof", cache=cache, command=[str(word) for word in command], jobs=2,
        progress=lambda *step: told.append(step),
    )  # fmt: skip
    assert files(tmp_path / "oof") == files(evaluated / "oof")
    assert told == [(1, 2, "random-phased/seed3-fold1"), (2, 2, "random-phased/seed4-fold1")]
    for seed in SEEDS:
        one, other = (run_folder(at / "runs", RunConfig(PHASED, "random", "1", seed)) for at in (evaluated, tmp_path))
        assert (one / "weights.safetensors").read_bytes() == (other / "weights.safetensors").read_bytes()
        assert not list(other.glob("*.onnx"))


@pytest.mark.parametrize(
    ("protocol", "seeds", "jobs", "message"),
    [
        ("all", (0,), 1, "protocol 'all' has no test side"),
        ("random", (0, 1, 0), 1, r"seeds must be one or more different numbers, got \[0, 1, 0\]"),
        ("random", (), 1, r"seeds must be .* got \[\]"),
        ("random", (0, -2), 1, "a seed must be 0 or more, got -2"),
        ("random", (0,), 0, "jobs must be 1 or more, got 0"),
        ("paper", (0,), 2, "recipe 'joint' trains several together"),
    ],
)
def test_what_cannot_be_evaluated_is_said_before_the_first_training(
    smaller_corpus: Corpus, tmp_path: Path, protocol: str, seeds: tuple[int, ...], jobs: int, message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        evaluate(
            smaller_corpus.clips, JOINT, protocol, seeds,
            runs=tmp_path / "runs", oof=tmp_path / "oof", cache=tmp_path, command=["train"], jobs=jobs,
        )  # fmt: skip
    assert not list(tmp_path.iterdir())


def test_a_changed_recipe_is_not_mixed_with_finished_runs(
    evaluated: Path, smaller_corpus: Corpus, tmp_path: Path
) -> None:
    other = dataclasses.replace(PHASED, dropout=0.5)
    with pytest.raises(TrainingError, match=r"seed3-fold1 holds a training with another recipe \(dropout\)"):
        evaluate(smaller_corpus.clips, other, "random", SEEDS, runs=evaluated / "runs", oof=tmp_path / "oof")
    assert not (tmp_path / "oof").exists()


def test_a_missing_run_is_named(evaluated: Path, smaller_corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"1 of 3 runs are not finished, the first is .*seed9-fold1"):
        collect_oof(smaller_corpus.clips, PHASED, "random", (*SEEDS, 9), evaluated / "runs", tmp_path / "oof")
    assert not (tmp_path / "oof").exists()


def test_a_failing_run_is_named_with_one_job(
    smaller_corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise TrainingError("no room left")

    monkeypatch.setattr(evaluate_module, "train", fail)
    with pytest.raises(TrainingError, match="luna5-joint/seed0-fold1 failed: no room left"):
        evaluate(smaller_corpus.clips, JOINT, "luna5", (0,), runs=tmp_path / "runs", oof=tmp_path / "oof")


def test_failing_runs_are_named_with_two_jobs_and_the_others_are_tried(
    smaller_corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = {
        "1": (1, "ravdess: 96 clips\novertone: RUN: no room left\nand a word of a library\n"),
        "2": (-9, ""),
        "3": (1, "Traceback\nValueError: a bug\n"),
    }
    tried: list[list[str]] = []

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        tried.append(command)
        fold = next(word for word in command if word.startswith("--fold=")).removeprefix("--fold=")
        code, error = ends.get(fold, (0, ""))
        return subprocess.CompletedProcess(command, code, "", error)

    monkeypatch.setattr(evaluate_module, "prepare", lambda *arguments: None)
    monkeypatch.setattr(evaluate_module.subprocess, "run", run)
    with pytest.raises(TrainingError) as caught:
        evaluate(
            smaller_corpus.clips, JOINT, "luna5", (0,),
            runs=tmp_path / "runs", oof=tmp_path / "oof", command=["train", "--data", "x"], jobs=2,
        )  # fmt: skip
    first, *lines = str(caught.value).splitlines()
    assert first == "3 of 5 trainings failed:"
    assert lines[0].endswith("luna5-joint/seed0-fold1: RUN: no room left")
    assert lines[1].endswith("luna5-joint/seed0-fold2: ended with exit code -9 and no word; out of memory?")
    assert lines[2].endswith("luna5-joint/seed0-fold3: ValueError: a bug")
    assert len(tried) == 5 and all(command[3:6] == ["train", "--data", "x"] for command in tried)


def test_only_the_folds_that_are_named(smaller_corpus: Corpus) -> None:
    plans = make_run_configs(smaller_corpus.clips, PHASED, "luna5", [0, 1], folds=["2", "5"])
    assert [(plan.seed, plan.fold) for plan in plans] == [(0, "2"), (0, "5"), (1, "2"), (1, "5")]
    with pytest.raises(OptionError, match="has no fold '7'"):
        make_run_configs(smaller_corpus.clips, PHASED, "luna5", [0], folds=["7"])
    with pytest.raises(OptionError, match="folds must be different names"):
        make_run_configs(smaller_corpus.clips, PHASED, "luna5", [0], folds=["2", "2"])


def test_a_plan_per_seed_and_fold(smaller_corpus: Corpus) -> None:
    plans = make_run_configs(smaller_corpus.clips, JOINT, "emobox6", (2, 0))
    assert [(plan.seed, plan.fold) for plan in plans] == [(seed, str(k)) for seed in (2, 0) for k in range(1, 7)]
