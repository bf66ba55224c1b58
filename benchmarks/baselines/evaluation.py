"""FOLDS -> OUT-OF-FOLD PREDICTIONS of a baseline, kept as `overtone evaluate` keeps those of a recipe."""

import importlib.metadata
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import overtone
from benchmarks.baselines import BASELINES, Baseline
from benchmarks.baselines.svm import INNER_FOLDS, Answers, Learned, answers, by_speaker
from overtone._internal.progress import Progress, silent_progress
from overtone.datatypes import Split, Utterance
from overtone.errors import OptionError, suggest
from overtone.evaluation import leakage, oof_files, protocols
from overtone.evaluation.oof_files import RunRecord
from overtone.training.run_config import present_emotions

PROTOCOLS = tuple(
    name for name in protocols.PROTOCOLS if name not in ("all", "paper")
)  # one test side per clip and seed
PARTS = {
    "svm": "features z-scored by the clips learned from",
    "adapted": "the same, first z-scored within each speaker by the speaker's clips in the fold, without labels",
}
VERSIONED = ("numpy", "scipy", "scikit-learn", "opensmile", "soundfile", "soxr")


def recipe_of(name: str) -> str:
    """What the files of a baseline are called after: "egemaps" -> "egemaps-svm"."""
    return f"{name}-svm"


def evaluate(
    utterances: Sequence[Utterance],
    features: np.ndarray,
    name: str,
    protocol: str,
    seeds: Sequence[int],
    oof: Path,
    fold: str | None = None,
    progress: Progress = silent_progress,
) -> None:
    """Answers every test clip of every fold and seed, and writes `<oof>/<protocol>-<name>-svm-<part>.csv` and `.json`.

    Args:
        utterances: the labelled clips.
        features: `(clips, features)`, in the same order.
        name: a key of `BASELINES`.
        protocol: one of `PROTOCOLS`.
        seeds: of the splits; the machines draw nothing by chance.
        oof: folder of the predictions.
        fold: the only one to answer; None for all.
        progress: told about each fold.

    Raises:
        OptionError: a protocol or fold that does not exist or does not fit, or clips whose speaker is not known.
        CorpusError: too few clips or speakers.
        OvertoneError: a file cannot be written.
    """
    baseline = BASELINES[name]
    plans = [(seed, split) for seed in seeds for split in _folds(utterances, protocol, seed, fold)]
    rows: dict[str, list[tuple]] = {part: [] for part in PARTS}
    chosen: dict[str, list[float]] = {part: [] for part in PARTS}
    for done, (seed, split) in enumerate(plans, start=1):
        for part, found in answers_of(utterances, features, split, baseline):
            rows[part] += [
                (u.clip, u.speaker, u.sentence, split.fold, seed, u.emotion, *p)
                for u, p in zip((utterances[i] for i in split.test), found.probabilities, strict=True)
            ]
            chosen[part].append(found.c)
        progress(done, len(plans), f"{protocol}, fold {split.fold}")
    recipe = recipe_of(name)
    for part in PARTS:
        table = oof_files.from_rows(present_emotions(utterances), rows[part])
        oof_files.write(table, oof_files.csv_path(oof, protocol, recipe, part))
    audit = leakage.sum_audits(
        leakage.audit(utterances, split.test, (*split.train, *split.validation)) for _, split in plans
    )
    clips = dict(sorted(Counter(utterance.corpus for utterance in utterances).items()))
    settings = {"name": recipe, "clips": clips, **described(baseline, features.shape[1]), "c_chosen": chosen}
    held = RunRecord(protocol, recipe, settings, dict.fromkeys(PARTS, audit), tuple(seeds), versions())
    oof_files.write_record(held, oof_files.record_path(oof, protocol, recipe))


def answers_of(
    utterances: Sequence[Utterance], features: np.ndarray, split: Split, baseline: Baseline
) -> Iterator[tuple[str, Answers]]:
    """Each part and its answers to the test clips of one fold; training and validation side are learned from."""
    places = [*split.train, *split.validation, *split.test]
    learned = len(places) - len(split.test)  # so many of them, the first
    emotions = present_emotions(utterances)
    truth = np.array([emotions.index(utterances[i].emotion) for i in places])
    speakers = np.array([f"{utterances[i].corpus}/{utterances[i].speaker}" for i in places])
    own = features[places].astype(float)
    for part, rows in {"svm": own, "adapted": by_speaker(own, speakers)}.items():
        known = Learned(rows[:learned], truth[:learned], speakers[:learned])
        yield part, answers(known, rows[learned:], baseline.kernel, baseline.c_grid)


def described(baseline: Baseline, count: int) -> dict[str, Any]:
    """What the audits file says of a baseline.

    Args:
        baseline: which.
        count: number of features.
    """
    return {
        "features": baseline.feature_set,
        "feature_count": count,
        "kernel": baseline.kernel,
        "class_weight": "balanced",
        "c_grid": list(baseline.c_grid),
        "c_chosen_by": f"UAR over {INNER_FOLDS} folds of the speakers learned from",
        "parts": PARTS,
    }


def versions() -> dict[str, str]:
    """Package -> version, of everything that has a say in a result."""
    found = {name: importlib.metadata.version(name) for name in VERSIONED}
    return {"python": platform.python_version(), "overtone": overtone.__version__, **found}


def _folds(utterances: Sequence[Utterance], protocol: str, seed: int, fold: str | None) -> list[Split]:
    if protocol not in PROTOCOLS:
        raise OptionError(f"baselines do not take protocol '{protocol}'{suggest(protocol, PROTOCOLS)}")
    if not all(utterance.speaker for utterance in utterances):
        raise OptionError("baselines need to know who speaks; add a 'speaker' column to the manifest")
    found = protocols.make_folds(protocol, utterances, seed)
    names = [split.fold for split in found]
    if fold is not None and fold not in names:
        raise OptionError(f"protocol '{protocol}' has no fold '{fold}'{suggest(fold, names)}")
    return [split for split in found if fold in (None, split.fold)]
