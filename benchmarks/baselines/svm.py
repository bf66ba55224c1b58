"""ROWS OF FEATURES -> PROBABILITIES, by a support vector machine tuned on its training speakers.

Scaling, C and temperature are fitted on the training rows; a test row affects only its own prediction. With many
training rows, the SVM is approximate: the many fits of an exact one would take hours.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import softmax
from sklearn.metrics import balanced_accuracy_score
from sklearn.metrics.pairwise import linear_kernel, rbf_kernel
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from overtone.errors import CorpusError
from overtone.evaluation.calibration import fit_temperature

# On z-scored features; the default gamma of `rbf_kernel` is 1 / features.
KERNELS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {"linear": linear_kernel, "rbf": rbf_kernel}
INNER_FOLDS = 5  # or the number of speakers, if that is smaller
MAX_EXACT_ROWS = 5000  # of training; with more, the SVM is approximate
LANDMARKS = 1000  # training rows that span the approximate kernel
LANDMARK_SEED = 0
SMALLEST_EIGENVALUE = 1e-9  # relative to the largest; directions below it are noise
INNER_FOLDS_APPROXIMATE = 2


class TrainingSet(NamedTuple):
    """Labelled rows of known speakers.

    Attributes:
        features: `(clips, features)`.
        truth: index of each clip's class, int `(clips,)`; every class occurs.
        speakers: speaker of each clip, `(clips,)`.
    """

    features: np.ndarray
    truth: np.ndarray
    speakers: np.ndarray

    def subset(self, indices: np.ndarray) -> "TrainingSet":
        """Return the rows with these indices, or with True in a mask."""
        return TrainingSet(*(column[indices] for column in self))


class SvmPredictions(NamedTuple):
    """The predictions of an SVM and its tuned settings.

    Attributes:
        probabilities: `(rows, classes)`, rows summing to 1.
        c: the penalty C, one of the grid.
        temperature: divisor of the decision values.
    """

    probabilities: np.ndarray
    c: float
    temperature: float


def predict(training_set: TrainingSet, rows: np.ndarray, kernel: str, c_grid: tuple[float, ...]) -> SvmPredictions:
    """Return predictions with the C and the temperature that are best in a cross-validation over training speakers.

    Args:
        training_set: rows to train on.
        rows: features to predict, `(rows, features)`.
        kernel: a key of `KERNELS`.
        c_grid: values of C; of those with the same UAR the first is chosen.

    Raises:
        CorpusError: fewer than two training speakers, or a class with too few speakers.
    """
    held_out = _held_out_decision_values(training_set, kernel, c_grid)
    uars = [balanced_accuracy_score(training_set.truth, values.argmax(axis=1)) for values in held_out]
    best = int(np.argmax(uars))
    temperature = fit_temperature(held_out[best], training_set.truth)
    (values,) = decision_values(training_set, rows, kernel, (c_grid[best],))
    return SvmPredictions(softmax(values / temperature, axis=1), c_grid[best], temperature)


def decision_values(training_set: TrainingSet, rows: np.ndarray, kernel: str, c_grid: tuple[float, ...]) -> np.ndarray:
    """Return decision values `(c_grid, rows, classes)`, the highest of which is the prediction.

    Features are z-scored with the statistics of the training set. With more than `MAX_EXACT_ROWS` training rows, the
    SVM is a linear one (squared hinge loss, one class against the others) on the Nyström features of the kernel.
    """
    scaler = StandardScaler().fit(training_set.features)
    train, test = scaler.transform(training_set.features), scaler.transform(rows)
    if len(train) > MAX_EXACT_ROWS:
        transform = nystroem(train, kernel)
        train, test = transform(train), transform(test)
        linear = (LinearSVC(C=c, dual=False, class_weight="balanced") for c in c_grid)
        values = np.stack([svm.fit(train, training_set.truth).decision_function(test) for svm in linear])
        return _two_columns(values)
    train_kernel, test_kernel = KERNELS[kernel](train, train), KERNELS[kernel](test, train)
    svms = (SVC(C=c, kernel="precomputed", class_weight="balanced") for c in c_grid)
    values = np.stack([svm.fit(train_kernel, training_set.truth).decision_function(test_kernel) for svm in svms])
    return _two_columns(values)


def nystroem(train: np.ndarray, kernel: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return a map of rows to features whose inner products approximate a kernel.

    Source: Williams and Seeger (2001), "Using the Nyström method to speed up kernel machines".

    Args:
        train: z-scored training rows, of which `LANDMARKS` at random span the kernel.
        kernel: a key of `KERNELS`.
    """
    rng = np.random.default_rng(LANDMARK_SEED)
    landmarks = train[np.sort(rng.choice(len(train), min(LANDMARKS, len(train)), replace=False))]
    eigenvalues, eigenvectors = np.linalg.eigh(KERNELS[kernel](landmarks, landmarks))
    kept = eigenvalues > SMALLEST_EIGENVALUE * eigenvalues[-1]
    projection = eigenvectors[:, kept] / np.sqrt(eigenvalues[kept])
    return lambda rows: KERNELS[kernel](rows, landmarks) @ projection


def _two_columns(values: np.ndarray) -> np.ndarray:
    """Return decision values with a column per class: two classes share one value."""
    return values if values.ndim == 3 else np.stack([-values, values], axis=-1)


def normalise_by_speaker(features: np.ndarray, speakers: np.ndarray) -> np.ndarray:
    """Return features `(clips, features)` z-scored within each speaker over all given clips, without labels."""
    normalised = np.empty(features.shape)
    for speaker in np.unique(speakers):
        is_speaker = speakers == speaker
        normalised[is_speaker] = StandardScaler().fit_transform(features[is_speaker])
    return normalised


def _held_out_decision_values(training_set: TrainingSet, kernel: str, c_grid: tuple[float, ...]) -> np.ndarray:
    """Return decision values `(c_grid, clips, classes)` of every clip, by SVMs that were not trained on its speaker."""
    speakers, classes = len(np.unique(training_set.speakers)), len(np.unique(training_set.truth))
    if speakers < 2:
        raise CorpusError("C is chosen on held-out speakers: provide clips of at least two training speakers")
    values = np.empty((len(c_grid), len(training_set.truth), classes))
    inner_folds = INNER_FOLDS if len(training_set.truth) <= MAX_EXACT_ROWS else INNER_FOLDS_APPROXIMATE
    folds = GroupKFold(min(inner_folds, speakers)).split(training_set.features, groups=training_set.speakers)
    for train, held_out in folds:
        others = training_set.subset(train)
        if len(np.unique(others.truth)) < classes:
            raise CorpusError("C is chosen on held-out speakers: provide clips of every emotion by more speakers")
        values[:, held_out] = decision_values(others, training_set.features[held_out], kernel, c_grid)
    return values
