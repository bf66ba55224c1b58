"""How protocols split clips: at random, or by speaker."""

from collections import Counter
from collections.abc import Container, Sequence
from itertools import zip_longest

import numpy as np

from overtone.datatypes import Split, Utterance
from overtone.errors import CorpusError, MissingExtraError, OptionError

Utterances = Sequence[Utterance]
Speaker = tuple[str, str]  # corpus and name: two corpora may both have a speaker "01"

MAX_VALIDATION_SPEAKERS = 4  # and at most a quarter of the speakers outside the test set
MAX_LISTED_SPEAKERS = 5  # in a message
VALIDATION_SHARE = 0.1  # of the clips outside the test set, in splits by clip; of the speakers of a corpus


def by_clip(
    protocol: str,
    fold: str,
    utterances: Utterances,
    test_share: float,
    *,
    seed: Sequence[int],
    stratified: bool,
    indices: Sequence[int] | None = None,
) -> Split:
    """Return a random split by clip.

    Args:
        protocol: name of the protocol.
        fold: name of the fold.
        utterances: all clips.
        test_share: share of the clips in the test set.
        seed: of the split.
        stratified: whether every set has the class proportions of all clips.
        indices: the clips to split; all if None.

    Raises:
        CorpusError: too few clips of a class for a stratified split.
        MissingExtraError: scikit-learn is not installed.
    """
    rng = np.random.default_rng(seed)
    clips = range(len(utterances)) if indices is None else indices
    rest, test = _split_indices(utterances, clips, test_share, rng, stratified)
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
        example = next(utterances[i].path for i in indices if utterances[i].emotion == rarest)
        raise CorpusError(
            f"too few clips for a split with every class in both sets: {len(labels)} in total, of {len(set(labels))} "
            f"classes, and {count} of '{rarest}' ({example}); add clips of this class, or drop it or merge it with "
            "another one: --labels FILE.toml"
        )
    first, second = train_test_split(
        list(indices),
        test_size=share,
        random_state=int(rng.integers(2**31)),
        stratify=labels if stratified else None,
    )
    return tuple(sorted(first)), tuple(sorted(second))


def by_speaker(
    protocol: str, fold: str, test_speakers: set[Speaker], utterances: Utterances, seed: int, fold_index: int
) -> Split:
    """Return a fold whose test, validation and training sets have disjoint speakers.

    Args:
        protocol: name of the protocol.
        fold: name of the fold.
        test_speakers: speakers of the test set.
        utterances: all clips.
        seed: of the split.
        fold_index: position of the fold; seed and position determine the validation speakers.

    Raises:
        OptionError: clips of unknown speakers.
        CorpusError: fewer than two other speakers.
    """
    others = [speaker for speaker in speakers_of(protocol, utterances) if speaker not in test_speakers]
    if len(others) < 2:
        names = ", ".join(sorted({utterance.speaker for utterance in utterances})[:MAX_LISTED_SPEAKERS])
        raise CorpusError(
            f"protocol '{protocol}', fold {fold}: no speakers left for training and validation: it needs two speakers "
            f"outside its test set and has {len(others)}, of the speakers {names}; add clips of other speakers, or use "
            "'random', which splits by clip"
        )
    number = min(MAX_VALIDATION_SPEAKERS, max(1, len(others) // 4))
    validation = validation_speakers(utterances, others, number, rotation=seed + fold_index)
    return split_speakers(protocol, fold, utterances, test_speakers, validation)


def split_speakers(
    protocol: str, fold: str, utterances: Utterances, test: Container[Speaker], validation: Container[Speaker]
) -> Split:
    """Return the split with these test and validation speakers; all other speakers are in the training set.

    Args:
        protocol: name of the protocol.
        fold: name of the fold.
        utterances: all clips; the split has their positions.
        test: corpus and name of each test speaker.
        validation: those of the validation speakers; a speaker in both sets is a test speaker.
    """
    subsets: dict[str, list[int]] = {"train": [], "validation": [], "test": []}
    for i, utterance in enumerate(utterances):
        speaker = (utterance.corpus, utterance.speaker)
        subsets["test" if speaker in test else "validation" if speaker in validation else "train"].append(i)
    return Split(protocol, fold, tuple(subsets["train"]), tuple(subsets["validation"]), tuple(subsets["test"]))


def validation_speakers(
    utterances: Utterances, speakers: Sequence[Speaker], number: int, rotation: int
) -> set[Speaker]:
    """Return validation speakers, balanced by gender as far as possible; each rotation selects the next ones.

    Args:
        utterances: clips of these speakers, among others.
        speakers: to choose from.
        number: of validation speakers.
        rotation: >= 0.
    """
    gender_of = {(u.corpus, u.speaker): u.gender for u in utterances}
    queues = [[s for s in speakers if gender_of[s] == gender] for gender in sorted({gender_of[s] for s in speakers})]
    offset = rotation * -(-number // len(queues))
    queues = [queue[offset % len(queue) :] + queue[: offset % len(queue)] for queue in queues]
    alternating = [speaker for row in zip_longest(*queues) for speaker in row if speaker is not None]
    return set(alternating[:number])


def speakers_of(protocol: str, utterances: Utterances) -> list[Speaker]:
    """Return the speakers, sorted.

    Raises:
        OptionError: clips of unknown speakers.
    """
    unknown = sum(not utterance.speaker for utterance in utterances)
    if unknown:
        raise OptionError(
            f"protocol '{protocol}' needs the speaker of every clip, and {unknown} clips name no speaker; "
            "add a 'speaker' column to the manifest, or use 'random'"
        )
    return sorted({(utterance.corpus, utterance.speaker) for utterance in utterances})
