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
from urllib.parse import quote

import numpy as np

from overtone._internal.progress import Progress, silent_progress
from overtone.datatypes import LeakAudit, OofPredictions, Utterance
from overtone.errors import OptionError, OvertoneError, TrainingError
from overtone.evaluation import oof_files
from overtone.evaluation.leakage import sum_audits
from overtone.evaluation.metrics import SEED, score
from overtone.evaluation.oof_files import RunRecord
from overtone.evaluation.report import ScoreRow
from overtone.recipe import PARTS, Recipe
from overtone.training.feature_cache import load_features
from overtone.training.held_out import FUSION_VARIANTS
from overtone.training.run_config import RunConfig, fold_names, part_splits, run_metadata
from overtone.training.train import is_finished, matches_run, read_run, run_settings, train


def run_folder(runs: Path, plan: RunConfig) -> Path:
    """Where the run of a plan lies below the folder of all runs."""
    fold = quote(plan.fold, safe="")  # under `loso` the name of a speaker: anything, slashes too
    return runs / f"{plan.protocol}-{plan.recipe.name}" / f"seed{plan.seed}-fold{fold}"


def make_run_configs(
    utterances: Sequence[Utterance],
    recipe: Recipe,
    protocol: str,
    seeds: Iterable[int],
    init_from: Path | None = None,
    folds: Sequence[str] = (),
) -> list[RunConfig]:
    """One plan per seed and fold; of all folds, or of those named.

    Raises:
        OptionError: no seed, one twice or below 0; a protocol without a test side, or one that does not fit; a fold
            that it does not have, or one twice.
    """
    seeds = list(seeds)
    if len(set(folds)) < len(folds):
        raise OptionError(f"folds must be different names, got {list(folds)}")
    if not seeds or len(set(seeds)) < len(seeds):
        raise OptionError(f"seeds must be one or more different numbers, got {seeds}")
    plans = [
        RunConfig(recipe, protocol, fold, seed, init_from)
        for seed in seeds
        for fold in folds or fold_names(protocol, utterances, seed)
    ]
    if not all(split.test for plan in plans for split in part_splits(plan, utterances).values()):
        raise OptionError(f"protocol '{protocol}' has no test side, so it gives no scores; take 'luna5', say")
    return plans


def concatenate(several: Sequence[OofPredictions]) -> OofPredictions:
    """The predictions of several folds and seeds as one table."""
    names = ("path", "speaker", "sentence", "fold", "seed", "truth", "probabilities")
    columns = {name: np.concatenate([getattr(one, name) for one in several]) for name in names}
    return OofPredictions(several[0].emotions, **columns)


def collect_oof(
    utterances: Sequence[Utterance],
    recipe: Recipe,
    protocol: str,
    seeds: Sequence[int],
    runs: Path,
    oof: Path,
    folds: Sequence[str] = (),
) -> None:
    """Collects finished runs into `<oof>/<protocol>-<recipe>-<part>.csv` and the leak audits beside them.

    Raises:
        TrainingError: a run is missing or not finished.
        OptionError: only some folds are asked for where the predictions of others are kept.
    """
    _check_no_other_folds(oof_files.csv_path(oof, protocol, recipe.name, "fusion"), folds)
    plans = make_run_configs(utterances, recipe, protocol, seeds, folds=folds)
    folders = [run_folder(runs, plan) for plan in plans]
    unfinished = [folder for folder in folders if not is_finished(folder)]
    if unfinished:
        raise TrainingError(f"{len(unfinished)} of {len(folders)} runs are not finished, the first is {unfinished[0]}")
    answered = [part for part in (*PARTS, *FUSION_VARIANTS) if (folders[0] / f"predictions-{part}.csv").is_file()]
    for part in {*PARTS, *FUSION_VARIANTS} - {*answered}:  # of a recipe that once had more parts
        oof_files.csv_path(oof, protocol, recipe.name, part).unlink(missing_ok=True)
    for part in answered:
        found = concatenate([oof_files.read(folder / f"predictions-{part}.csv") for folder in folders])
        oof_files.write(found, oof_files.csv_path(oof, protocol, recipe.name, part))
    kept = [read_run(folder)["audits"] for folder in folders]
    parts = {
        part: sum_audits(LeakAudit(**audits["fusion" if part in FUSION_VARIANTS else part]) for audits in kept)
        for part in answered
    }
    settings = run_settings(read_run(folders[0]))
    held = RunRecord(protocol, recipe.name, settings, parts, tuple(seeds), _versions(folders))
    oof_files.write_record(held, oof_files.record_path(oof, protocol, recipe.name))


