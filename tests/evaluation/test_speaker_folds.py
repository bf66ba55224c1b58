"""Folds of a cross-validation of few clips."""

from collections import Counter
from pathlib import Path

from overtone.datatypes import Utterance
from overtone.evaluation.speaker_folds import MAX_FOLDS, make_folds


def clips(*rows: tuple[str, str, int]) -> list[Utterance]:
    """Return clips from rows of speaker, emotion and number."""
    return [
        Utterance(Path(f"{speaker}-{emotion}-{k}.wav"), emotion, speaker, clip=f"{speaker}-{emotion}-{k}")
        for speaker, emotion, count in rows
        for k in range(count)
    ]


def test_every_clip_is_left_out_once_with_all_clips_of_its_speaker() -> None:
    utterances = clips(*((speaker, emotion, 3) for speaker in "abcdefgh" for emotion in ("sad", "happy")))
    folds = make_folds(utterances)
    assert folds.same_speakers == "" and folds.unmeasured == () and len(folds.splits) == MAX_FOLDS
    assert sorted(i for split in folds.splits for i in split.validation) == list(range(len(utterances)))
    for split in folds.splits:
        left_out = {utterances[i].speaker for i in split.validation}
        assert left_out.isdisjoint(utterances[i].speaker for i in split.train)


def test_speakers_are_spread_evenly() -> None:
    utterances = clips(("a", "sad", 9), ("a", "happy", 1), *((name, e, 2) for name in "bcde" for e in ("sad", "happy")))
    sizes = [len(split.validation) for split in make_folds(utterances).splits]
    assert sorted(sizes) == [4, 4, 4, 4, 10]


def test_a_class_of_one_speaker_is_not_measured_and_never_trained_with_its_speaker_left_out() -> None:
    rows = [(name, emotion, 2) for name in "abc" for emotion in ("sad", "happy")]
    utterances = clips(*rows, ("a", "angry", 4))
    folds = make_folds(utterances)
    assert folds.unmeasured == ("angry",) and folds.same_speakers == ""
    left_out = Counter(utterances[i].emotion for split in folds.splits for i in split.validation)
    assert left_out == {"sad": 6, "happy": 6}
    for split in folds.splits:
        speakers = {utterances[i].speaker for i in split.validation}
        assert speakers.isdisjoint(utterances[i].speaker for i in split.train)


def test_clips_of_one_speaker_are_split_by_clip() -> None:
    utterances = clips(("anna", "sad", 7), ("anna", "happy", 2))
    folds = make_folds(utterances)
    assert folds.same_speakers == "all clips are of one speaker, anna"
    assert sorted(i for split in folds.splits for i in split.validation) == list(range(9))
    assert all({utterances[i].emotion for i in split.train} == {"sad", "happy"} for split in folds.splits)
    assert make_folds(clips(("", "sad", 5), ("", "happy", 5))).same_speakers == "the clips do not name their speakers"


def test_speakers_without_classes_in_common_are_split_by_clip() -> None:
    folds = make_folds(clips(("a", "sad", 5), ("b", "happy", 5)))
    assert folds.same_speakers == "no two classes are spoken by two speakers each"
    assert len(folds.splits) == 5
