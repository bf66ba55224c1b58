"""Evaluation protocols: how utterances are split into training, validation and test sets.

A protocol is a function `(utterances, seed) -> folds` with an entry in `PROTOCOLS`; users see the first line of its
docstring. To add one, write the function and add an entry. In the speaker-independent protocols, the validation set has
other *speakers* than the training and test sets; it serves to choose epoch, recipe and calibration.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import zip_longest

import numpy as np

from overtone.datatypes import Split, Utterance
from overtone.errors import CorpusError, MissingExtraError, OptionError, suggest

Utterances = Sequence[Utterance]
Speaker = tuple[str, str]  # corpus and name: two corpora may both have a speaker "01"

# Actors of each test set. Source: Luna-Jimenez et al. 2021, 2022 (5 folds); EmoBox, Ma et al. 2024 (6 folds).
LUNA5 = ((2, 5, 14, 15, 16), (3, 6, 7, 13, 18), (10, 11, 12, 19, 20), (8, 17, 21, 23, 24), (1, 4, 9, 22))
EMOBOX6 = ((1, 11, 20, 21), (4, 10, 12, 14), (8, 9, 19, 23), (3, 5, 7, 24), (2, 15, 16, 18), (6, 13, 17, 22))

MAX_VALIDATION_SPEAKERS = 4  # and at most a quarter of the speakers outside the test set
VALIDATION_SHARE = 0.1  # of the clips outside the test set, in splits by clip
RANDOM_TEST_SHARE = 0.2
PAPER_TEST_SHARES = {"mel": 0.1, "prosody": 0.2, "fusion": 0.2}
MIN_CLIPS = 10


def make_folds(protocol: str, utterances: Utterances, seed: int = 0) -> tuple[Split, ...]:
    """Return the folds of a protocol over these utterances.

    Args:
        protocol: a name in `PROTOCOLS`.
        utterances: the list that the indices of the splits refer to.
        seed: >= 0; determines the clip splits of `random` and `paper`, and the validation speakers.

    Raises:
        OptionError: there is no such protocol, or it does not fit these utterances (no speakers, another corpus).
        CorpusError: too few clips or speakers, an actor without clips, or a class missing from a training set.
    """
    if protocol not in PROTOCOLS:
        raise OptionError(f"no protocol '{protocol}'{suggest(protocol, PROTOCOLS)}")
    if len(utterances) < MIN_CLIPS:
        raise CorpusError(f"{len(utterances)} clips are too few to split: provide at least {MIN_CLIPS}")
    splits = PROTOCOLS[protocol](utterances, seed)
    for split in splits:
        _check_every_class(utterances, split)
    return splits


def random(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """Stratified 80/20 split by clip: every speaker is in both sets."""
    return (_by_clip("random", "1", utterances, RANDOM_TEST_SHARE, seed=[seed, 0], stratified=True),)


def luna5(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """RAVDESS, 5 folds with unseen actors; test actors of Luna-Jimenez et al."""
    return _by_actor("luna5", LUNA5, utterances, seed)


def emobox6(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """RAVDESS, 6 folds with unseen actors; test actors of EmoBox."""
    return _by_actor("emobox6", EMOBOX6, utterances, seed)


def loso(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """Leave-one-speaker-out: one fold per speaker."""
    speakers = _speakers("loso", utterances)
    several = len({corpus for corpus, _ in speakers}) > 1
    names = ["/".join(speaker) if several else speaker[1] for speaker in speakers]
    return tuple(
        _by_speaker("loso", name, {speaker}, utterances, seed, k)
        for k, (name, speaker) in enumerate(zip(names, speakers, strict=True))
    )


def sentence(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """Unseen sentences of unseen speakers: one fold per fifth of the speakers and half of the sentences."""
    halves = _sentence_halves(utterances)
    folds = []
    for k, group in enumerate(_speaker_fifths(utterances)):
        fold = _by_speaker("sentence", str(k + 1), group, utterances, seed, k)
        for name, test_sentences in zip("ab", halves, strict=True):
            train, validation, test = (
                tuple(i for i in clips if ((utterances[i].corpus, utterances[i].sentence) in test_sentences) is is_test)
                for clips, is_test in ((fold.train, False), (fold.validation, False), (fold.test, True))
            )
            folds.append(Split("sentence", fold.fold + name, train, validation, test))
    return tuple(folds)


def cross(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """Leave-one-corpus-out: unseen speakers, sentences, recording conditions, often language; one fold per corpus."""
    speakers = _speakers("cross", utterances)
    corpora = sorted({corpus for corpus, _ in speakers})
    if len(corpora) < 2:
        raise OptionError("protocol 'cross' needs clips of at least two corpora; give several with --data CORPUS=PATH")
    groups = [{speaker for speaker in speakers if speaker[0] == corpus} for corpus in corpora]
    _check_shared_classes(utterances)
    return tuple(
        _by_speaker("cross", corpus, group, utterances, seed, k)
        for k, (corpus, group) in enumerate(zip(corpora, groups, strict=True))
    )


def all_(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """All clips for training, no test set: for a released model, whose scores come from another protocol."""
    return (_by_speaker("all", "all", set(), utterances, seed, 0),)


def paper(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """The three phases of the paper (mel, prosody, fusion), each with its own split by clip: leaks by design."""
    shares = PAPER_TEST_SHARES.items()
    return tuple(
        _by_clip("paper", part, utterances, share, seed=[seed, k], stratified=part == "mel")
        for k, (part, share) in enumerate(shares, start=1)
    )


PROTOCOLS: dict[str, Callable[[Utterances, int], tuple[Split, ...]]] = {
    "random": random,
    "luna5": luna5,
    "emobox6": emobox6,
    "loso": loso,
    "sentence": sentence,
    "cross": cross,
    "all": all_,
    "paper": paper,
}


def paper_splits(utterances: Utterances, seed: int = 0) -> dict[str, Split]:
    """Return phase of the paper ("mel", "prosody", "fusion") -> its split; the splits are independent of each other.

    On RAVDESS "mel" has 144 test clips in the class proportions, "prosody" and "fusion" 288 each, not stratified.
    """
    return {split.fold: split for split in make_folds("paper", utterances, seed)}


def _by_clip(
    protocol: str, fold: str, utterances: Utterances, test_share: float, *, seed: Sequence[int], stratified: bool
) -> Split:
    rng = np.random.default_rng(seed)
    rest, test = _split_indices(utterances, range(len(utterances)), test_share, rng, stratified)
    train, validation = _split_indices(utterances, rest, VALIDATION_SHARE, rng, stratified)
    return Split(protocol, fold, train, validation, test)


def _split_indices(
    utterances: Utterances, indices: Sequence[int], share: float, rng: np.random.Generator, stratified: bool
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Split indices at random into two sorted parts, the second with `share` of them."""
    try:
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise MissingExtraError("splitting by clip needs scikit-learn: pip install 'overtone[train]'") from error
    labels = [utterances[i].emotion for i in indices]
    rarest, count = min(Counter(labels).items(), key=lambda item: item[1])
    if stratified and (count < 2 or round(share * len(labels)) < len(set(labels))):
        raise CorpusError(
            f"too few clips for a split with every class in both sets: {len(labels)} in total, {count} of '{rarest}'"
        )
    first, second = train_test_split(
        list(indices),
        test_size=share,
        random_state=int(rng.integers(2**31)),
        stratify=labels if stratified else None,
    )
    return tuple(sorted(first)), tuple(sorted(second))


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
    missing = sorted(set().union(*groups) - set(_speakers(protocol, utterances)))
    if missing:
        raise CorpusError(
            f"protocol '{protocol}': no clip of actor {', '.join(name for _, name in missing)}; "
            "list the missing files with: overtone corpora verify ravdess DIR"
        )
    return tuple(_by_speaker(protocol, str(k + 1), group, utterances, seed, k) for k, group in enumerate(groups))


