"""FOLDS -> OUT-OF-FOLD PREDICTIONS of a baseline, in the files that `overtone evaluate` writes for a recipe."""

import importlib.metadata
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import overtone
from benchmarks.baselines import BASELINES, Baseline
from benchmarks.baselines.svm import (
    INNER_FOLDS,
    INNER_FOLDS_APPROXIMATE,
    LANDMARKS,
    MAX_EXACT_ROWS,
    SvmPredictions,
    TrainingSet,
    normalise_by_speaker,
    predict,
)
from overtone._internal.progress import Progress, silent_progress
from overtone.corpora.label_mapping import present_emotions
from overtone.datatypes import Split, Utterance
from overtone.errors import OptionError, suggest
from overtone.evaluation import leakage, oof_files, protocols
from overtone.evaluation.oof_files import RunRecord

# Those that test every clip once per seed.
PROTOCOLS = tuple(name for name, row in protocols.PROTOCOLS.items() if name != "all" and not row.split_per_part)
PARTS = {
    "svm": "features z-scored with the statistics of the training clips",
    "adapted": "the same, after z-scoring within each speaker over the unlabelled clips of that speaker in the fold",
}
VERSIONED_PACKAGES = ("numpy", "scipy", "scikit-learn", "opensmile", "soundfile", "soxr")


def recipe_name(name: str) -> str:
    """Return the recipe in the file names of a baseline: "egemaps" -> "egemaps-svm"."""
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
    """Predict every test clip of every fold and seed; write `<oof>/<protocol>-<name>-svm-<part>.csv` and `.json`.

    Args:
        utterances: the labelled clips.
        features: `(clips, features)`, in the same order.
        name: a key of `BASELINES`.
        protocol: one of `PROTOCOLS`.
        seeds: of the splits; the SVMs are deterministic.
        oof: folder of the predictions.
        fold: the only fold to evaluate; None for all.
        progress: called after each fold.

    Raises:
        OptionError: a protocol or fold that does not exist or is not applicable, or clips of unknown speakers.
        CorpusError: too few clips or speakers.
        OvertoneError: a file cannot be written.
    """
    baseline, recipe = BASELINES[name], recipe_name(name)
    splits = [(seed, split) for seed in seeds for split in _select_folds(utterances, protocol, seed, fold)]
    emotions = present_emotions(utterances)
    rows: dict[str, list[tuple[Any, ...]]] = {part: [] for part in PARTS}
    chosen_c: dict[str, list[float]] = {part: [] for part in PARTS}
    for done, (seed, split) in enumerate(splits, start=1):
        allowed = protocols.choices(split, utterances, emotions)
        for part, predictions in predict_fold(utterances, features, split, baseline):
            chosen = oof_files.restrict(predictions.probabilities, allowed)
            rows[part] += [
                (u.clip, u.corpus, u.speaker, u.sentence, split.fold, seed, u.emotion, *p)
                for u, p in zip((utterances[i] for i in split.test), chosen, strict=True)
            ]
            chosen_c[part].append(predictions.c)
        progress(done, len(splits), f"{protocol}, fold {split.fold}")
    for part in PARTS:
        table = oof_files.from_rows(emotions, rows[part])
        oof_files.write(table, oof_files.csv_path(oof, protocol, recipe, part))
    audit = leakage.audit_runs(utterances, [(split.test, (*split.train, *split.validation)) for _, split in splits])
    clips = dict(sorted(Counter(utterance.corpus for utterance in utterances).items()))
    settings = {"name": recipe, "clips": clips, **describe(baseline, features.shape[1]), "c_chosen": chosen_c}
    record = RunRecord(protocol, recipe, settings, dict.fromkeys(PARTS, audit), tuple(seeds), package_versions())
    oof_files.write_record(record, oof_files.record_path(oof, protocol, recipe))


def predict_fold(
    utterances: Sequence[Utterance], features: np.ndarray, split: Split, baseline: Baseline
) -> Iterator[tuple[str, SvmPredictions]]:
    """Yield each part and its predictions for the test side; the SVM is trained on training and validation side.

    The probabilities have a column for every class of all clips, 0 for those without training clips.
    """
    indices = [*split.train, *split.validation, *split.test]
    train_count = len(indices) - len(split.test)
    emotions = present_emotions(utterances)
    truth = np.array([emotions.index(utterances[i].emotion) for i in indices])
    classes, labels = np.unique(truth[:train_count], return_inverse=True)
    speakers = np.array([f"{utterances[i].corpus}/{utterances[i].speaker}" for i in indices])
    rows = features[indices].astype(float)
    for part, inputs in {"svm": rows, "adapted": normalise_by_speaker(rows, speakers)}.items():
        training_set = TrainingSet(inputs[:train_count], labels, speakers[:train_count])
        predictions = predict(training_set, inputs[train_count:], baseline.kernel, baseline.c_grid)
        probabilities = np.zeros((len(split.test), len(emotions)))
        probabilities[:, classes] = predictions.probabilities
        yield part, predictions._replace(probabilities=probabilities)


def describe(baseline: Baseline, feature_count: int) -> dict[str, Any]:
    """Return the settings of a baseline for its run record."""
    return {
        "features": baseline.feature_set,
        "feature_count": feature_count,
        "kernel": baseline.kernel,
        "class_weight": "balanced",
        "c_grid": list(baseline.c_grid),
        "c_chosen_by": f"UAR over {INNER_FOLDS} folds of the training speakers",
        "approximation": f"with more than {MAX_EXACT_ROWS} training clips: a linear SVM with squared hinge loss on "
        f"{LANDMARKS} Nyström features of the kernel, C chosen over {INNER_FOLDS_APPROXIMATE} folds",
        "parts": PARTS,
    }


def package_versions() -> dict[str, str]:
    """Return package -> version, for all packages that affect the results."""
    versions = {name: importlib.metadata.version(name) for name in VERSIONED_PACKAGES}
    return {"python": platform.python_version(), "overtone": overtone.__version__, **versions}


def _select_folds(utterances: Sequence[Utterance], protocol: str, seed: int, fold: str | None) -> list[Split]:
    if protocol not in PROTOCOLS:
        raise OptionError(f"baselines do not support protocol '{protocol}'{suggest(protocol, PROTOCOLS)}")
    if not all(utterance.speaker for utterance in utterances):
        raise OptionError("baselines need the speaker of every clip; add a 'speaker' column to the manifest")
    splits = protocols.make_folds(protocol, utterances, seed)
    names = [split.fold for split in splits]
    if fold is not None and fold not in names:
        raise OptionError(f"protocol '{protocol}' has no fold '{fold}'{suggest(fold, names)}")
    return [split for split in splits if fold in (None, split.fold)]
