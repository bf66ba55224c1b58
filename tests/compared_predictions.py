"""Synthetic predictions, run folders and folders of out-of-fold predictions, for tests of comparisons."""

import json
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from overtone.datatypes import LeakAudit, OofPredictions
from overtone.emotions import EMOTIONS
from overtone.evaluation import oof_files
from overtone.evaluation.alignment import ModelPredictions
from overtone.evaluation.oof_files import RunRecord

CLASSES = EMOTIONS[:4]
SPEAKERS, CLIPS = 6, 12
CLASS_OF_CLIP = (0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3)  # not equally frequent, so that UAR and WA differ
NO_LEAK = LeakAudit(SPEAKERS * CLIPS, SPEAKERS, 1, 0, 1, 0)


def make(
    seed: int = 0,
    *,
    sharpness: float = 1.5,
    seeds: int = 1,
    emotions: tuple[str, ...] = CLASSES,
    corpus: str = "ravdess",
    fold: str = "1",
) -> OofPredictions:
    """Return random predictions biased to the truth; clips and truth are the same for every `seed`."""
    rows = list(product(range(seeds), range(SPEAKERS), range(CLIPS)))
    truth = [emotions[(CLASS_OF_CLIP[k] + s // 3) % len(emotions)] for _, s, k in rows]
    logits = np.random.default_rng(seed).normal(size=(len(rows), len(emotions)))
    logits[np.arange(len(rows)), [emotions.index(name) for name in truth]] += sharpness
    powers = np.exp(logits)
    return OofPredictions(
        emotions=emotions,
        path=np.array([f"{s}/{k}" for _, s, k in rows]),
        corpus=np.full(len(rows), corpus),
        speaker=np.array([f"s{s}" for _, s, _ in rows]),
        sentence=np.full(len(rows), "1"),
        fold=np.full(len(rows), fold),
        seed=np.array([number for number, _, _ in rows]),
        truth=np.array(truth),
        probabilities=np.round(powers / powers.sum(axis=1, keepdims=True), 6),
    )


def change(predictions: OofPredictions, **columns: Any) -> OofPredictions:
    """Return predictions with other columns."""
    return OofPredictions(**{**vars(predictions), **columns})


def model(name: str, predictions: OofPredictions, uncertain_below: float = 0.5) -> ModelPredictions:
    """Return a model with one threshold for all predictions."""
    return ModelPredictions(name, predictions, np.full(len(predictions), uncertain_below))


def predicted_labels(predictions: OofPredictions) -> np.ndarray:
    """Return the predicted class of each row, str `(n,)`."""
    return np.array(predictions.emotions)[predictions.probabilities.argmax(axis=1)]


def write_run(
    folder: Path,
    predictions: OofPredictions | None,
    *,
    part: str = "fusion",
    audit: LeakAudit = NO_LEAK,
    audit_of_mel: LeakAudit | None = None,
    uncertain_below: float = 0.6,
) -> Path:
    """Write what a comparison reads of a finished run folder; None for a run without a test set."""
    folder.mkdir(parents=True, exist_ok=True)
    audits = {"fusion": asdict(audit), "mel": asdict(audit_of_mel or audit)}
    run = {"protocol": "luna5", "fold": "1", "audits": audits}
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
    (folder / "calibration.json").write_text(json.dumps({"uncertain_below": uncertain_below}), encoding="utf-8")
    for name in ("weights.safetensors", "report.html"):
        (folder / name).touch()
    if predictions is not None:
        oof_files.write(predictions, folder / f"predictions-{part}.csv")
    return folder


def write_oof(
    folder: Path,
    predictions: OofPredictions,
    *,
    recipe: str = "mine",
    part: str = "fusion",
    protocol: str = "luna5",
    audit: LeakAudit = NO_LEAK,
    uncertain_below: dict[str, float] | None = None,
) -> Path:
    """Write out-of-fold predictions with their run record; return the path of the CSV file."""
    path = oof_files.csv_path(folder, protocol, recipe, part)
    oof_files.write(predictions, path)
    record = RunRecord(protocol, recipe, {}, {part: audit}, (0,), {}, uncertain_below or {})
    oof_files.write_record(record, oof_files.record_path(folder, protocol, recipe))
    return path
