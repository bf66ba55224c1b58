"""Random out-of-fold predictions with a known truth, for the tests of scores."""

from itertools import product

import numpy as np

from overtone.corpora.ravdess import EMOTIONS
from overtone.datatypes import OofPredictions


def make_predictions(
    seed: int = 0, speakers: int = 6, clips: int = 16, seeds: int = 1, sharpness: float = 1.5, emotions: int = 8
) -> OofPredictions:
    """Return random predictions biased to the truth; clips and truth are the same for every `seed`."""
    names = EMOTIONS[:emotions]
    rows = list(product(range(seeds), range(speakers), range(clips)))
    truth = np.array([names[(3 * k + s) % emotions] for _, s, k in rows])
    logits = np.random.default_rng(seed).normal(size=(len(rows), emotions))
    logits[np.arange(len(rows)), [names.index(name) for name in truth]] += sharpness
    return OofPredictions(
        emotions=names,
        path=np.array([f"{s}/{k}" for _, s, k in rows]),
        corpus=np.full(len(rows), ""),
        speaker=np.array([f"s{s}" for _, s, _ in rows]),
        sentence=np.array(["1"] * len(rows)),
        fold=np.array(["1"] * len(rows)),
        seed=np.array([seed for seed, _, _ in rows]),
        truth=truth,
        probabilities=np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True),
    )


def select(p: OofPredictions, rows: np.ndarray) -> OofPredictions:
    return OofPredictions(p.emotions, **{k: v[rows] for k, v in vars(p).items() if k != "emotions"})


def change(p: OofPredictions, **columns: np.ndarray) -> OofPredictions:
    return OofPredictions(**{**vars(p), **columns})


def predicted_labels(p: OofPredictions) -> np.ndarray:
    return np.array(p.emotions)[p.probabilities.argmax(axis=1)]


def make_folds_of_corpora(sharpness: float = 1.0) -> OofPredictions:
    """Return predictions for two corpora of different sizes, each a fold, whose speakers have the same names."""
    tables = [make_predictions(speakers=speakers, seed=speakers, sharpness=sharpness) for speakers in (4, 13)]
    names = np.repeat(["mine", "yours"], [len(table) for table in tables])
    columns = {
        name: np.concatenate([getattr(table, name) for table in tables])
        for name in vars(tables[0])
        if name != "emotions"
    }
    return OofPredictions(EMOTIONS, **columns | {"corpus": names, "fold": names})
