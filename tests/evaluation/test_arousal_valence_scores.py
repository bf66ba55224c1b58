"""Areas under the ROC curve of arousal and valence."""

from dataclasses import replace

import numpy as np
import pytest

from overtone.datatypes import OofPredictions
from overtone.evaluation import oof_files
from overtone.evaluation.arousal_valence_scores import auc_by_dimension

EMOTIONS = ("neutral", "happy", "sad", "angry")


def predictions(rows: list[tuple[str, str, tuple[float, ...]]]) -> OofPredictions:
    """Return predictions from fold, truth and probabilities of each clip."""
    return oof_files.from_rows(
        EMOTIONS,
        [(f"{k}.wav", "mine", "s", "1", fold, 0, truth, *row) for k, (fold, truth, row) in enumerate(rows)],
    )


CALM, EXCITED = (0.7, 0.1, 0.1, 0.1), (0.1, 0.1, 0.1, 0.7)


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    rng = np.random.default_rng(0)
    rows = [("1", str(rng.choice(EMOTIONS)), tuple(rng.dirichlet(np.ones(4)).tolist())) for _ in range(60)]
    arousal = [row[1] + row[3] for _, _, row in rows]
    high = np.array([emotion in ("happy", "angry") for _, emotion, _ in rows])
    scores = np.array(arousal)
    pairs = np.sign(scores[high][:, None] - scores[~high]) / 2 + 0.5
    assert auc_by_dimension(predictions(rows))["arousal"] == pytest.approx(pairs.mean())


def test_it_is_the_mean_of_the_folds_that_have_both_ends() -> None:
    right = [("a", "sad", CALM), ("a", "angry", EXCITED)]
    wrong = [("b", "sad", EXCITED), ("b", "angry", CALM)]
    assert auc_by_dimension(predictions(right + wrong))["arousal"] == 0.5
    assert auc_by_dimension(predictions([*right, ("c", "angry", CALM)]))["arousal"] == 1.0


def test_neutral_clips_do_not_count_for_valence() -> None:
    rows = [("1", "happy", (0.1, 0.7, 0.1, 0.1)), ("1", "sad", (0.1, 0.1, 0.7, 0.1)), ("1", "neutral", EXCITED)]
    assert auc_by_dimension(predictions(rows))["valence"] == 1.0


def test_classes_without_both_ends_have_no_area() -> None:
    rows = predictions([("1", "neutral", CALM), ("1", "sad", CALM)])
    assert np.isnan(auc_by_dimension(rows)["arousal"])
    two = replace(rows, emotions=("neutral", "sad"), probabilities=np.array([[0.5, 0.5], [0.2, 0.8]]))
    assert np.isnan(list(auc_by_dimension(two).values())).all()
