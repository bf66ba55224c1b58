"""Protocol `unseen-corpus`: training, validation and test sets of corpora with different classes."""

from pathlib import Path

import pytest

from overtone.datatypes import Utterance
from overtone.errors import CorpusError, OptionError
from overtone.evaluation.protocols import make_folds


def make_pool(speakers: int = 10, **classes: str) -> list[Utterance]:
    """Return clips of corpora with these classes (first letters), by speakers of both genders."""
    names = {"n": "neutral", "h": "happy", "s": "sad", "a": "angry", "b": "bored"}
    return [
        Utterance(
            Path(f"{corpus}/{speaker}-{letter}.wav"), names[letter], f"{speaker:02d}", corpus=corpus,
            gender=("female", "male")[speaker % 2], clip=f"{speaker}-{letter}",
        )
        for corpus, letters in classes.items()
        for speaker in range(speakers)
        for letter in letters
    ]  # fmt: skip


def test_unseen_corpus_leaves_out_test_clips_of_unknown_classes() -> None:
    pool = make_pool(emodb="nhsb", emovo="nhsa", nemo="nha", emogator="nsa")
    folds = {split.fold: split for split in make_folds("unseen-corpus", pool)}
    assert list(folds) == ["emodb", "emovo", "nemo"]  # vocal bursts are not tested
    for corpus, split in folds.items():
        trained_on = (*split.train, *split.validation)
        assert {pool[i].corpus for i in split.test} == {corpus}
        assert {pool[i].corpus for i in split.train} == {"emodb", "emovo", "nemo", "emogator"} - {corpus}
        assert {pool[i].corpus for i in split.validation} == {pool[i].corpus for i in split.train}
        assert len(trained_on) == sum(u.corpus != corpus for u in pool)
        assert not {(pool[i].corpus, pool[i].speaker) for i in split.train} & {
            (pool[i].corpus, pool[i].speaker) for i in split.validation
        }
    assert {pool[i].emotion for i in folds["emodb"].test} == {"neutral", "happy", "sad"}, "bored is in one corpus only"
    assert "bored" in {pool[i].emotion for i in folds["emovo"].train}
    assert len(folds["emodb"].test) == 30
    assert len(folds["emovo"].test) == 40


@pytest.mark.parametrize(("speakers", "expected"), [(10, 1), (2, 1), (25, 2), (36, 4), (1, 0)])
def test_unseen_corpus_validates_on_a_tenth_of_the_speakers_of_each_corpus(speakers: int, expected: int) -> None:
    pool = make_pool(emodb="ns", emovo="ns") + make_pool(speakers, other="ns")
    validation = []
    for seed in range(2):
        split = make_folds("unseen-corpus", pool, seed)[0]
        validation.append({pool[i].speaker for i in split.validation if pool[i].corpus == "other"})
        assert len(validation[-1]) == expected
        assert any(pool[i].corpus == "other" for i in split.train)
    assert validation[0] != validation[1] or speakers < 4, "one of each gender does not rotate"


def test_unseen_corpus_needs_two_corpora_of_speech_with_common_classes() -> None:
    with pytest.raises(OptionError, match="at least two corpora of speech"):
        make_folds("unseen-corpus", make_pool(emodb="nhsa", emogator="nhsa"))
    with pytest.raises(CorpusError, match=r"fold emodb: needs two or more classes .* and has neutral"):
        make_folds("unseen-corpus", make_pool(emodb="nh", emovo="nsa"))
    with pytest.raises(OptionError, match="10 clips name no speaker"):
        nameless = [Utterance(Path(f"{k}"), "sad", corpus="mine") for k in range(10)]
        make_folds("unseen-corpus", [*make_pool(emodb="ns"), *nameless])
