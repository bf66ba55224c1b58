"""Recipe x protocol x seeds -> out-of-fold predictions: every clip answered by models that never saw it in training.

Each fold and seed is one run folder `<runs>/<protocol>-<recipe>/seed<S>-fold<F>`; those that are finished are taken as
they are, those that are not go on where they stood.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from overtone.errors import TrainingError
from overtone.outputs import predictions
from overtone.outputs.predictions import Audits
from overtone.recipe import PARTS, Recipe
from overtone.splits import summed
from overtone.tasks.prepare import prepare
from overtone.tasks.progress import Progress, silent_progress
from overtone.tasks.train import Plan, audits_of, finished, fold_names, splits_of, train, versions
from overtone.values import Predictions, Utterance


def run_folder(runs: Path, plan: Plan) -> Path:
    """Where the run of a plan lies below the folder of all runs."""
    return runs / f"{plan.protocol}-{plan.recipe.name}" / f"seed{plan.seed}-fold{plan.fold}"


def plans_of(utterances: Sequence[Utterance], recipe: Recipe, protocol: str, seeds: Iterable[int]) -> list[Plan]:
    """One plan per seed and fold."""
    return [Plan(recipe, protocol, fold, seed) for seed in seeds for fold in fold_names(protocol, utterances, seed)]


def joined(several: Sequence[Predictions]) -> Predictions:
    """The predictions of several folds and seeds as one table."""
    names = ("path", "speaker", "sentence", "fold", "seed", "truth", "probabilities")
    columns = {name: np.concatenate([getattr(one, name) for one in several]) for name in names}
    return Predictions(several[0].emotions, **columns)


def gather(
    utterances: Sequence[Utterance], recipe: Recipe, protocol: str, seeds: Sequence[int], runs: Path, oof: Path
) -> None:
    """Collects finished runs into `<oof>/<protocol>-<recipe>-<part>.csv` and the leak audits beside them.

    Raises:
        TrainingError: a run is missing or not finished.
    """
    plans = plans_of(utterances, recipe, protocol, seeds)
    folders = [run_folder(runs, plan) for plan in plans]
    unfinished = [folder for folder in folders if not finished(folder)]
    if unfinished:
        raise TrainingError(f"{len(unfinished)} of {len(folders)} runs are not finished, the first is {unfinished[0]}")
    for part in PARTS:
        found = joined([predictions.read(folder / f"predictions-{part}.csv") for folder in folders])
        predictions.write(found, predictions.csv_path(oof, protocol, recipe.name, part))
    audits = [audits_of(splits_of(plan, utterances), utterances) for plan in plans]
    parts = {part: summed(audit[part] for audit in audits) for part in PARTS}
    held = Audits(protocol, recipe.name, parts, tuple(seeds), versions())
    predictions.write_audits(held, predictions.audits_path(oof, protocol, recipe.name))


def evaluate(
    utterances: Sequence[Utterance],
    recipe: Recipe,
    protocol: str,
    seeds: Sequence[int],
    *,
    runs: Path,
    oof: Path,
    cache: Path | None = None,
    progress: Progress = silent_progress,
    command: Sequence[str] | None = None,
    jobs: int = 1,
) -> None:
    """Trains every fold with every seed and gathers the predictions.

    Args:
        utterances: the labelled clips.
        recipe: how to train.
        protocol: a name in `splits.PROTOCOLS` with a test side.
        seeds: one training per fold and seed.
        runs: folder of all run folders.
        oof: folder of the predictions.
        cache: folder where features are kept; None for that of the user.
        progress: told about each clip and epoch, or with several jobs about each finished run.
        command: with several jobs, the command line of one training up to `--fold`; each runs in its own process.
        jobs: trainings at a time.
    """
    plans = plans_of(utterances, recipe, protocol, seeds)
    if jobs == 1 or command is None:
        for plan in plans:
            train(utterances, plan, run_folder(runs, plan), resume=True, cache=cache, progress=progress)
    else:
        prepare(utterances, recipe.wave_variants, cache, progress)
        _train_beside(plans, runs, command, jobs, progress)
    gather(utterances, recipe, protocol, seeds, runs, oof)


def _train_beside(plans: Sequence[Plan], runs: Path, command: Sequence[str], jobs: int, progress: Progress) -> None:
    """Several trainings at a time, one process with one thread each: faster than one with several."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def run(plan: Plan) -> tuple[Path, str]:
        folder = run_folder(runs, plan)
        own = ["--fold", plan.fold, "--seed", str(plan.seed), "--out", str(folder), "--resume", "--no-export"]
        done = subprocess.run(
            [sys.executable, "-m", "overtone.ui.cli", *command, *own],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return folder, done.stderr.strip() if done.returncode else ""

    failures = []
    with ThreadPoolExecutor(jobs) as pool:
        for done, (folder, error) in enumerate(pool.map(run, plans), start=1):
            if error:
                failures.append(f"{folder}: {error.splitlines()[-1]}")
            progress(done, len(plans), f"{folder.parent.name}/{folder.name}")
    if failures:
        raise TrainingError(f"{len(failures)} of {len(plans)} trainings failed:\n  " + "\n  ".join(failures))