def _actors(groups: Sequence[Sequence[int]]) -> list[set[Speaker]]:
    """Convert groups of actor numbers to speakers of RAVDESS."""
    return [{("ravdess", f"{actor:02d}") for actor in group} for group in groups]


def _by_speaker(
    protocol: str, fold: str, test_speakers: set[Speaker], utterances: Utterances, seed: int, fold_index: int
) -> Split:
    """Return a fold whose test, validation and training sets have disjoint speakers."""
    others = [speaker for speaker in _speakers(protocol, utterances) if speaker not in test_speakers]
    if len(others) < 2:
        raise CorpusError(f"protocol '{protocol}', fold {fold}: no speakers left for training and validation")
    validation_speakers = _validation_speakers(utterances, others, rotation=seed + fold_index)
    subsets: dict[str, list[int]] = {"train": [], "validation": [], "test": []}
    for i, utterance in enumerate(utterances):
        speaker = (utterance.corpus, utterance.speaker)
        subset = "test" if speaker in test_speakers else "validation" if speaker in validation_speakers else "train"
        subsets[subset].append(i)
    return Split(protocol, fold, tuple(subsets["train"]), tuple(subsets["validation"]), tuple(subsets["test"]))


def _speaker_fifths(utterances: Utterances) -> list[set[Speaker]]:
    """Return five groups of speakers (fewer for fewer speakers); for RAVDESS alone, the groups of `luna5`."""
    speakers = _speakers("sentence", utterances)
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


def _validation_speakers(utterances: Utterances, speakers: Sequence[Speaker], rotation: int) -> set[Speaker]:
    """Return validation speakers, balanced by gender as far as possible; each rotation selects the next ones."""
    number = min(MAX_VALIDATION_SPEAKERS, max(1, len(speakers) // 4))
    gender_of = {(u.corpus, u.speaker): u.gender for u in utterances}
    queues = [[s for s in speakers if gender_of[s] == gender] for gender in sorted({gender_of[s] for s in speakers})]
    offset = rotation * -(-number // len(queues))
    queues = [queue[offset % len(queue) :] + queue[: offset % len(queue)] for queue in queues]
    alternating = [speaker for row in zip_longest(*queues) for speaker in row if speaker is not None]
    return set(alternating[:number])


def _speakers(protocol: str, utterances: Utterances) -> list[Speaker]:
    """Return the speakers, sorted; every speaker must be known."""
    unknown = sum(not utterance.speaker for utterance in utterances)
    if unknown:
        raise OptionError(
            f"protocol '{protocol}' needs the speaker of every clip, and {unknown} clips name no speaker; "
            "add a 'speaker' column to the manifest, or use 'random'"
        )
    return sorted({(utterance.corpus, utterance.speaker) for utterance in utterances})


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
    missing = {u.emotion for u in utterances} - {utterances[i].emotion for i in split.train}
    if missing:
        raise CorpusError(
            f"protocol '{split.protocol}', fold {split.fold}: no training clip of {', '.join(sorted(missing))}; "
            "remove these clips, or add more speakers with this class"
        )
