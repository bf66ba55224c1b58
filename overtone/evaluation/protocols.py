"""Utterances -> train, validation and test.

A protocol is a function `(utterances, seed) -> folds` and a row of `PROTOCOLS`; its first docstring line is what users
read. To add one, write the function and give it a row. In the speaker-independent protocols the validation side holds
other *speakers* than the training and the test side; its clips choose epoch, recipe and calibration.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import zip_longest

import numpy as np

from overtone.datatypes import Split, Utterance
from overtone.errors import CorpusError, MissingExtraError, OptionError, suggest

Utterances = Sequence[Utterance]
Speaker = tuple[str, str]  # corpus and name: two corpora may both have a speaker "01"

# Actors of each test side. Source: Luna-Jimenez et al. 2021, 2022 (5 folds); EmoBox, Ma et al. 2024 (6 folds).
LUNA5 = ((2, 5, 14, 15, 16), (3, 6, 7, 13, 18), (10, 11, 12, 19, 20), (8, 17, 21, 23, 24), (1, 4, 9, 22))
EMOBOX6 = ((1, 11, 20, 21), (4, 10, 12, 14), (8, 9, 19, 23), (3, 5, 7, 24), (2, 15, 16, 18), (6, 13, 17, 22))

VALIDATION_SPEAKERS = 4  # at most; and at most a quarter of the speakers that are not tested
VALIDATION_SHARE = 0.1  # of the training side, where a split goes by clip
RANDOM_TEST_SHARE = 0.2
PAPER_TEST_SHARES = {"mel": 0.1, "prosody": 0.2, "fusion": 0.2}
FEWEST_CLIPS_TO_SPLIT = 10


def make_folds(protocol: str, utterances: Utterances, seed: int = 0) -> tuple[Split, ...]:
    """The folds of a protocol over these utterances.

    Args:
        protocol: a name out of `PROTOCOLS`.
        utterances: positions in this list are what the splits hold.
        seed: >= 0; the clip splits of `random` and `paper` and the choice of validation speakers depend on it.

    Raises:
        OptionError: no such protocol, or one that these utterances do not allow (no speakers, another corpus).
        CorpusError: too few clips or speakers, an actor without clips, or a class missing from a training side.
    """
    if protocol not in PROTOCOLS:
        raise OptionError(f"no protocol '{protocol}'{suggest(protocol, PROTOCOLS)}")
    if len(utterances) < FEWEST_CLIPS_TO_SPLIT:
        raise CorpusError(f"{len(utterances)} clips are too few to split: bring at least {FEWEST_CLIPS_TO_SPLIT}")
    splits = PROTOCOLS[protocol](utterances, seed)
    for split in splits:
        _check_every_class(utterances, split)
    return splits


def random(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """Stratified 80/20 by clip: every speaker stands on both sides."""
    return (_by_clip("random", "1", utterances, RANDOM_TEST_SHARE, seed=[seed, 0], stratified=True),)


def luna5(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """RAVDESS, 5 folds of unseen actors, test actors as Luna-Jimenez et al. have them."""
    return _by_actor("luna5", LUNA5, utterances, seed)


def emobox6(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """RAVDESS, 6 folds of unseen actors, test actors as EmoBox has them."""
    return _by_actor("emobox6", EMOBOX6, utterances, seed)


def loso(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """Leave one speaker out: as many folds as speakers."""
    speakers = _speakers("loso", utterances)
    several = len({corpus for corpus, _ in speakers}) > 1
    names = ["/".join(speaker) if several else speaker[1] for speaker in speakers]
    return tuple(
        _by_speaker("loso", name, {speaker}, utterances, seed, k)
        for k, (name, speaker) in enumerate(zip(names, speakers, strict=True))
    )


def sentence(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """Unseen sentences of unseen speakers: a fold per fifth of the speakers and half of the sentences."""
    halves = _sentence_halves(utterances)
    groups = _fifths_of_speakers(utterances)
    found = []
    for k, group in enumerate(groups):
        whole = _by_speaker("sentence", str(k + 1), group, utterances, seed, k)
        for name, tested in zip("ab", halves, strict=True):
            train, validation, test = (
                tuple(i for i in side if ((utterances[i].corpus, utterances[i].sentence) in tested) is wanted)
                for side, wanted in ((whole.train, False), (whole.validation, False), (whole.test, True))
            )
            found.append(Split("sentence", whole.fold + name, train, validation, test))
    return tuple(found)


def cross(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """Leave one corpus out: other speakers, sentences, rooms and often another language; a fold per corpus."""
    speakers = _speakers("cross", utterances)
    corpora = sorted({corpus for corpus, _ in speakers})
    if len(corpora) < 2:
        raise OptionError("protocol 'cross' needs clips of two corpora at least; name several with --data CORPUS=PATH")
    groups = [{speaker for speaker in speakers if speaker[0] == corpus} for corpus in corpora]
    _check_shared_classes(utterances)
    return tuple(
        _by_speaker("cross", corpus, group, utterances, seed, k)
        for k, (corpus, group) in enumerate(zip(corpora, groups, strict=True))
    )


def all_(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """Everything to learn from, no test side: for a model to ship, whose scores come from another protocol."""
    return (_by_speaker("all", "all", set(), utterances, seed, 0),)


def paper(utterances: Utterances, seed: int) -> tuple[Split, ...]:
    """The three phases of the paper (mel, prosody, fusion), each split by clip for itself: leaks by design."""
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
    """Phase of the paper ("mel", "prosody", "fusion") -> its own split; the splits know nothing of each other.

    On RAVDESS "mel" has 144 test clips in the class proportions, "prosody" and "fusion" 288 each, not stratified.
    """
    return {split.fold: split for split in make_folds("paper", utterances, seed)}


def _by_clip(
    protocol: str, fold: str, utterances: Utterances, test_share: float, *, seed: Sequence[int], stratified: bool
) -> Split:
    rng = np.random.default_rng(seed)
    rest, test = _parted(utterances, range(len(utterances)), test_share, rng, stratified)
    train, validation = _parted(utterances, rest, VALIDATION_SHARE, rng, stratified)
    return Split(protocol, fold, train, validation, test)


def _parted(
    utterances: Utterances, positions: Sequence[int], share: float, rng: np.random.Generator, stratified: bool
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Positions parted in two by chance, the second with `share` of them, both in rising order."""
    try:
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise MissingExtraError("splitting by clip needs scikit-learn: pip install 'overtone[train]'") from error
    labels = [utterances[i].emotion for i in positions]
    rarest, count = min(Counter(labels).items(), key=lambda item: item[1])
    if stratified and (count < 2 or round(share * len(labels)) < len(set(labels))):
        raise CorpusError(
            f"too few clips for a split with every class on both sides: {len(labels)} in all, {count} of '{rarest}'"
        )
    first, second = train_test_split(
        list(positions),
        test_size=share,
        random_state=int(rng.integers(2**31)),
        stratify=labels if stratified else None,
    )
    return tuple(sorted(first)), tuple(sorted(second))


