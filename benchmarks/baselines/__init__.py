"""Support vector machines on openSMILE functionals: what is commonly taken as the baseline of emotion recognition.

The files read as the way of the data: `functionals` (clip -> row of features), `svm` (rows -> probabilities),
`evaluation` (folds -> out-of-fold predictions), `__main__` (the command).
"""

from typing import NamedTuple


class Baseline(NamedTuple):
    """Functionals and the machine that takes them.

    Attributes:
        feature_set: openSMILE's name of the functionals.
        kernel: a key of `svm.KERNELS`.
        c_grid: values of the penalty C to choose from, the smallest first.
    """

    feature_set: str
    kernel: str
    c_grid: tuple[float, ...]


BASELINES: dict[str, Baseline] = {
    "egemaps": Baseline("eGeMAPSv02", "rbf", (0.3, 1.0, 3.0, 10.0, 30.0)),
    "compare": Baseline("ComParE_2016", "linear", (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)),
}
