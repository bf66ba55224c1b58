"""The SVM equals a scikit-learn pipeline, and test rows affect only their own predictions."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from benchmarks.baselines import svm
from benchmarks.baselines.svm import (
    INNER_FOLDS,
    KERNELS,
    TrainingSet,
    decision_values,
    normalise_by_speaker,
    predict,
)
from overtone.errors import CorpusError
from overtone.evaluation.calibration import fit_temperature

SPEAKERS, CLASSES, FEATURES = 7, 3, 6
C_GRID = (1e-4, 1e-2, 1.0)


@pytest.fixture
def training_set(rng: np.random.Generator) -> TrainingSet:
    """12 clips of every class by 7 speakers; a feature per class, in different units; one feature is constant."""
    truth = np.tile(np.arange(CLASSES), 12 * SPEAKERS)
    speakers = np.repeat(np.arange(SPEAKERS), 12 * CLASSES)
    features = rng.standard_normal((len(truth), FEATURES)) * 10.0 ** np.arange(FEATURES)
    features[np.arange(len(truth)), truth] += 2 * 10.0**truth
    features[:, -1] = 0.1
    return TrainingSet(features, truth, speakers)


@pytest.fixture
def rows(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((20, FEATURES)) * 10.0 ** np.arange(FEATURES)


def pipeline(kernel: str, c: float) -> Pipeline:
    """The same SVM as a scikit-learn pipeline."""
    return make_pipeline(StandardScaler(), SVC(C=c, kernel=kernel, gamma=1 / FEATURES, class_weight="balanced"))


@pytest.mark.parametrize("kernel", KERNELS)
def test_decision_values_equal_those_of_a_pipeline(training_set: TrainingSet, rows: np.ndarray, kernel: str) -> None:
    uneven = (training_set.truth != 2) | (training_set.speakers < 3)  # classes of different size
    few = training_set.subset(np.flatnonzero(uneven))
    grid_values = decision_values(few, rows, kernel, C_GRID)
    for c, values in zip(C_GRID, grid_values, strict=True):
        expected = pipeline(kernel, c).fit(few.features, few.truth).decision_function(rows)
        np.testing.assert_allclose(values, expected, atol=1e-6)


@pytest.mark.parametrize("kernel", KERNELS)
def test_c_and_temperature_are_chosen_on_held_out_speakers(
    training_set: TrainingSet, rows: np.ndarray, kernel: str
) -> None:
    held_out = {
        c: cross_val_predict(
            pipeline(kernel, c), training_set.features, training_set.truth,
            groups=training_set.speakers, cv=GroupKFold(INNER_FOLDS), method="decision_function",
        )
        for c in C_GRID
    }  # fmt: skip
    uar = {c: balanced_accuracy_score(training_set.truth, values.argmax(axis=1)) for c, values in held_out.items()}
    assert len(set(uar.values())) > 1
    predictions = predict(training_set, rows, kernel, C_GRID)
    assert uar[predictions.c] == max(uar.values())
    assert predictions.temperature == pytest.approx(
        fit_temperature(held_out[predictions.c], training_set.truth), rel=1e-3
    )
    (values,) = decision_values(training_set, rows, kernel, (predictions.c,))
    np.testing.assert_allclose(predictions.probabilities, softmax(values / predictions.temperature, axis=1), rtol=1e-9)


@pytest.mark.parametrize("kernel", KERNELS)
def test_predictions_are_accurate_and_sum_to_one(training_set: TrainingSet, kernel: str) -> None:
    is_test = training_set.speakers == 0
    predictions = predict(training_set.subset(~is_test), training_set.features[is_test], kernel, C_GRID)
    np.testing.assert_allclose(predictions.probabilities.sum(axis=1), 1)
    assert (predictions.probabilities.argmax(axis=1) == training_set.truth[is_test]).mean() > 0.75


@pytest.mark.parametrize("kernel", KERNELS)
def test_other_test_rows_do_not_affect_a_prediction(training_set: TrainingSet, rows: np.ndarray, kernel: str) -> None:
    alone = predict(training_set, rows[:1], kernel, C_GRID)
    with_others = predict(training_set, np.vstack([rows[:1], 1e6 * rows[1:]]), kernel, C_GRID)
    np.testing.assert_allclose(with_others.probabilities[:1], alone.probabilities, rtol=1e-9)
    assert (with_others.c, with_others.temperature) == (alone.c, alone.temperature)


@pytest.mark.parametrize("kernel", KERNELS)
def test_nystroem_features_have_the_inner_products_of_the_kernel(
    training_set: TrainingSet, kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = StandardScaler().fit_transform(training_set.features)
    exact = KERNELS[kernel](train, train)
    monkeypatch.setattr(svm, "LANDMARKS", len(train))
    features = svm.nystroem(train, kernel)(train)
    np.testing.assert_allclose(features @ features.T, exact, atol=1e-4)
    monkeypatch.setattr(svm, "LANDMARKS", 60)
    features = svm.nystroem(train, kernel)(train)
    assert np.abs(features @ features.T - exact).mean() < 0.1 * np.abs(exact).mean()


@pytest.mark.parametrize("kernel", KERNELS)
def test_many_rows_are_classified_approximately(
    training_set: TrainingSet, kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(svm, "MAX_EXACT_ROWS", 10)
    monkeypatch.setattr(svm, "LANDMARKS", 50)
    is_test = training_set.speakers == 0
    rows = training_set.features[is_test]
    predictions = predict(training_set.subset(~is_test), rows, kernel, C_GRID)
    np.testing.assert_allclose(predictions.probabilities.sum(axis=1), 1)
    assert (predictions.probabilities.argmax(axis=1) == training_set.truth[is_test]).mean() > 0.75
    again = predict(training_set.subset(~is_test), rows, kernel, C_GRID)
    np.testing.assert_array_equal(again.probabilities, predictions.probabilities)


def test_two_classes_have_two_probabilities(training_set: TrainingSet) -> None:
    two = training_set.subset(np.flatnonzero(training_set.truth < 2))
    probabilities = predict(two, two.features, "linear", C_GRID).probabilities
    assert probabilities.shape == (len(two.truth), 2)
    assert balanced_accuracy_score(two.truth, probabilities.argmax(axis=1)) > 0.75


def test_the_first_of_equally_good_values_of_c_is_chosen(training_set: TrainingSet, rows: np.ndarray) -> None:
    constant = training_set._replace(features=training_set.truth[:, None] * np.ones(FEATURES))
    assert predict(constant, rows, "linear", (1.0, 10.0, 100.0)).c == 1.0


def test_normalised_features_of_a_speaker_have_mean_0_and_standard_deviation_1(training_set: TrainingSet) -> None:
    normalised = normalise_by_speaker(training_set.features, training_set.speakers)
    for speaker in range(SPEAKERS):
        of_speaker = normalised[training_set.speakers == speaker]
        np.testing.assert_allclose(of_speaker.mean(axis=0), 0, atol=1e-9)
        np.testing.assert_allclose(
            of_speaker.std(axis=0), [1] * (FEATURES - 1) + [0], atol=1e-9
        )  # the last is constant


def test_speaker_normalisation_removes_an_affine_transform_of_one_speaker(training_set: TrainingSet) -> None:
    is_speaker = training_set.speakers == 3
    transformed = training_set.features.copy()
    transformed[is_speaker] = 5 * transformed[is_speaker] + 100
    normalised = normalise_by_speaker(transformed, training_set.speakers)
    np.testing.assert_allclose(
        normalised, normalise_by_speaker(training_set.features, training_set.speakers), atol=1e-9
    )


@pytest.mark.parametrize(("speakers", "message"), [([0], "at least two"), ([0, 1], "every emotion by more")])
def test_too_few_speakers_are_reported(
    training_set: TrainingSet, rows: np.ndarray, speakers: list[int], message: str
) -> None:
    has_speaker = np.isin(training_set.speakers, speakers) & (training_set.truth + training_set.speakers < 3)
    few = training_set.subset(np.flatnonzero(has_speaker))
    with pytest.raises(CorpusError, match=message):
        predict(few, rows, "linear", C_GRID)
