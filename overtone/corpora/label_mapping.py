"""UTTERANCES -> UTTERANCES UNDER OTHER LABELS, so that corpora with different classes can be compared."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from overtone.datatypes import Utterance
from overtone.emotions import EMOTIONS, LabelMap


def apply_label_map(
    utterances: Iterable[Utterance], label_map: LabelMap
) -> tuple[tuple[Utterance, ...], dict[str, int]]:
    """The utterances whose emotion a label map names, under the class it gives them.

    Args:
        utterances: of any corpora.
        label_map: such as `overtone.emotions.LABEL_MAPS["4-classes"]`.

    Returns:
        What is kept, in the given order, and emotion -> number of utterances dropped, in the order of `EMOTIONS`.
    """
    kept: list[Utterance] = []
    dropped: Counter[str] = Counter()
    for utterance in utterances:
        if utterance.emotion in label_map:
            kept.append(replace(utterance, emotion=label_map[utterance.emotion]))
        else:
            dropped[utterance.emotion] += 1
    return tuple(kept), {emotion: dropped[emotion] for emotion in EMOTIONS if emotion in dropped}
