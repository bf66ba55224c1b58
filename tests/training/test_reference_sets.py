"""Random reference sets: of the same speaker or corpus, of any size and make-up, and of the given clips alone."""

from pathlib import Path

import numpy as np
import pytest
import torch

from overtone.datatypes import Utterance
from overtone.training.reference_sets import MAX_CLIPS, ReferenceSets

EMOTIONS = ("neutral", "happy", "sad")


@pytest.fixture
def utterances() -> list[Utterance]:
    """Return 2 corpora x 2 speakers x 3 emotions x 30 clips; the speakers of both corpora have the same names."""
    return [
        Utterance(Path("clip.wav"), emotion, speaker, corpus=corpus)
        for corpus in ("emodb", "ravdess")
        for speaker in ("1", "2")
        for emotion in EMOTIONS
        for _ in range(30)
    ]


def test_sets_are_of_the_speaker_or_the_corpus(utterances: list[Utterance], rng: np.random.Generator) -> None:
    allowed = range(0, len(utterances), 2)  # such as a training set
    sets = ReferenceSets(utterances, allowed)
    own = [i for i in allowed if utterances[i].corpus == "ravdess" and utterances[i].speaker == "1"]
    drawn = [set(sets.draw(own[0], rng).tolist()) for _ in range(400)]
    of_speaker = [clips for clips in drawn if clips <= set(own)]
    of_corpus = [clips for clips in drawn if not clips <= set(own)]
    assert set(own) in of_speaker, "all clips of the speaker"
    assert all({utterances[i].corpus for i in clips} == {"ravdess"} for clips in of_corpus)
    assert {1, 2} <= {len(clips) for clips in of_speaker} and max(map(len, of_speaker)) <= MAX_CLIPS
    one_sided = [clips for clips in of_speaker if len({utterances[i].emotion for i in clips}) == 1 and len(clips) > 3]
    assert {utterances[i].emotion for clips in one_sided for i in clips} == set(EMOTIONS)
    assert set().union(*drawn) <= set(allowed)


def test_means_and_counts_are_those_of_the_sets(utterances: list[Utterance]) -> None:
    values, indices = torch.randn(len(utterances), 5), [3, 100, 200]
    sets = ReferenceSets(utterances, range(len(utterances)))
    means, counts = sets.means(values, indices, np.random.default_rng(1))
    rng = np.random.default_rng(1)
    for row, index in enumerate(indices):
        clips = sets.draw(index, rng)
        torch.testing.assert_close(means[row], values[clips].mean(0))
        assert counts[row] == len(clips)
