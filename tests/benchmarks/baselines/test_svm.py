"""The machine: what scikit-learn's own pipeline says, and no say for rows that are only asked about."""

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

from benchmarks.baselines.svm import INNER_FOLDS, KERNELS, Learned, answers, by_speaker, decisions
from overtone.errors import CorpusError
from overtone.evaluation.calibration import fit_temperature

SPEAKERS, CLASSES, FEATURES = 7, 3, 6
C_GRID = (1e-4, 1e-2, 1.0)


@pytest.fixture
def learned(rng: np.random.Generator) -> Learned:
    """12 clips of every class by 7 speakers, told apart by a feature each, in different units; one feature is dead."""
    truth = np.tile(np.arange(CLASSES), 12 * SPEAKERS)
    speakers = np.repeat(np.arange(SPEAKERS), 12 * CLASSES)
    features = rng.standard_normal((len(truth), FEATURES)) * 10.0 ** np.arange(FEATURES)
    features[np.arange(len(truth)), truth] += 2 * 10.0**truth
    features[:, -1] = 0.1
    return Learned(features, truth, speakers)


@pytest.fixture
def asked(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((20, FEATURES)) * 10.0 ** np.arange(FEATURES)


def pipeline(kernel: str, c: float) -> Pipeline:
    """The same machine as scikit-learn writes it."""
    return make_pipeline(StandardScaler(), SVC(C=c, kernel=kernel, gamma=1 / FEATURES, class_weight="balanced"))


@pytest.mark.parametrize("kernel", KERNELS)
def test_decisions_are_those_of_the_usual_pipeline(learned: Learned, asked: np.ndarray, kernel: str) -> None:
    few = learned.at(np.flatnonzero((learned.truth != 2) | (learned.speakers < 3)))  # classes of different size
    found = decisions(few, asked, kernel, C_GRID)
    for c, values in zip(C_GRID, found, strict=True):
        expected = pipeline(kernel, c).fit(few.features, few.truth).decision_function(asked)
        np.testing.assert_allclose(values, expected, atol=1e-6)


@pytest.mark.parametrize("kernel", KERNELS)
def test_c_and_temperature_suit_speakers_held_out(learned: Learned, asked: np.ndarray, kernel: str) -> None:
    held_out = {
        c: cross_val_predict(
            pipeline(kernel, c), learned.features, learned.truth,
            groups=learned.speakers, cv=GroupKFold(INNER_FOLDS), method="decision_function",
        )
        for c in C_GRID
    }  # fmt: skip
    uar = {c: balanced_accuracy_score(learned.truth, values.argmax(axis=1)) for c, values in held_out.items()}
    assert len(set(uar.values())) > 1
    found = answers(learned, asked, kernel, C_GRID)
    assert uar[found.c] == max(uar.values())
    assert found.temperature == pytest.approx(fit_temperature(held_out[found.c], learned.truth), rel=1e-3)
    (values,) = decisions(learned, asked, kernel, (found.c,))
    np.testing.assert_allclose(found.probabilities, softmax(values / found.temperature, axis=1), rtol=1e-9)


@pytest.mark.parametrize("kernel", KERNELS)
def test_answers_are_right_and_sum_to_one(learned: Learned, kernel: str) -> None:
    tested = learned.speakers == 0
    found = answers(learned.at(~tested), learned.features[tested], kernel, C_GRID)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
    assert (found.probabilities.argmax(axis=1) == learned.truth[tested]).mean() > 0.75


@pytest.mark.parametrize("kernel", KERNELS)
def test_other_rows_that_are_asked_have_no_say(learned: Learned, asked: np.ndarray, kernel: str) -> None:
    alone = answers(learned, asked[:1], kernel, C_GRID)
    beside = answers(learned, np.vstack([asked[:1], 1e6 * asked[1:]]), kernel, C_GRID)
    np.testing.assert_allclose(beside.probabilities[:1], alone.probabilities, rtol=1e-9)
    assert (beside.c, beside.temperature) == (alone.c, alone.temperature)


def test_two_classes_have_two_probabilities(learned: Learned) -> None:
    two = learned.at(np.flatnonzero(learned.truth < 2))
    found = answers(two, two.features, "linear", C_GRID).probabilities
    assert found.shape == (len(two.truth), 2)
    assert balanced_accuracy_score(two.truth, found.argmax(axis=1)) > 0.75


def test_of_equally_good_values_of_c_the_first_is_taken(learned: Learned, asked: np.ndarray) -> None:
    plain = learned._replace(features=learned.truth[:, None] * np.ones(FEATURES))
    assert answers(plain, asked, "linear", (1.0, 10.0, 100.0)).c == 1.0


def test_by_speaker_gives_every_speaker_mean_0_and_spread_1(learned: Learned) -> None:
    found = by_speaker(learned.features, learned.speakers)
    for speaker in range(SPEAKERS):
        own = found[learned.speakers == speaker]
        np.testing.assert_allclose(own.mean(axis=0), 0, atol=1e-9)
        np.testing.assert_allclose(own.std(axis=0), [1] * (FEATURES - 1) + [0], atol=1e-9)  # the last never varies


def test_by_speaker_undoes_what_is_a_speakers_own_and_leaves_others_alone(learned: Learned) -> None:
    own = learned.speakers == 3
    other_voice = learned.features.copy()
    other_voice[own] = 5 * other_voice[own] + 100
    found = by_speaker(other_voice, learned.speakers)
    np.testing.assert_allclose(found, by_speaker(learned.features, learned.speakers), atol=1e-9)


@pytest.mark.parametrize(("speakers", "message"), [([0], "two speakers at least"), ([0, 1], "every emotion by more")])
def test_too_few_speakers_are_told(learned: Learned, asked: np.ndarray, speakers: list[int], message: str) -> None:
    few = learned.at(np.flatnonzero(np.isin(learned.speakers, speakers) & (learned.truth + learned.speakers < 3)))
    with pytest.raises(CorpusError, match=message):
        answers(few, asked, "linear", C_GRID)
