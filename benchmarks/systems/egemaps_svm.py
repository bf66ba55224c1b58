"""openSMILE's eGeMAPS functionals with a support vector machine: the baseline that `benchmarks/baselines` scores.

The SVM is fitted to synthetic rows, as many as the training side of a RAVDESS fold has, which overlap so much that
nearly all of them become support vectors: the cost of a prediction depends on nothing else. It is fitted when the
system is loaded, in a fraction of the time of the imports, because it cannot be stored without pickle.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import opensmile
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from benchmarks.systems import ProcessClips
from benchmarks.systems.audio import RATE_HZ, read_mono

ROWS, FEATURES, EMOTIONS = 1152, 88, 8


def load(variant: str, folder: Path) -> ProcessClips:
    """Return openSMILE on one thread, followed by the SVM."""
    smile = opensmile.Smile(feature_set=opensmile.FeatureSet.eGeMAPSv02, num_workers=1)
    svm = fit_svm()

    def process(clips: Sequence[Path]) -> list[np.ndarray]:
        return [predict(svm, smile.process_signal(read_mono(clip), RATE_HZ).to_numpy()) for clip in clips]

    return process


def fit_svm() -> Pipeline:
    """Return an SVM with the settings of `benchmarks.baselines`, fitted to random rows."""
    rng = np.random.default_rng(0)
    truth = np.arange(ROWS) % EMOTIONS
    rows = rng.normal(size=(ROWS, FEATURES)) + 0.3 * rng.normal(size=(EMOTIONS, FEATURES))[truth]
    return make_pipeline(StandardScaler(), SVC(C=3.0, kernel="rbf", gamma=1 / FEATURES, class_weight="balanced")).fit(
        rows, truth
    )


def predict(svm: Pipeline, row: np.ndarray) -> np.ndarray:
    """Return probabilities `(emotions,)`: a softmax over the decision values."""
    decisions = svm.decision_function(row)[0]
    exponentials = np.exp(decisions - decisions.max())
    return exponentials / exponentials.sum()
