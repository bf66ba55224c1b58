"""Recipe x protocol x seeds -> out-of-fold predictions: every clip is predicted by models that were not trained on it.

Each fold and seed is one run folder `<runs>/<protocol>-<recipe>/seed<S>-fold<F>`. Finished runs are reused, unfinished
ones are resumed.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import quote

import numpy as np

from overtone._internal.progress import Progress, silent_progress
from overtone.datatypes import OofPredictions, Utterance
from overtone.errors import OptionError, OvertoneError, TrainingError
from overtone.evaluation import oof_files
from overtone.evaluation.metrics import SEED, score
from overtone.evaluation.oof_files import RunRecord
from overtone.evaluation.protocols import PROTOCOLS, clips_of
from overtone.evaluation.report import ScoreRow
from overtone.models.branches import BRANCHES
from overtone.recipe import FUSION, FUSION_VARIANTS, Recipe
from overtone.training.feature_cache import load_features
from overtone.training.run_config import RunConfig, audit_parts, fold_names, part_splits, run_metadata
from overtone.training.run_folder import is_finished, matches_run, read_run, run_settings, uncertain_below
from overtone.training.teacher import required_features
from overtone.training.train import train

Launcher = Callable[[RunConfig, Path], str]
"""Runs one training in a separate process, in the given run folder; returns "" or the reason why it failed."""


def run_folder(runs: Path, config: RunConfig) -> Path:
    """The folder of a training run, inside the folder of all runs."""
    fold = quote(config.fold, safe="")  # under `loso` the name of a speaker, which may contain slashes
    return runs / f"{config.protocol}-{config.recipe.name}" / f"seed{config.seed}-fold{fold}"


def make_run_configs(
    utterances: Sequence[Utterance],
    recipe: Recipe,
    protocol: str,
    seeds: Iterable[int],
    init_from: Path | None = None,
    folds: Sequence[str] = (),
) -> list[RunConfig]:
    """One configuration per seed and fold.

    Args:
        utterances: all clips.
        recipe: the settings of the model and its training.
        protocol: a key of `PROTOCOLS`.
        seeds: different numbers, >= 0.
        init_from: run folder whose weights the trainings start from; None for random ones.
        folds: names of the folds; none for all of the protocol.

    Raises:
        OptionError: no seed, a repeated one or one below 0; a protocol without a test set, or one that does not fit;
            an unknown or repeated fold.
    """
    seeds = list(seeds)
    if len(set(folds)) < len(folds):
        raise OptionError(f"folds must be different names, got {list(folds)}")
    if not seeds or len(set(seeds)) < len(seeds):
        raise OptionError(f"seeds must be one or more different numbers, got {seeds}")
    configs = [
        RunConfig(recipe, protocol, fold, seed, init_from)
        for seed in seeds
        for fold in folds or fold_names(protocol, utterances, seed)
    ]
    if not all(split.test for config in configs for split in part_splits(config, utterances).values()):
        raise OptionError(f"protocol '{protocol}' has no test set and gives no scores; use 'luna5', for example")
    return configs


def concatenate(tables: Sequence[OofPredictions]) -> OofPredictions:
    """The predictions of several folds and seeds as one table."""
    names = ("path", "corpus", "speaker", "sentence", "fold", "seed", "truth", "probabilities")
    columns = {name: np.concatenate([getattr(table, name) for table in tables]) for name in names}
    return OofPredictions(tables[0].emotions, **columns)


def collect_oof(
    utterances: Sequence[Utterance],
    recipe: Recipe,
    protocol: str,
    seeds: Sequence[int],
    runs: Path,
    oof: Path,
    folds: Sequence[str] = (),
) -> None:
    """Collect finished runs into `<oof>/<protocol>-<recipe>-<part>.csv`, with their leak audits in a `.json`.

    Args:
        utterances: all clips.
        recipe: the settings of the runs.
        protocol: a key of `PROTOCOLS`.
        seeds: of the runs.
        runs: folder of the run folders.
        oof: folder of out-of-fold predictions.
        folds: names of the folds; none for all of the protocol.

    Raises:
        TrainingError: a run is missing or not finished.
        OptionError: only some folds are requested, and predictions of other folds are already stored.
    """
    _check_no_other_folds(oof_files.csv_path(oof, protocol, recipe.name, FUSION), folds)
    configs = make_run_configs(utterances, recipe, protocol, seeds, folds=folds)
    folders = [run_folder(runs, config) for config in configs]
    unfinished = [folder for folder in folders if not is_finished(folder)]
    if unfinished:
        raise TrainingError(f"{len(unfinished)} of {len(folders)} runs are not finished, the first is {unfinished[0]}")
    candidates = (*recipe.parts, *FUSION_VARIANTS)
    parts = [part for part in candidates if (folders[0] / f"predictions-{part}.csv").is_file()]
    for part in {*BRANCHES, *candidates} - {*parts}:  # of an earlier version of the recipe, with more parts
        oof_files.csv_path(oof, protocol, recipe.name, part).unlink(missing_ok=True)
    for part in parts:
        table = concatenate([oof_files.read(folder / f"predictions-{part}.csv") for folder in folders])
        oof_files.write(table, oof_files.csv_path(oof, protocol, recipe.name, part))
    of_parts = audit_parts([part_splits(config, utterances) for config in configs], utterances)
    audits = {part: of_parts[FUSION if part in FUSION_VARIANTS else part] for part in parts}
    settings = run_settings(read_run(folders[0]))
    thresholds = _thresholds([config.fold for config in configs], folders)
    record = RunRecord(protocol, recipe.name, settings, audits, tuple(seeds), _versions(folders), thresholds)
    oof_files.write_record(record, oof_files.record_path(oof, protocol, recipe.name))


def _check_no_other_folds(stored: Path, folds: Sequence[str]) -> None:
    """The predictions of some folds must not replace those of all folds under the same name."""
    others = {*oof_files.read(stored).fold.tolist()} - {*folds} if folds and stored.is_file() else set()
    if others:
        raise OptionError(f"{stored} holds folds {', '.join(sorted(others))} too; choose another folder with --oof")


def _thresholds(folds: Sequence[str], folders: Sequence[Path]) -> dict[str, float]:
    """Fold -> confidence below which its predictions are uncertain, mean over the seeds."""
    values: dict[str, list[float]] = {}
    for fold, folder in zip(folds, folders, strict=True):
        values.setdefault(fold, []).append(uncertain_below(folder))
    return {fold: round(float(np.mean(of_fold)), 4) for fold, of_fold in values.items()}


def _versions(folders: Sequence[Path]) -> dict[str, str]:
    """Package -> version that the runs were trained with; several versions if they differ."""
    versions = [read_run(folder)["versions"] for folder in folders]
    names = dict.fromkeys(name for run in versions for name in run)
    return {name: ", ".join(sorted({run[name] for run in versions if name in run})) for name in names}


def score_oof(oof: Path, protocol: str, recipe: str) -> list[ScoreRow]:
    """Scores and leak audit of each part, from the files that `collect_oof` wrote.

    Args:
        oof: folder of the predictions.
        protocol: name of the protocol.
        recipe: name of the recipe.

    Raises:
        InputError: a file is missing or damaged.
    """
    audits = oof_files.read_record(oof_files.record_path(oof, protocol, recipe)).parts
    rows = []
    for part, audit in audits.items():
        table = oof_files.read(oof_files.csv_path(oof, protocol, recipe, part))
        scores = score(table, np.random.default_rng(SEED), mean_of_folds=PROTOCOLS[protocol].mean_of_folds)
        rows.append(ScoreRow(f"{recipe} recipe, {part}", protocol, scores, audit))
    return rows


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
    launcher: Launcher | None = None,
    processes: int = 1,
    init_from: Path | None = None,
    folds: Sequence[str] = (),
    tensorboard: bool = False,
) -> None:
    """Train every fold with every seed and collect the predictions.

    Args:
        utterances: the labelled clips.
        recipe: the settings.
        protocol: a name in `protocols.PROTOCOLS` with a test set.
        seeds: one training run per fold and seed.
        runs: folder of all run folders.
        oof: folder of the predictions.
        cache: cache folder for features; None for that of the user.
        progress: called after each clip and epoch, or with several processes after each finished run.
        launcher: starts one training run; used with several processes.
        processes: number of parallel training runs; if more than 1, each runs in a process with one thread. Where this
            process has one thread as well, their number does not affect the results.
        init_from: folder of a run on other corpora that initialises every training run; None to train from scratch.
        folds: only these; all if empty.
        tensorboard: whether each run in this process writes event files into its folder; a launcher decides by itself.

    Raises:
        OptionError: seeds, processes, protocol or recipe that do not fit; before anything is trained.
        TrainingError: a training run failed, or its folder holds another one; the message names the folder.
        CorpusError: clips that cannot be read.
    """
    if processes < 1:
        raise OptionError(f"processes must be 1 or more, got {processes}")
    utterances = clips_of(protocol, utterances)
    pending = pending_runs(utterances, recipe, protocol, seeds, runs, init_from, folds)
    _check_no_other_folds(oof_files.csv_path(oof, protocol, recipe.name, FUSION), folds)
    if processes == 1 or launcher is None:
        series = _numbered(progress, len(pending))
        for config, run_progress in zip(pending, series, strict=True):
            _train_in_process(utterances, config, run_folder(runs, config), cache, run_progress, tensorboard)
    elif pending:
        variants, extra = required_features(recipe)
        load_features(utterances, variants, cache, progress, extra)
        _launch_trainings(pending, runs, launcher, processes, progress)
    collect_oof(utterances, recipe, protocol, seeds, runs, oof, folds)


def pending_runs(
    utterances: Sequence[Utterance],
    recipe: Recipe,
    protocol: str,
    seeds: Sequence[int],
    runs: Path,
    init_from: Path | None = None,
    folds: Sequence[str] = (),
) -> list[RunConfig]:
    """The runs of an evaluation that are not finished; arguments and errors as in `evaluate`."""
    utterances = clips_of(protocol, utterances)
    configs = make_run_configs(utterances, recipe, protocol, seeds, init_from, folds)
    return [config for config in configs if not _is_done(utterances, config, run_folder(runs, config))]


def _is_done(utterances: Sequence[Utterance], config: RunConfig, folder: Path) -> bool:
    return matches_run(folder, run_metadata(utterances, config)) and is_finished(folder)


def _numbered(progress: Progress, count: int) -> Iterator[Progress]:
    """Yield the progress of each of several training runs: its texts name the run and the time that all runs take.

    Args:
        progress: called with the longer texts.
        count: number of runs, which take place while the iterator waits.
    """
    start_s = time.monotonic()
    for number in range(1, count + 1):
        left_min = (time.monotonic() - start_s) / (number - 1) * (count - number + 1) / 60 if number > 1 else None
        left = "" if left_min is None else f", {left_min:.0f} min left for all"
        yield partial(_prefixed, progress, f"run {number} of {count}{left}: ")


def _prefixed(progress: Progress, prefix: str, done: int, total: int, text: str) -> None:
    progress(done, total, prefix + text)


def _train_in_process(
    utterances: Sequence[Utterance],
    config: RunConfig,
    folder: Path,
    cache: Path | None,
    progress: Progress,
    tensorboard: bool,
) -> None:
    try:
        train(utterances, config, folder, resume=True, cache=cache, progress=progress, tensorboard=tensorboard)
    except OvertoneError as error:
        raise type(error)(f"{folder} failed: {error}") from error


def _launch_trainings(
    configs: Sequence[RunConfig], runs: Path, launcher: Launcher, processes: int, progress: Progress
) -> None:
    """Run trainings in parallel, in processes of one thread each: faster than one process of several threads."""

    def launch(config: RunConfig) -> tuple[Path, str]:
        folder = run_folder(runs, config)
        return folder, launcher(config, folder)

    failures = []
    with ThreadPoolExecutor(processes) as pool:
        for done, (folder, error) in enumerate(pool.map(launch, configs), start=1):
            if error:
                failures.append(f"{folder}: {error}")
            progress(done, len(configs), f"{folder.parent.name}/{folder.name}")
    if failures:
        raise TrainingError(f"{len(failures)} of {len(configs)} training runs failed:\n  " + "\n  ".join(failures))
