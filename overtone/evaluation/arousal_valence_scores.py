"""How well arousal separates high from low, and valence positive from negative: areas under the ROC curve."""

import math
from collections.abc import Mapping

import numpy as np

from overtone.arousal_valence import arousal_valence
from overtone.datatypes import FloatArray, OofPredictions
from overtone.emotions import AROUSAL, VALENCE

DIMENSIONS: Mapping[str, Mapping[str, float]] = {"arousal": AROUSAL, "valence": VALENCE}


def auc_by_dimension(predictions: OofPredictions) -> dict[str, float]:
    """Dimension -> area under the ROC curve of its predicted values, in [0, 1]; 0.5 is chance.

    Clips whose emotion has the value 1 in `overtone.emotions` are positive, those with 0 negative, and others do not
    count. It is the mean over the folds that have both; NaN if none has, or the classes do not define the dimension.

    Args:
        predictions: of all folds.
    """
    rows = [arousal_valence(row, predictions.emotions) for row in predictions.probabilities]
    predicted = np.array(rows, float).reshape(-1, len(DIMENSIONS))
    return {
        name: _mean_auc(predictions, np.array([values.get(str(emotion), math.nan) for emotion in predictions.truth]), x)
        for (name, values), x in zip(DIMENSIONS.items(), predicted.T, strict=True)
    }


def _mean_auc(predictions: OofPredictions, truth: FloatArray, predicted: FloatArray) -> float:
    from sklearn.metrics import roc_auc_score  # slow to import

    areas = []
    for fold in np.unique(predictions.fold):
        counts = (predictions.fold == fold) & np.isin(truth, (0.0, 1.0)) & np.isfinite(predicted)
        if len(np.unique(truth[counts])) == 2:
            areas.append(roc_auc_score(truth[counts], predicted[counts]))
    return float(np.mean(areas)) if areas else math.nan