def _by_actor(
    protocol: str, actors_of_folds: Sequence[Sequence[int]], utterances: Utterances, seed: int
) -> tuple[Split, ...]:
    foreign = sorted({u.corpus or "a corpus without name" for u in utterances if u.corpus != "ravdess"})
    if foreign:
        raise OptionError(
            f"protocol '{protocol}' is made of RAVDESS actors and does not fit {', '.join(foreign)}; "
            "take 'loso' or 'random'"
        )
    groups = _actors(actors_of_folds)
    missing = sorted(set().union(*groups) - set(_speakers(protocol, utterances)))
    if missing:
        raise CorpusError(
            f"protocol '{protocol}': no clip of actor {', '.join(name for _, name in missing)}; "
            "see what is missing with: overtone corpora verify ravdess DIR"
        )
    return tuple(_by_speaker(protocol, str(k + 1), group, utterances, seed, k) for k, group in enumerate(groups))


def _actors(groups: Sequence[Sequence[int]]) -> list[set[Speaker]]:
    """Groups of RAVDESS actors by their numbers."""
    return [{("ravdess", f"{actor:02d}") for actor in group} for group in groups]


def _by_speaker(
    protocol: str, fold: str, tested: set[Speaker], utterances: Utterances, seed: int, position: int
) -> Split:
    """One fold whose test, validation and training sides hold different speakers."""
    others = [speaker for speaker in _speakers(protocol, utterances) if speaker not in tested]
    if len(others) < 2:
        raise CorpusError(f"protocol '{protocol}', fold {fold}: no speakers left to train and to validate on")
    chosen = _validation_speakers(utterances, others, turn=seed + position)
    sides: dict[str, list[int]] = {"train": [], "validation": [], "test": []}
    for i, utterance in enumerate(utterances):
        speaker = (utterance.corpus, utterance.speaker)
        sides["test" if speaker in tested else "validation" if speaker in chosen else "train"].append(i)
    return Split(protocol, fold, tuple(sides["train"]), tuple(sides["validation"]), tuple(sides["test"]))


