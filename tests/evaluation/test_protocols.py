"""Protocols: sizes and contents of the splits, and their leak audits."""

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from overtone.corpora.ravdess import EMOTIONS
from overtone.datatypes import LeakAudit, Utterance
from overtone.errors import CorpusError, OptionError
from overtone.evaluation.leakage import audit, audit_runs
from overtone.evaluation.protocols import PROTOCOLS, clips_of, make_folds


def make_ravdess() -> list[Utterance]:
    """Return the 1440 utterances of RAVDESS speech, without audio files."""
    return [
        Utterance(
            Path(f"{actor}-{emotion}-{intensity}-{sentence}-{repetition}.wav"),
            emotion,
            speaker=f"{actor:02d}",
            sentence=str(sentence),
            corpus="ravdess",
            gender="female" if actor % 2 == 0 else "male",
            intensity=intensity,
            repetition=repetition,
            clip=f"{actor}-{emotion}-{intensity}-{sentence}-{repetition}",
        )
        for actor in range(1, 25)
        for emotion in EMOTIONS
        for intensity in ("normal", "strong")
        for sentence in (1, 2)
        for repetition in (1, 2)
        if (emotion, intensity) != ("neutral", "strong")
    ]


UTTERANCES = make_ravdess()


def make_corpus(speakers: int, clips: int = 4, corpus: str = "mine") -> list[Utterance]:
    return [
        Utterance(Path(f"{s}-{k}.wav"), EMOTIONS[k % 2], speaker=f"{s:02d}", corpus=corpus)
        for s in range(speakers)
        for k in range(clips)
    ]


def count_classes(positions: tuple[int, ...]) -> list[int]:
    counts = Counter(UTTERANCES[i].emotion for i in positions)
    return [counts[emotion] for emotion in EMOTIONS]


def speakers_in(positions: tuple[int, ...]) -> set[str]:
    return {UTTERANCES[i].speaker for i in positions}


def test_corpus_has_all_clips() -> None:
    assert len(UTTERANCES) == 1440


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_random_is_stratified(seed: int) -> None:
    (split,) = make_folds("random", UTTERANCES, seed)
    assert (len(split.train), len(split.validation), len(split.test)) == (1036, 116, 288)
    assert sum(count_classes(split.test)) == 288
    assert count_classes(split.test)[0] in (19, 20)
    assert set(count_classes(split.test)[1:]) <= {38, 39}
    assert speakers_in(split.test) == speakers_in(split.train)


def test_random_depends_only_on_the_seed() -> None:
    first, again, other = (make_folds("random", UTTERANCES, seed)[0] for seed in (3, 3, 4))
    assert first == again
    assert set(first.test) != set(other.test)


