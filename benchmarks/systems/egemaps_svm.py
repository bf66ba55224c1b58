"""openSMILE's eGeMAPS functionals and a support vector machine: the baseline that `benchmarks/baselines` scores.

The machine is fitted to made-up rows, as many as the training side of a fold of RAVDESS holds, so overlapping that
nearly all of them become support vectors: what an answer costs depends on nothing else. It is fitted at loading, in a
fraction of the time that the imports take, because there is no way to keep it without pickle.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import opensmile
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from benchmarks.systems import Way
from benchmarks.systems.sound import RATE_HZ, samples_of

ROWS, FEATURES, EMOTIONS = 1152, 88, 8


def load(variant: str, folder: Path) -> Way:
    """openSMILE on one thread, and the machine."""
    smile = opensmile.Smile(feature_set=opensmile.FeatureSet.eGeMAPSv02, num_workers=1)
    machine = fitted()

    def way(clips: Sequence[Path]) -> list[np.ndarray]:
        return [answered(machine, smile.process_signal(samples_of(clip), RATE_HZ).to_numpy()) for clip in clips]

    return way


def fitted() -> Pipeline:
    """A machine as `benchmarks.baselines` makes it, of rows drawn by chance."""
    rng = np.random.default_rng(0)
    truth = np.arange(ROWS) % EMOTIONS
    rows = rng.normal(size=(ROWS, FEATURES)) + 0.3 * rng.normal(size=(EMOTIONS, FEATURES))[truth]
    return make_pipeline(StandardScaler(), SVC(C=3.0, kernel="rbf", gamma=1 / FEATURES, class_weight="balanced")).fit(
        rows, truth
    )


def answered(machine: Pipeline, row: np.ndarray) -> np.ndarray:
    """Probabilities `(emotions,)`: a softmax over decision values."""
    decisions = machine.decision_function(row)[0]
    shares = np.exp(decisions - decisions.max())
    return shares / shares.sum()
