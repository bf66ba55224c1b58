"""Cross-validation of few clips: each clip is predicted by networks that were not trained on its speaker."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from overtone.datatypes import Split, Utterance

PROTOCOL = "cross-validation"
MAX_FOLDS = 5

Groups = Sequence[Sequence[int]]  # of positions of clips


@dataclass(frozen=True)
class Folds:
    """The folds of a cross-validation.

    Attributes:
        splits: one per fold; the validation set has the left-out clips of classes that are trained on in that fold.
        same_speakers: why left-out clips are of the same speakers as the training clips; "" if they are of others.
        unmeasured: classes of which no clip is left out, such as those of a single speaker: what the model makes of
            them when others speak remains unknown.
    """

    splits: tuple[Split, ...]
    same_speakers: str = ""
    unmeasured: tuple[str, ...] = ()


def make_folds(utterances: Sequence[Utterance]) -> Folds:
    """The folds over these clips: by speaker if at least two speakers have two classes in common, else by clip.

    Clips without a named speaker count as those of one more speaker.

    Args:
        utterances: the clips, at least two of each of at least two classes.
    """
    speakers = [(utterance.corpus, utterance.speaker) for utterance in utterances]
    if len(set(speakers)) > 1:
        splits = _splits(utterances, _groups_of_speakers(speakers))
        measured = {utterances[i].emotion for split in splits for i in split.validation}
        if len(measured) > 1:
            classes = dict.fromkeys(utterance.emotion for utterance in utterances)
            return Folds(splits, unmeasured=tuple(name for name in classes if name not in measured))
        reason = "no two classes are spoken by two speakers each"
    else:
        name = utterances[0].speaker
        reason = f"all clips are of one speaker, {name}" if name else "the clips do not name their speakers"
    return Folds(_splits(utterances, _groups_of_clips(utterances)), reason)


def _splits(utterances: Sequence[Utterance], groups: Groups) -> tuple[Split, ...]:
    """A split per group of clips that is left out, without those that cannot be trained or validated.

    Args:
        utterances: all clips.
        groups: the clips of each group, such as all those of some speakers.
    """
    splits: list[Split] = []
    for group in groups:
        left_out = set(group)
        train = tuple(i for i in range(len(utterances)) if i not in left_out)
        trained = {utterances[i].emotion for i in train}
        validation = tuple(sorted(i for i in group if utterances[i].emotion in trained))
        if validation and len(trained) > 1:
            splits.append(Split(PROTOCOL, str(len(splits) + 1), train, validation, ()))
    return tuple(splits)


def _groups_of_speakers(speakers: Sequence[tuple[str, str]]) -> list[list[int]]:
    """The clips in at most `MAX_FOLDS` groups of whole speakers, of about the same size."""
    clips_of: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for i, speaker in enumerate(speakers):
        clips_of[speaker].append(i)
    groups: list[list[int]] = [[] for _ in range(min(MAX_FOLDS, len(clips_of)))]
    for _, clips in sorted(clips_of.items(), key=lambda item: (-len(item[1]), item[0])):
        min(groups, key=len).extend(clips)
    return groups


def _groups_of_clips(utterances: Sequence[Utterance]) -> list[list[int]]:
    """The clips in at most `MAX_FOLDS` groups, those of each class spread over as many groups as possible."""
    most = max(Counter(utterance.emotion for utterance in utterances).values())
    groups: list[list[int]] = [[] for _ in range(min(MAX_FOLDS, most))]
    for position, i in enumerate(sorted(range(len(utterances)), key=lambda i: utterances[i].emotion)):
        groups[position % len(groups)].append(i)
    return groups