@pytest.mark.parametrize(("protocol", "number"), [("luna5", 5), ("emobox6", 6), ("loso", 24)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_speaker_independent(protocol: str, number: int, seed: int) -> None:
    splits = make_folds(protocol, UTTERANCES, seed)
    assert [split.fold for split in splits] == sorted({split.fold for split in splits})
    assert len(splits) == number
    assert sorted(i for split in splits for i in split.test) == list(range(1440))
    for split in splits:
        sides = [speakers_in(side) for side in (split.train, split.validation, split.test)]
        assert sum(map(len, sides)) == 24 == len(set.union(*sides))
        assert Counter(int(name) % 2 for name in sides[1]) == {0: 2, 1: 2}


@pytest.mark.parametrize("seed", [0, 1])
def test_sentence_protocol_tests_unseen_speakers_and_sentences(seed: int) -> None:
    splits = make_folds("sentence", UTTERANCES, seed)
    assert [split.fold for split in splits] == [f"{k}{half}" for k in range(1, 6) for half in "ab"]
    assert sorted(i for split in splits for i in split.test) == list(range(1440))
    for split in splits:
        found = audit(UTTERANCES, split.test, (*split.train, *split.validation))
        assert (found.shared_speakers, found.shared_sentences, found.seen_clips) == (0, 0, 0)
        assert not speakers_in(split.train) & speakers_in(split.validation)
    assert speakers_in(splits[0].test) == {"02", "05", "14", "15", "16"}


def test_sentences_of_other_corpora() -> None:
    mine = [
        Utterance(Path(f"{s}-{k}"), EMOTIONS[k % 2], speaker=str(s), sentence=str(k // 2), corpus="mine")
        for s in range(7)
        for k in range(10)
    ]
    splits = make_folds("sentence", mine)
    assert len(splits) == 10
    assert sorted(i for split in splits for i in split.test) == list(range(70))
    assert all(audit(mine, s.test, (*s.train, *s.validation)).shared_sentences == 0 for s in splits)
    with pytest.raises(OptionError, match=r"20 clips name no sentence.*'sentence' column"):
        make_folds("sentence", make_corpus(5))
    with pytest.raises(CorpusError, match="at least two sentences"):
        make_folds("sentence", [u for u in mine if u.sentence == "1"])


def test_cross_leaves_one_corpus_out() -> None:
    pooled = make_corpus(6) + make_corpus(5, corpus="yours")
    first, second = make_folds("cross", pooled)
    assert (first.fold, second.fold) == ("mine", "yours")
    assert {pooled[i].corpus for i in first.test} == {"mine"}
    assert {pooled[i].corpus for i in (*first.train, *first.validation)} == {"yours"}
    assert first.validation and not set(first.validation) & set(first.train)
    with pytest.raises(OptionError, match="at least two corpora"):
        make_folds("cross", make_corpus(6))
    unshared = [*pooled, Utterance(Path("z"), "disgust", speaker="00", corpus="mine")]
    with pytest.raises(OptionError, match=r"disgust are not in all of them; use a label map"):
        make_folds("cross", unshared)


def test_test_actors_of_luna5_and_emobox6() -> None:
    assert speakers_in(make_folds("luna5", UTTERANCES)[0].test) == {"02", "05", "14", "15", "16"}
    assert speakers_in(make_folds("luna5", UTTERANCES)[4].test) == {"01", "04", "09", "22"}
    assert speakers_in(make_folds("emobox6", UTTERANCES)[0].test) == {"01", "11", "20", "21"}
    assert speakers_in(make_folds("emobox6", UTTERANCES)[5].test) == {"06", "13", "17", "22"}


def test_validation_speakers_rotate() -> None:
    chosen = [speakers_in(make_folds("luna5", UTTERANCES, seed)[0].validation) for seed in range(3)]
    assert not chosen[0] & chosen[1]
    assert not chosen[1] & chosen[2]
    by_fold = [speakers_in(split.validation) for split in make_folds("loso", UTTERANCES)]
    assert len(set.union(*by_fold)) == 24


def test_all_has_no_test_set() -> None:
    (split,) = make_folds("all", UTTERANCES)
    assert split.test == ()
    assert len(speakers_in(split.validation)) == 4
    assert len(split.train) == 1200


@pytest.mark.parametrize("seed", [0, 5])
def test_paper_has_the_sizes_of_the_paper(seed: int) -> None:
    phases = {split.fold: split for split in make_folds("paper", UTTERANCES, seed)}
    assert list(phases) == ["mel", "prosody", "fusion"]
    assert sorted(count_classes(phases["mel"].test)) == [10, 19, 19, 19, 19, 19, 19, 20]
    assert count_classes(phases["mel"].test)[0] == 10
    for part in ("prosody", "fusion"):
        assert len(phases[part].test) == 288
        assert set(count_classes(phases[part].test)[1:]) - {38, 39}, "not stratified"
    assert set(phases["prosody"].test) != set(phases["fusion"].test)


def test_audit_of_the_paper_finds_the_leak() -> None:
    phases = {split.fold: split for split in make_folds("paper", UTTERANCES)}
    trained_on = [i for split in phases.values() for i in (*split.train, *split.validation)]
    found = audit(UTTERANCES, phases["fusion"].test, trained_on)
    assert 0.93 * 288 < found.seen_clips < 288
    assert (found.test_clips, found.test_speakers, found.shared_speakers) == (288, 24, 24)
    alone = audit(UTTERANCES, phases["fusion"].test, [*phases["fusion"].train, *phases["fusion"].validation])
    assert alone.seen_clips == 0


@pytest.mark.parametrize("seed", [0, 5])
def test_paper_duplicated_splits_single_clips_for_mel_and_copies_for_the_others(seed: int) -> None:
    clips = clips_of("paper-duplicated", UTTERANCES)
    assert len(clips) == 2880 == len({clip.clip for clip in clips})
    assert clips_of("paper-duplicated", clips) == clips, "copies are made once"
    assert clips_of("paper", UTTERANCES) == tuple(UTTERANCES)
    phases = {split.fold: split for split in make_folds("paper-duplicated", UTTERANCES, seed)}
    assert phases == {split.fold: split for split in make_folds("paper-duplicated", clips, seed)}
    single = next(split for split in make_folds("paper", UTTERANCES, seed) if split.fold == "mel")
    assert replace(phases["mel"], protocol="paper") == single
    found = {part: audit(clips, split.test, (*split.train, *split.validation)) for part, split in phases.items()}
    assert (found["mel"].test_clips, found["mel"].seen_clips) == (144, 0)
    for part in ("prosody", "fusion"):
        split = phases[part]
        assert len(split.train) + len(split.validation) + len(split.test) == 2880
        assert found[part].test_clips == 288
        assert 0.8 * 288 < found[part].seen_clips < 288, "the copies of most test clips were trained on"


def test_audit_of_luna5_finds_sentences_only() -> None:
    split = make_folds("luna5", UTTERANCES)[0]
    found = audit(UTTERANCES, split.test, (*split.train, *split.validation))
    assert found == LeakAudit(300, 5, 2, shared_speakers=0, shared_sentences=2, seen_clips=0)


@pytest.mark.parametrize(
    ("test", "trained_on", "seen"),
    [
        ("left", ["right"], False), ("left", ["left"], True), ("left", ["1"], True), ("2", ["right"], True),
        ("left", ["right", ""], True), ("", ["right"], True), ("", [""], True), ("3", ["1", "2"], False),
    ],
)  # fmt: skip
def test_audit_compares_channels(test: str, trained_on: list[str], seen: bool) -> None:
    utterances = [Utterance(Path("call"), "sad", channel=channel) for channel in (test, *trained_on)]
    assert audit(utterances, [0], range(1, len(utterances))).seen_clips == seen
    elsewhere = [Utterance(Path("call"), "sad", start_s=1, channel=test), *utterances[1:]]
    assert audit(elsewhere, [0], range(1, len(utterances))).seen_clips == 0


def test_audit_distinguishes_corpora_and_ignores_unknown_speakers() -> None:
    utterances = [
        Utterance(Path("a"), "sad", speaker="1", corpus="x", sentence="s"),
        Utterance(Path("b"), "sad", speaker="1", corpus="y"),
        Utterance(Path("c"), "sad", corpus="x", sentence="s"),
    ]
    assert audit(utterances, [0], [1]).shared_speakers == 0
    found = audit(utterances, [0, 2], [0, 0])
    assert found == LeakAudit(2, 1, 1, shared_speakers=1, shared_sentences=1, seen_clips=1)


def test_audits_of_several_folds_count_everything_once() -> None:
    folds = [(fold.test, (*fold.train, *fold.validation)) for fold in make_folds("luna5", UTTERANCES)]
    found = audit_runs(UTTERANCES, folds)
    assert found == LeakAudit(1440, 24, 2, shared_speakers=0, shared_sentences=2, seen_clips=0)
    assert str(found).endswith("2 of 2 test sentences")
    assert audit_runs(UTTERANCES, folds * 2) == found, "two seeds with the same folds"
    assert audit_runs(UTTERANCES, []) == LeakAudit(0, 0, 0, 0, 0, 0)


def test_only_what_the_same_run_was_trained_on_is_shared() -> None:
    clips = [Utterance(Path(name), "sad", speaker=name[0], sentence=name[1:]) for name in ("as", "bt", "at", "cu")]
    assert audit_runs(clips, [([0], [1]), ([1], [0])]) == LeakAudit(2, 2, 2, 0, 0, 0)
    assert audit_runs(clips, [([0], [1]), ([0], [2, 0]), ([3], [1])]) == LeakAudit(2, 2, 2, 1, 1, 1)


def test_other_corpora() -> None:
    mine = make_corpus(6)
    assert len(make_folds("loso", mine)) == 6
    with pytest.raises(OptionError, match=r"RAVDESS actors and does not fit mine.*'loso'"):
        make_folds("luna5", mine)
    pooled = make_corpus(3) + make_corpus(3, corpus="yours")
    assert [split.fold for split in make_folds("loso", pooled)][:4] == ["mine/00", "mine/01", "mine/02", "yours/00"]
    for split in make_folds("loso", pooled):
        assert len({(pooled[i].corpus, pooled[i].speaker) for i in split.test}) == 1


def test_unknown_speakers() -> None:
    mine = [Utterance(Path(f"{k}.wav"), EMOTIONS[k % 2]) for k in range(40)]
    assert len(make_folds("random", mine)[0].test) == 8
    for protocol in ("loso", "all"):
        with pytest.raises(OptionError, match=r"40 clips name no speaker.*'speaker' column"):
            make_folds(protocol, mine)


def test_impossible_splits_are_rejected() -> None:
    with pytest.raises(OptionError, match="no protocol 'luna6'; did you mean 'luna5'"):
        make_folds("luna6", UTTERANCES)
    with pytest.raises(CorpusError, match="3 clips are too few"):
        make_folds("random", UTTERANCES[:3])
    with pytest.raises(CorpusError, match=r"no clip of actor 07; .*overtone corpora verify"):
        make_folds("luna5", [u for u in UTTERANCES if u.speaker != "07"])
    with pytest.raises(CorpusError, match="no speakers left"):
        make_folds("loso", make_corpus(2, clips=8))
    with pytest.raises(CorpusError, match=r"has 0, of the speakers 00.*'random'"):
        make_folds("loso", make_corpus(1, clips=20))
    with pytest.raises(CorpusError, match=r"1 of 'disgust' \(z\).*--labels"):
        make_folds("random", [*make_corpus(5), Utterance(Path("z"), "disgust", speaker="00")])
    one_disgusted_clip = [*make_corpus(5), Utterance(Path("z"), "disgust", speaker="02", corpus="mine")]
    with pytest.raises(CorpusError, match=r"fold .*: no training clip of disgust"):
        make_folds("loso", one_disgusted_clip)


def test_every_protocol_is_documented() -> None:
    by_speaker = {"luna5", "emobox6", "loso", "sentence", "cross", "unseen-corpus", "all"}
    assert {*by_speaker, "random", "paper", "paper-duplicated"} == PROTOCOLS.keys()
    assert all(protocol.description for protocol in PROTOCOLS.values())


def test_import_needs_no_scikit_learn() -> None:
    code = (
        "import sys, overtone.evaluation.protocols, overtone.evaluation.metrics;"
        "print([m for m in sys.modules if m == 'sklearn'])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
