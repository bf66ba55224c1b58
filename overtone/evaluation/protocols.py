"""Evaluation protocols: how utterances are split into training, validation and test sets.

A protocol is a function `(utterances, seed) -> folds` with a row in `PROTOCOLS`; users see the first line of its
docstring. To add one, write the function and add a row. In the speaker-independent protocols, the validation set has
other *speakers* than the training and test sets; it serves to choose epoch, recipe and calibration.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from overtone.datatypes import BoolArray, Split, Utterance
from overtone.emotions import list_classes
from overtone.errors import CorpusError, OptionError, suggest
from overtone.evaluation.paper_protocols import paper, paper_duplicated, with_copies
from overtone.evaluation.splitting import Speaker, Utterances, by_clip, by_speaker, speakers_of
from overtone.evaluation.unseen_corpus import unseen_corpus

# Actors of each test set. Source: Luna-Jimenez et al. 2021, 2022 (5 folds); EmoBox, Ma et al. 2024 (6 folds).
LUNA5 = ((2, 5, 14, 15, 16), (3, 6, 7, 13, 18), (10, 11, 12, 19, 20), (8, 17, 21, 23, 24), (1, 4, 9, 22))
EMOBOX6 = ((1, 11, 20, 21), (4, 10, 12, 14), (8, 9, 19, 23), (3, 5, 7, 24), (2, 15, 16, 18), (6, 13, 17, 22))

RANDOM_TEST_SHARE = 0.2
MIN_CLIPS = 10


def make_folds(protocol: str, utterances: Utterances, seed: int = 0) -> tuple[Split, ...]:
    """Return the folds of a protocol over these utterances.

    Args:
        protocol: a name in `PROTOCOLS`.
        utterances: the clips; the indices of the splits refer to `clips_of(protocol, utterances)`. Those for training
            only are added to the training set of every fold.
        seed: >= 0; determines the clip splits of `random` and `paper`, and the validation speakers.

    Raises:
        OptionError: there is no such protocol, or it does not fit these utterances (no speakers, another corpus).
        CorpusError: too few clips or speakers, an actor without clips, or a class of a fold without training clips.
    """
    utterances = clips_of(protocol, utterances)
    if len(utterances) < MIN_CLIPS:
        raise CorpusError(f"{len(utterances)} clips are too few to split: provide at least {MIN_CLIPS}")
    tested = [i for i, utterance in enumerate(utterances) if not utterance.training_only]
    others = tuple(i for i, utterance in enumerate(utterances) if utterance.training_only)
    if others and PROTOCOLS[protocol].split_per_part:
        raise OptionError(f"protocol '{protocol}' is defined for one corpus; give no corpora for training only")
    clips = [utterances[i] for i in tested]
    splits = PROTOCOLS[protocol].split(clips, seed)
    for split in splits:
        _check_every_class(clips, split)
    if not others:
        return splits
    return tuple(
        Split(
            protocol,
            split.fold,
            train=tuple(sorted((*others, *(tested[i] for i in split.train)))),
            validation=tuple(tested[i] for i in split.validation),
            test=tuple(tested[i] for i in split.test),
        )
        for split in splits
    )


def random(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """Stratified 80/20 split by clip: every speaker is in both sets."""
    return (by_clip("random", "1", utterances, RANDOM_TEST_SHARE, seed=[seed, 0], stratified=True),)


def luna5(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """RAVDESS, 5 folds with unseen actors; test actors of Luna-Jimenez et al."""
    return _by_actor("luna5", LUNA5, utterances, seed)


def emobox6(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """RAVDESS, 6 folds with unseen actors; test actors of EmoBox."""
    return _by_actor("emobox6", EMOBOX6, utterances, seed)


def loso(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """Leave-one-speaker-out: one fold per speaker."""
    speakers = speakers_of("loso", utterances)
    several = len({corpus for corpus, _ in speakers}) > 1
    names = ["/".join(speaker) if several else speaker[1] for speaker in speakers]
    return tuple(
        by_speaker("loso", name, {speaker}, utterances, seed, k)
        for k, (name, speaker) in enumerate(zip(names, speakers, strict=True))
    )


def sentence(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """Unseen sentences of unseen speakers: one fold per fifth of the speakers and half of the sentences."""
    halves = _sentence_halves(utterances)
    folds = []
    for k, group in enumerate(_speaker_fifths(utterances)):
        fold = by_speaker("sentence", str(k + 1), group, utterances, seed, k)
        for name, test_sentences in zip("ab", halves, strict=True):
            train, validation, test = (
                tuple(i for i in clips if ((utterances[i].corpus, utterances[i].sentence) in test_sentences) is is_test)
                for clips, is_test in ((fold.train, False), (fold.validation, False), (fold.test, True))
            )
            folds.append(Split("sentence", fold.fold + name, train, validation, test))
    return tuple(folds)


def cross(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """Leave-one-corpus-out: unseen speakers, sentences, recording conditions, often language; one fold per corpus."""
    speakers = speakers_of("cross", utterances)
    corpora = sorted({corpus for corpus, _ in speakers})
    if len(corpora) < 2:
        raise OptionError("protocol 'cross' needs clips of at least two corpora; give several with --data CORPUS=PATH")
    groups = [{speaker for speaker in speakers if speaker[0] == corpus} for corpus in corpora]
    _check_shared_classes(utterances)
    return tuple(
        by_speaker("cross", corpus, group, utterances, seed, k)
        for k, (corpus, group) in enumerate(zip(corpora, groups, strict=True))
    )


def all_(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """All clips for training, no test set: for a released model, whose scores come from another protocol."""
    return (by_speaker("all", "all", set(), utterances, seed, 0),)


@dataclass(frozen=True)
class Protocol:
    """A protocol, and what its folds are.

    Attributes:
        split: function `(utterances, seed) -> folds`.
        duplicates: whether every clip occurs twice; see `clips_of`.
        split_per_part: whether each fold is the split of one part of a model, so that one training run uses them all.
        mean_of_folds: whether a score is the mean of the scores of the folds; otherwise, one score of all test clips.
        classes_of_fold: whether a prediction is a choice among the classes of its test set; otherwise, among all.
    """

    split: Callable[[Utterances, int], tuple[Split, ...]]
    duplicates: bool = False
    split_per_part: bool = False
    mean_of_folds: bool = False
    classes_of_fold: bool = False

    @property
    def description(self) -> str:
        """The first line of the docstring of its function."""
        return (self.split.__doc__ or "").partition("\n")[0]


PROTOCOLS: dict[str, Protocol] = {
    "random": Protocol(random),
    "luna5": Protocol(luna5),
    "emobox6": Protocol(emobox6),
    "loso": Protocol(loso),
    "sentence": Protocol(sentence),
    "cross": Protocol(cross),
    "unseen-corpus": Protocol(unseen_corpus, mean_of_folds=True, classes_of_fold=True),
    "all": Protocol(all_),
    "paper": Protocol(paper, split_per_part=True),
    "paper-duplicated": Protocol(paper_duplicated, duplicates=True, split_per_part=True),
}


def choices(split: Split, utterances: Utterances, emotions: Sequence[str]) -> BoolArray:
    """Return which emotions a prediction for the test set of a split is a choice among, bool `(emotions,)`.

    These are the classes of the clips that can be tested, or of the test set where `classes_of_fold`.

    Args:
        split: a fold of `make_folds`, with test clips.
        utterances: the clips that its indices refer to.
        emotions: all classes.
    """
    of_fold = PROTOCOLS[split.protocol].classes_of_fold
    tested = [utterances[i] for i in split.test] if of_fold else [u for u in utterances if not u.training_only]
    present = {utterance.emotion for utterance in tested}
    return np.array([emotion in present for emotion in emotions])


def clips_of(protocol: str, utterances: Utterances) -> tuple[Utterance, ...]:
    """Return the clips that a protocol splits: these, or for `paper-duplicated` these and then a copy of each.

    Copies have the same audio file and another id. Clips that this function has returned are returned unchanged.

    Raises:
        OptionError: there is no such protocol.
    """
    if protocol not in PROTOCOLS:
        raise OptionError(f"no protocol '{protocol}'{suggest(protocol, PROTOCOLS)}")
    return with_copies(utterances) if PROTOCOLS[protocol].duplicates else tuple(utterances)


def _by_actor(
    protocol: str, test_actors: Sequence[Sequence[int]], utterances: Utterances, seed: int
) -> tuple[Split, ...]:
    """Return one fold per group of RAVDESS test actors."""
    other_corpora = sorted({u.corpus or "a corpus without name" for u in utterances if u.corpus != "ravdess"})
    if other_corpora:
        raise OptionError(
            f"protocol '{protocol}' is defined by RAVDESS actors and does not fit {', '.join(other_corpora)}; "
            "use 'loso' or 'random'"
        )
    groups = _actors(test_actors)
    missing = sorted(set().union(*groups) - set(speakers_of(protocol, utterances)))
    if missing:
        raise CorpusError(
            f"protocol '{protocol}': no clip of actor {', '.join(name for _, name in missing)}; "
            "list the missing files with: overtone corpora verify ravdess DIR"
        )
    return tuple(by_speaker(protocol, str(k + 1), group, utterances, seed, k) for k, group in enumerate(groups))


def _actors(groups: Sequence[Sequence[int]]) -> list[set[Speaker]]:
    """Convert groups of actor numbers to speakers of RAVDESS."""
    return [{("ravdess", f"{actor:02d}") for actor in group} for group in groups]


def _speaker_fifths(utterances: Utterances) -> list[set[Speaker]]:
    """Return five groups of speakers (fewer for fewer speakers); for RAVDESS alone, the groups of `luna5`."""
    speakers = speakers_of("sentence", utterances)
    actors = _actors(LUNA5)
    if set(speakers) == set().union(*actors):
        return actors
    return [set(speakers[k :: len(LUNA5)]) for k in range(min(len(LUNA5), len(speakers)))]


def _sentence_halves(utterances: Utterances) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Return the sentences of all corpora in two halves; every sentence must be known."""
    unknown = sum(not utterance.sentence for utterance in utterances)
    if unknown:
        raise OptionError(
            f"protocol 'sentence' needs the sentence of every clip, and {unknown} clips name no sentence; "
            "add a 'sentence' column to the manifest, or use 'loso'"
        )
    sentences = sorted({(utterance.corpus, utterance.sentence) for utterance in utterances})
    if len(sentences) < 2:
        raise CorpusError("protocol 'sentence' needs clips of at least two sentences")
    return set(sentences[::2]), set(sentences[1::2])


def _check_shared_classes(utterances: Utterances) -> None:
    corpora, emotions = ({getattr(u, field) for u in utterances} for field in ("corpus", "emotion"))
    corpora_of = {emotion: {u.corpus for u in utterances if u.emotion == emotion} for emotion in emotions}
    unshared = sorted(emotion for emotion in emotions if corpora_of[emotion] != corpora)
    if unshared:
        raise OptionError(
            f"protocol 'cross' needs the same classes in every corpus, and {', '.join(unshared)} are not in all of "
            "them; use a label map, such as: --labels 4-classes"
        )


def _check_every_class(utterances: Utterances, split: Split) -> None:
    """Every class of the fold must have training clips; a fold may lack classes of other folds."""
    present = {utterances[i].emotion for i in (*split.train, *split.validation, *split.test)}
    missing = present - {utterances[i].emotion for i in split.train}
    if missing:
        example = next(u.path for u in utterances if u.emotion in missing)
        raise CorpusError(
            f"protocol '{split.protocol}', fold {split.fold}: no training clip of {list_classes(sorted(missing))}, as "
            f"in {example}; remove these clips, add more speakers with this class, or drop it or merge it with another "
            "one: --labels FILE.toml"
        )
