"""The launcher of a cross-validation with several processes: parallel trainings, failures and unfinished runs."""

import threading
from pathlib import Path

import pytest
import small_corpus
from small_corpus import Corpus

from overtone.errors import TrainingError
from overtone.training import cross_validation
from overtone.training.cross_validation import Launcher, evaluate
from overtone.training.run_config import RunConfig

JOINT = small_corpus.recipe(small_corpus.JOINT)


@pytest.fixture(autouse=True)
def no_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the feature extraction: no launcher of this module trains."""
    monkeypatch.setattr(cross_validation, "load_features", lambda *arguments: None)


def evaluate_with(launcher: Launcher, corpus: Corpus, folder: Path, **options: object) -> None:
    """Evaluate five folds with two processes."""
    evaluate(
        corpus.clips, JOINT, "luna5", (0,),
        runs=folder / "runs", oof=folder / "oof", launcher=launcher, processes=2, **options,
    )  # fmt: skip


def test_at_most_as_many_trainings_as_processes_run_at_a_time(smaller_corpus: Corpus, tmp_path: Path) -> None:
    counts, running, lock = [], [], threading.Lock()
    both_started = threading.Barrier(2)

    def launcher(config: RunConfig, folder: Path) -> str:
        with lock:
            running.append(config)
            counts.append(len(running))
        if config.fold in ("1", "2"):
            both_started.wait(timeout=60)
        with lock:
            running.remove(config)
        return "stopped"

    with pytest.raises(TrainingError, match=r"^5 of 5 .* failed"):
        evaluate_with(launcher, smaller_corpus, tmp_path)
    assert len(counts) == 5 and max(counts) == 2


def test_failing_runs_are_named_with_two_processes_and_the_others_are_trained(
    smaller_corpus: Corpus, tmp_path: Path
) -> None:
    reasons = {"1": "RUN: no space left", "3": "ValueError: a bug", "4": "exit code -9 without a message"}
    launched: list[str] = []

    def launcher(config: RunConfig, folder: Path) -> str:
        launched.append(config.fold)
        return reasons.get(config.fold, "")

    steps: list[tuple[int, int, str]] = []
    with pytest.raises(TrainingError) as caught:
        evaluate_with(launcher, smaller_corpus, tmp_path, progress=lambda *step: steps.append(step))
    summary, *lines = str(caught.value).splitlines()
    assert summary.startswith("3 of 5 ") and summary.endswith(" failed:")
    folder = tmp_path / "runs" / "luna5-joint"
    assert lines == [f"  {folder}/seed0-fold{fold}: {reason}" for fold, reason in reasons.items()]
    assert sorted(launched) == ["1", "2", "3", "4", "5"]
    assert steps == [(k, 5, f"luna5-joint/seed0-fold{k}") for k in range(1, 6)]
    assert not (tmp_path / "oof").exists()


def test_a_launcher_whose_run_is_not_finished_gives_no_predictions(smaller_corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"5 of 5 runs are not finished, the first is .*seed0-fold1"):
        evaluate_with(lambda config, folder: "", smaller_corpus, tmp_path)
    assert not (tmp_path / "oof").exists()
