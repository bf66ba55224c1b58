"""Cross-validation: one prediction per clip and seed, results independent of the processes, and named failures."""

import argparse
import dataclasses
import json
import threading
from collections import Counter
from pathlib import Path

import pytest
import small_corpus
from small_corpus import PARTS, Corpus

from overtone.cli.launcher import training_launcher
from overtone.corpora.ravdess import EMOTIONS
from overtone.errors import OptionError, TrainingError
from overtone.evaluation import oof_files
from overtone.evaluation.protocols import LUNA5
from overtone.models.branches import BRANCHES
from overtone.training import cross_validation
from overtone.training.cross_validation import collect_oof, evaluate, make_run_configs, run_folder, score_oof
from overtone.training.run_config import RunConfig
from overtone.training.run_folder import read_run
from overtone.training.train import train

pytestmark = pytest.mark.slow
JOINT, PHASED = small_corpus.recipe(small_corpus.JOINT), small_corpus.recipe(small_corpus.PHASED)
SEEDS = (3, 4)


@pytest.fixture(scope="module")
def evaluated(one_thread: None, smaller_corpus: Corpus, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with runs and predictions of two seeds, trained in this process."""
    folder = tmp_path_factory.mktemp("evaluated")
    evaluate(smaller_corpus.clips, PHASED, "random", SEEDS, runs=folder / "runs", oof=folder / "oof", cache=cache)
    return folder


def file_contents(folder: Path) -> dict[str, bytes]:
    """Return the content of each file in a folder, by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_run_folder_follows_from_the_configuration() -> None:
    assert run_folder(Path("runs"), RunConfig(JOINT, "luna5", "2", 7)) == Path("runs/luna5-joint/seed7-fold2")
    # The folds of `loso` have the names of speakers, which may contain any characters.
    hostile = run_folder(Path("runs"), RunConfig(JOINT, "loso", "../../etc/me", 0))
    assert hostile.parent == Path("runs/loso-joint") and ".." not in hostile.parts


def test_every_clip_is_predicted_once_by_the_fold_that_held_out_its_actor(
    reproduced: Path, smaller_corpus: Corpus
) -> None:
    for part in PARTS:
        path = oof_files.csv_path(reproduced / "oof", "luna5", "phased", part)
        emotions = ",".join(f"p_{emotion}" for emotion in EMOTIONS[:4])
        assert path.read_text().splitlines()[0] == f"path,corpus,speaker,sentence,fold,seed,truth,{emotions}"
        table = oof_files.read(path)
        assert Counter(table.path.tolist()) == Counter(clip.clip for clip in smaller_corpus.clips)
        folds = {f"{actor:02d}": str(k) for k, actors in enumerate(LUNA5, start=1) for actor in actors}
        assert table.fold.tolist() == [folds[speaker] for speaker in table.speaker]
        assert set(table.seed.tolist()) == {0}


def test_audits_of_all_folds_and_seeds_count_everything_once(reproduced: Path, evaluated: Path) -> None:
    luna5 = oof_files.read_record(oof_files.record_path(reproduced / "oof", "luna5", "phased"))
    assert vars(luna5.parts["fusion"]) == {
        "test_clips": 96, "test_speakers": 24, "test_sentences": 2,
        "shared_speakers": 0, "shared_sentences": 2, "seen_clips": 0,
    }  # fmt: skip
    paper = oof_files.read_record(oof_files.record_path(reproduced / "oof", "paper", "phased")).parts["fusion"]
    assert 0.9 * paper.test_clips < paper.seen_clips <= paper.test_clips == 20
    random = oof_files.read_record(oof_files.record_path(evaluated / "oof", "random", "phased"))
    assert (random.protocol, random.recipe, random.seeds) == ("random", "phased", SEEDS)
    table = oof_files.read(oof_files.csv_path(evaluated / "oof", "random", "phased", "fusion"))
    assert len(table) == 40, "20 of each seed"
    assert random.parts["fusion"].test_clips == len(set(table.path.tolist())) < 40, "some are tested with both seeds"
    assert random.parts["mel"].seen_clips == 0


def test_predictions_of_several_seeds_are_in_one_file(evaluated: Path) -> None:
    table = oof_files.read(oof_files.csv_path(evaluated / "oof", "random", "phased", "fusion"))
    assert Counter(table.seed.tolist()) == {3: 20, 4: 20}
    tested = {seed: set(table.path[table.seed == seed].tolist()) for seed in SEEDS}
    assert tested[3] != tested[4]
    rows = score_oof(evaluated / "oof", "random", "phased")
    assert [(row.name, row.scores.seeds) for row in rows] == [(f"phased recipe, {part}", 2) for part in PARTS]


def test_the_record_has_the_versions_of_all_runs(evaluated: Path, smaller_corpus: Corpus, tmp_path: Path) -> None:
    first, second = (run_folder(evaluated / "runs", RunConfig(PHASED, "random", "1", seed)) for seed in SEEDS)
    assert read_run(first)["versions"] == read_run(second)["versions"]
    original = (second / "run.json").read_text("utf-8")
    run = json.loads(original)
    run["versions"]["numpy"] = "0.0.1"
    (second / "run.json").write_text(json.dumps(run))
    collect_oof(smaller_corpus.clips, PHASED, "random", SEEDS, evaluated / "runs", tmp_path)
    (second / "run.json").write_text(original)
    versions = oof_files.read_record(oof_files.record_path(tmp_path, "random", "phased")).versions
    assert versions["numpy"] == f"0.0.1, {read_run(first)['versions']['numpy']}"
    assert versions["torch"] == read_run(first)["versions"]["torch"]


def test_predictions_of_parts_that_the_recipe_no_longer_has_are_deleted(
    evaluated: Path, smaller_corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BRANCHES, "speech", BRANCHES["mel"])
    for part in ("speech", "member", "adapted"):
        oof_files.csv_path(tmp_path, "random", "phased", part).write_text("stale")
    other_recipe = oof_files.csv_path(tmp_path, "random", "joint", "member")
    other_recipe.write_text("unchanged")
    collect_oof(smaller_corpus.clips, PHASED, "random", SEEDS, evaluated / "runs", tmp_path)
    assert file_contents(tmp_path) == {**file_contents(evaluated / "oof"), other_recipe.name: b"unchanged"}


def test_finished_runs_are_reused(
    evaluated: Path, smaller_corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> str:
        pytest.fail("something was trained")

    for name in ("train", "load_features"):
        monkeypatch.setattr(cross_validation, name, fail)
    before = {path: path.stat().st_mtime_ns for path in (evaluated / "runs").rglob("*")}
    for processes in (1, 2):
        oof = tmp_path / str(processes)
        evaluate(
            smaller_corpus.clips, PHASED, "random", SEEDS,
            runs=evaluated / "runs", oof=oof, launcher=fail, processes=processes,
        )  # fmt: skip
        assert file_contents(oof) == file_contents(evaluated / "oof")
    assert {path: path.stat().st_mtime_ns for path in (evaluated / "runs").rglob("*")} == before


@pytest.mark.slow
def test_two_processes_give_the_same_files_as_one(
    evaluated: Path, smaller_corpus: Corpus, cache: Path, tmp_path: Path
) -> None:
    recipe = small_corpus.recipe_file(tmp_path, small_corpus.PHASED)
    options = {"data": [str(smaller_corpus.folder)], "corpus": "ravdess", "recipe": str(recipe), "cache": cache}
    options["train_data"] = []
    steps: list[tuple[int, int, str]] = []
    evaluate(
        smaller_corpus.clips, PHASED, "random", SEEDS,
        runs=tmp_path / "runs", oof=tmp_path / "oof", cache=cache,
        launcher=training_launcher(argparse.Namespace(**options)), processes=2,
        progress=lambda *step: steps.append(step),
    )  # fmt: skip
    assert file_contents(tmp_path / "oof") == file_contents(evaluated / "oof")
    assert steps == [(1, 2, "random-phased/seed3-fold1"), (2, 2, "random-phased/seed4-fold1")]
    for seed in SEEDS:
        one, other = (run_folder(at / "runs", RunConfig(PHASED, "random", "1", seed)) for at in (evaluated, tmp_path))
        assert (one / "weights.safetensors").read_bytes() == (other / "weights.safetensors").read_bytes()
        assert not list(other.glob("*.onnx"))


def test_the_launcher_trains_every_unfinished_run_in_its_folder(
    evaluated: Path, smaller_corpus: Corpus, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A launcher that trains in this process gives the same files as no launcher."""
    runs, events, lock = tmp_path / "runs", [], threading.Lock()
    finished, *pending = make_run_configs(smaller_corpus.clips, PHASED, "random", SEEDS)
    train(smaller_corpus.clips, finished, run_folder(runs, finished), cache=cache)

    def launcher(config: RunConfig, folder: Path) -> str:
        with lock:
            events.append((config, folder))
            train(smaller_corpus.clips, config, folder, resume=True, cache=cache)
        return ""

    load_features, steps = cross_validation.load_features, []
    monkeypatch.setattr(
        cross_validation, "load_features", lambda *options: events.append("features") or load_features(*options)
    )
    evaluate(
        smaller_corpus.clips, PHASED, "random", SEEDS,
        runs=runs, oof=tmp_path / "oof", cache=cache, launcher=launcher, processes=2,
        progress=lambda *step: steps.append(step),
    )  # fmt: skip
    # The features are computed once, before any training needs them.
    first_extraction, *launched = events
    assert first_extraction == "features"
    assert launched == [(config, run_folder(runs, config)) for config in pending] and len(launched) == 1
    assert file_contents(tmp_path / "oof") == file_contents(evaluated / "oof")
    assert steps[-1] == (1, 1, "random-phased/seed4-fold1")


def test_a_single_process_needs_no_launcher(
    evaluated: Path, smaller_corpus: Corpus, cache: Path, tmp_path: Path
) -> None:
    def launcher(config: RunConfig, folder: Path) -> str:
        pytest.fail("a process was started")

    evaluate(
        smaller_corpus.clips, PHASED, "random", SEEDS[:1],
        runs=tmp_path / "runs", oof=tmp_path / "oof", cache=cache, launcher=launcher, processes=1,
    )  # fmt: skip
    config = RunConfig(PHASED, "random", "1", SEEDS[0])
    one, other = (run_folder(folder / "runs", config) / "weights.safetensors" for folder in (evaluated, tmp_path))
    assert one.read_bytes() == other.read_bytes()


def test_progress_names_the_run_and_the_time_that_all_runs_take(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s, texts = [0.0], []
    monkeypatch.setattr(cross_validation.time, "monotonic", lambda: now_s[0])
    for progress in cross_validation._numbered(lambda done, total, text: texts.append((done, total, text)), 3):
        progress(1, 5, "loss 2")
        now_s[0] += 240
    assert [text[:2] for text in texts] == [(1, 5)] * 3 and all(text[2].endswith(": loss 2") for text in texts)
    assert [text[2].partition(":")[0] for text in texts] == [
        "run 1 of 3",
        "run 2 of 3, 8 min left for all",
        "run 3 of 3, 4 min left for all",
    ]


@pytest.mark.parametrize(
    ("protocol", "seeds", "processes", "message"),
    [
        ("all", (0,), 1, "protocol 'all' has no test set"),
        ("random", (0, 1, 0), 1, r"seeds must be one or more different numbers, got \[0, 1, 0\]"),
        ("random", (), 1, r"seeds must be .* got \[\]"),
        ("random", (0, -2), 1, "a seed must be 0 or more, got -2"),
        ("random", (0,), 0, "processes must be 1 or more, got 0"),
        ("paper", (0,), 2, "recipe 'joint' trains several together"),
    ],
)
def test_invalid_arguments_are_refused_before_the_first_training(
    smaller_corpus: Corpus, tmp_path: Path, protocol: str, seeds: tuple[int, ...], processes: int, message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        evaluate(
            smaller_corpus.clips, JOINT, protocol, seeds,
            runs=tmp_path / "runs", oof=tmp_path / "oof", cache=tmp_path,
            launcher=lambda config, folder: pytest.fail("something was trained"), processes=processes,
        )  # fmt: skip
    assert not list(tmp_path.iterdir())


def test_finished_runs_of_another_recipe_are_refused(evaluated: Path, smaller_corpus: Corpus, tmp_path: Path) -> None:
    other = dataclasses.replace(PHASED, dropout=0.5)
    with pytest.raises(TrainingError, match=r"seed3-fold1 holds a training run with another recipe \(dropout\)"):
        evaluate(smaller_corpus.clips, other, "random", SEEDS, runs=evaluated / "runs", oof=tmp_path / "oof")
    assert not (tmp_path / "oof").exists()


def test_a_missing_run_is_named(evaluated: Path, smaller_corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"1 of 3 runs are not finished, the first is .*seed9-fold1"):
        collect_oof(smaller_corpus.clips, PHASED, "random", (*SEEDS, 9), evaluated / "runs", tmp_path / "oof")
    assert not (tmp_path / "oof").exists()


def test_a_failing_run_is_named_with_one_process(
    smaller_corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise TrainingError("no space left")

    monkeypatch.setattr(cross_validation, "train", fail)
    with pytest.raises(TrainingError, match="luna5-joint/seed0-fold1 failed: no space left"):
        evaluate(smaller_corpus.clips, JOINT, "luna5", (0,), runs=tmp_path / "runs", oof=tmp_path / "oof")


def test_only_the_given_folds_are_configured(smaller_corpus: Corpus) -> None:
    configs = make_run_configs(smaller_corpus.clips, PHASED, "luna5", [0, 1], folds=["2", "5"])
    assert [(config.seed, config.fold) for config in configs] == [(0, "2"), (0, "5"), (1, "2"), (1, "5")]
    with pytest.raises(OptionError, match="has no fold '7'"):
        make_run_configs(smaller_corpus.clips, PHASED, "luna5", [0], folds=["7"])
    with pytest.raises(OptionError, match="folds must be different names"):
        make_run_configs(smaller_corpus.clips, PHASED, "luna5", [0], folds=["2", "2"])


def test_one_configuration_per_seed_and_fold(smaller_corpus: Corpus) -> None:
    configs = make_run_configs(smaller_corpus.clips, JOINT, "emobox6", (2, 0))
    expected = [(seed, str(k)) for seed in (2, 0) for k in range(1, 7)]
    assert [(config.seed, config.fold) for config in configs] == expected