def _check_no_other_folds(kept: Path, folds: Sequence[str]) -> None:
    """Some folds must not take the place of all, under the same name."""
    others = {*oof_files.read(kept).fold.tolist()} - {*folds} if folds and kept.is_file() else set()
    if others:
        raise OptionError(f"{kept} holds folds {', '.join(sorted(others))} too; take another folder with --oof")


def _versions(folders: Sequence[Path]) -> dict[str, str]:
    """Package -> version that the runs were trained with, or versions where they differ."""
    several = [read_run(folder)["versions"] for folder in folders]
    names = dict.fromkeys(name for one in several for name in one)
    return {name: ", ".join(sorted({one[name] for one in several if name in one})) for name in names}


def score_oof(oof: Path, protocol: str, recipe: str) -> list[ScoreRow]:
    """Scores and leak audit of each part, from the files that `gather` wrote.

    Args:
        oof: folder of the predictions.
        protocol: name of the protocol.
        recipe: name of the recipe.

    Raises:
        InputError: a file is missing or damaged.
    """
    audits = oof_files.read_record(oof_files.record_path(oof, protocol, recipe)).parts
    found = {part: oof_files.read(oof_files.csv_path(oof, protocol, recipe, part)) for part in audits}
    return [
        ScoreRow(f"{recipe} recipe, {part}", protocol, score(one, np.random.default_rng(SEED)), audits[part])
        for part, one in found.items()
    ]


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
    init_from: Path | None = None,
    folds: Sequence[str] = (),
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
        jobs: trainings at a time. Where each has one thread either way, their number changes no result.
        init_from: folder of a run on other corpora that every training begins with; None for none.
        folds: only these; all where none is named.

    Raises:
        OptionError: seeds, jobs, protocol or recipe that do not fit; before anything is trained.
        TrainingError: a training failed, or its folder holds another one; the message names the folder.
        CorpusError: clips that cannot be read.
    """
    if jobs < 1:
        raise OptionError(f"jobs must be 1 or more, got {jobs}")
    plans = make_run_configs(utterances, recipe, protocol, seeds, init_from, folds)
    _check_no_other_folds(oof_files.csv_path(oof, protocol, recipe.name, "fusion"), folds)
    waiting = [plan for plan in plans if not _done(utterances, plan, run_folder(runs, plan))]
    if jobs == 1 or command is None:
        for plan in waiting:
            _train_here(utterances, plan, run_folder(runs, plan), cache, progress)
    elif waiting:
        load_features(utterances, recipe.wave_variants, cache, progress)
        _train_beside(waiting, runs, command, jobs, progress)
    collect_oof(utterances, recipe, protocol, seeds, runs, oof, folds)


def _done(utterances: Sequence[Utterance], plan: RunConfig, folder: Path) -> bool:
    return matches_run(folder, run_metadata(utterances, plan)) and is_finished(folder)


def _train_here(
    utterances: Sequence[Utterance], plan: RunConfig, folder: Path, cache: Path | None, progress: Progress
) -> None:
    try:
        train(utterances, plan, folder, resume=True, cache=cache, progress=progress)
    except OvertoneError as error:
        raise type(error)(f"{folder} failed: {error}") from error


def _train_beside(
    plans: Sequence[RunConfig], runs: Path, command: Sequence[str], jobs: int, progress: Progress
) -> None:
    """Several trainings at a time, one process with one thread each: faster than one with several."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def run(plan: RunConfig) -> tuple[Path, str]:
        folder = run_folder(runs, plan)
        own = [f"--fold={plan.fold}", f"--seed={plan.seed}", f"--output={folder}", "--resume", "--no-export"]
        done = subprocess.run(
            [sys.executable, "-m", "overtone.cli.main", *command, *own],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return folder, _why_failed(done)

    failures = []
    with ThreadPoolExecutor(jobs) as pool:
        for done, (folder, error) in enumerate(pool.map(run, plans), start=1):
            if error:
                failures.append(f"{folder}: {error}")
            progress(done, len(plans), f"{folder.parent.name}/{folder.name}")
    if failures:
        raise TrainingError(f"{len(failures)} of {len(plans)} trainings failed:\n  " + "\n  ".join(failures))


def _why_failed(done: subprocess.CompletedProcess[str]) -> str:
    """What a command said last of its failure, without the name it signs with; "" where it went well."""
    if not done.returncode:
        return ""
    lines = done.stderr.strip().splitlines() or [f"ended with exit code {done.returncode} and no word; out of memory?"]
    return next((line for line in reversed(lines) if line.startswith("overtone: ")), lines[-1]).removeprefix(
        "overtone: "
    )
