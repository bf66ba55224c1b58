"""What is said about a fine-tuned model."""

from pathlib import Path

import numpy as np

from overtone.datatypes import OofPredictions, Utterance
from overtone.evaluation.expectation import Expectation, expectation
from overtone.evaluation.oof_files import from_rows
from overtone.evaluation.speaker_folds import make_folds

CLASSES = ("happy", "sad", "angry")


def clips(speakers: int, **counts: int) -> list[Utterance]:
    """Return as many clips of each class per speaker."""
    return [
        Utterance(Path("x.wav"), emotion, f"speaker {s}", clip=f"{s}-{emotion}-{k}")
        for s in range(speakers)
        for emotion, count in counts.items()
        for k in range(count)
    ]


def expected(utterances: list[Utterance], right: dict[str, float], seed: int = 0) -> Expectation:
    """Return the expectation of a model that recognises these shares of each class, and else says sad, or happy."""
    rng, folds = np.random.default_rng(seed), make_folds(utterances)
    rows = []
    for split in folds.splits:
        for i in split.validation:
            u = utterances[i]
            said = u.emotion if rng.random() < right[u.emotion] else ("happy" if u.emotion == "sad" else "sad")
            rows.append((u.clip, "", u.speaker, "", split.fold, 0, u.emotion, *(float(said == c) for c in CLASSES)))
    predictions: OofPredictions = from_rows(CLASSES, rows)
    return expectation(predictions, utterances, folds)


def test_a_good_model_is_better_than_chance_and_its_weak_class_is_named() -> None:
    result = expected(clips(10, happy=4, sad=4, angry=4), {"happy": 1.0, "sad": 1.0, "angry": 0.2})
    assert not result.no_better_than_chance and result.chance == 1 / 3
    text = "\n".join(result.lines())
    assert "expect on other speakers, recorded likewise: UAR " in text and "no better" not in text
    assert "to improve it: more clips of 'angry'" in text and "most others taken for 'sad'" in text
    assert "more speakers" not in text
    assert text.index("recall: angry") > 0


def test_a_model_that_guesses_is_said_to_be_no_better_than_the_most_frequent_class() -> None:
    result = expected(clips(6, happy=6, sad=3, angry=3), {"happy": 1 / 3, "sad": 1 / 3, "angry": 1 / 3})
    assert result.most_frequent == "happy" and result.share == 0.5 and result.no_better_than_chance
    assert "the model is no better than always predicting 'happy': do not rely on it" in result.lines()


def test_few_speakers_and_few_clips_of_a_class_are_named() -> None:
    text = "\n".join(expected(clips(3, happy=10, sad=10, angry=1), dict.fromkeys(CLASSES, 1.0)).lines())
    assert "more speakers: 3 are few" in text and "more clips of 'angry': 3 of 63" in text


def test_one_speaker_says_nothing_about_others() -> None:
    text = "\n".join(expected(clips(1, happy=5, sad=5), dict.fromkeys(CLASSES, 1.0)).lines())
    assert "expect on other clips of the same speakers" in text and "95 % interval over clips" in text
    assert "nothing is known about other speakers: all clips are of one speaker, speaker 0" in text
    assert "add clips of other ones" in text


def test_a_class_of_one_speaker_is_said_to_be_not_measured() -> None:
    utterances = clips(4, happy=3, sad=3) + [Utterance(Path("x.wav"), "angry", "speaker 0", clip=f"a{k}") for k in "12"]
    result = expected(utterances, dict.fromkeys(CLASSES, 1.0))
    text = "\n".join(result.lines())
    assert "not measured, as too few speakers have these classes: angry" in text
    assert result.chance == 1 / 2 and "clips by more speakers of: angry" in text


def test_a_measurement_on_few_speakers_is_said_to_be_one() -> None:
    for speakers in (3, 6):
        result = expected(clips(speakers, happy=5, sad=5), dict.fromkeys(CLASSES, 1.0))
        warned = any(line.startswith(f"measured on {speakers} speakers only") for line in result.lines())
        assert (result.speakers, warned) == (speakers, speakers < 6)