def _fifths_of_speakers(utterances: Utterances) -> list[set[Speaker]]:
    """The speakers dealt into five groups, those of `luna5` for RAVDESS alone; into fewer where there are fewer."""
    speakers = _speakers("sentence", utterances)
    actors = _actors(LUNA5)
    if set(speakers) == set().union(*actors):
        return actors
    return [set(speakers[k :: len(LUNA5)]) for k in range(min(len(LUNA5), len(speakers)))]


def _sentence_halves(utterances: Utterances) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """The sentences of every corpus in two halves; all must be known, and two at least."""
    unknown = sum(not utterance.sentence for utterance in utterances)
    if unknown:
        raise OptionError(
            f"protocol 'sentence' needs to know what is said, and {unknown} clips name no sentence; "
            "add a 'sentence' column to the manifest, or take 'loso'"
        )
    said = sorted({(utterance.corpus, utterance.sentence) for utterance in utterances})
    if len(said) < 2:
        raise CorpusError("protocol 'sentence' needs clips of two sentences at least")
    return set(said[::2]), set(said[1::2])


def _validation_speakers(utterances: Utterances, speakers: Sequence[Speaker], turn: int) -> set[Speaker]:
    """Speakers to validate on, as many of each gender as can be, the next ones at every turn."""
    number = min(VALIDATION_SPEAKERS, max(1, len(speakers) // 4))
    gender_of = {(u.corpus, u.speaker): u.gender for u in utterances}
    queues = [[s for s in speakers if gender_of[s] == gender] for gender in sorted({gender_of[s] for s in speakers})]
    step = turn * -(-number // len(queues))
    queues = [queue[step % len(queue) :] + queue[: step % len(queue)] for queue in queues]
    in_turn = [speaker for row in zip_longest(*queues) for speaker in row if speaker is not None]
    return set(in_turn[:number])


def _speakers(protocol: str, utterances: Utterances) -> list[Speaker]:
    """The speakers, sorted; all must be known."""
    nameless = sum(not utterance.speaker for utterance in utterances)
    if nameless:
        raise OptionError(
            f"protocol '{protocol}' needs to know who speaks, and {nameless} clips name no speaker; "
            "add a 'speaker' column to the manifest, or take 'random'"
        )
    return sorted({(utterance.corpus, utterance.speaker) for utterance in utterances})


def _check_shared_classes(utterances: Utterances) -> None:
    corpora, emotions = ({getattr(u, what) for u in utterances} for what in ("corpus", "emotion"))
    having = {emotion: {u.corpus for u in utterances if u.emotion == emotion} for emotion in emotions}
    unshared = sorted(emotion for emotion, those in having.items() if those != corpora)
    if unshared:
        raise OptionError(
            f"protocol 'cross' compares classes that every corpus has, and {', '.join(unshared)} are not in all of "
            "them; take a label map, such as: --labels 4-classes"
        )


def _check_every_class(utterances: Utterances, split: Split) -> None:
    missing = {u.emotion for u in utterances} - {utterances[i].emotion for i in split.train}
    if missing:
        raise CorpusError(
            f"protocol '{split.protocol}', fold {split.fold}: no training clip of {', '.join(sorted(missing))}; "
            "leave these clips out or bring more speakers with them"
        )
