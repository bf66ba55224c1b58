"""Relabels utterances, so that corpora with different classes can be compared."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from overtone.datatypes import Utterance
from overtone.emotions import EMOTIONS, LabelMap


def apply_label_map(
    utterances: Iterable[Utterance], label_map: LabelMap
) -> tuple[tuple[Utterance, ...], dict[str, int]]:
    """Return the utterances whose emotion is in a label map, with the class it assigns to them.

    Args:
        utterances: of any corpora.
        label_map: such as `overtone.emotions.LABEL_MAPS["4-classes"]`.

    Returns:
        The relabelled utterances in their original order, and emotion -> number of dropped utterances, in the order of
        `EMOTIONS`.
    """
    relabelled: list[Utterance] = []
    dropped: Counter[str] = Counter()
    for utterance in utterances:
        if utterance.emotion in label_map:
            relabelled.append(replace(utterance, emotion=label_map[utterance.emotion]))
        else:
            dropped[utterance.emotion] += 1
    return tuple(relabelled), {emotion: dropped[emotion] for emotion in EMOTIONS if emotion in dropped}
