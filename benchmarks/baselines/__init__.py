"""Support vector machines on openSMILE functionals: a common baseline of speech emotion recognition.

The modules follow the data: `functionals` (clip -> row of features), `svm` (rows -> probabilities), `evaluation` (folds
-> out-of-fold predictions), `__main__` (the command).
"""

from typing import NamedTuple


class Baseline(NamedTuple):
    """A feature set and the SVM that classifies it.

    Attributes:
        feature_set: openSMILE's name of the functionals.
        kernel: a key of `svm.KERNELS`.
        c_grid: candidate values of the penalty C, in ascending order.
    """

    feature_set: str
    kernel: str
    c_grid: tuple[float, ...]


BASELINES: dict[str, Baseline] = {
    "egemaps": Baseline("eGeMAPSv02", "rbf", (0.3, 1.0, 3.0, 10.0, 30.0)),
    "compare": Baseline("ComParE_2016", "linear", (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)),
}
