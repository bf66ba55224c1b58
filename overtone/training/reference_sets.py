"""Random reference sets for training: for each clip, other clips of its speaker or corpus, of any make-up.

Users bring any reference: a whole recording, a few clips of various emotions, or a few that are all neutral or all
angry. A model that was trained on complete sets alone would take the emotion of a one-sided set for the voice.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from overtone.datatypes import Utterance
from overtone.models.network import Network
from overtone.training.batches import clean_batches
from overtone.training.feature_cache import FeatureStore

MAX_CLIPS = 50  # of a random set
MAX_CORPUS_CLIPS = 200
# Kind of set -> its share: all clips of the speaker, some, some of one emotion, some of the emotion of the clip itself,
# clips of any speaker of the corpus.
TRAINING_KINDS = {"speaker": 0.25, "some": 0.4, "one-sided": 0.2, "own emotion": 0.0, "corpus": 0.15}


class ReferenceSets:
    """The clips that a reference set can be drawn from.

    Args:
        utterances: all clips. Where the speaker is unknown, the corpus takes the place of the speaker.
        indices: the clips that may be part of a set, such as those of the training set.
        kinds: share of each kind of set.
    """

    def __init__(
        self, utterances: Sequence[Utterance], indices: Sequence[int], kinds: Mapping[str, float] = TRAINING_KINDS
    ) -> None:
        self._kinds, self._shares = list(kinds), list(kinds.values())
        groups: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        self._keys: dict[int, tuple[str, str, str]] = {}
        for i in indices:
            utterance = utterances[i]
            self._keys[i] = utterance.corpus, utterance.speaker, utterance.emotion
            for depth in (1, 2, 3):
                groups[self._keys[i][:depth]].append(i)
        self._groups = {key: np.array(clips) for key, clips in groups.items()}

    def draw(self, index: int, rng: np.random.Generator) -> np.ndarray:
        """Positions of the clips of a random set for a clip; it may hold the clip itself, as a whole recording does.

        Args:
            index: position of the clip, one of `indices`.
            rng: random generator.
        """
        kind = rng.choice(self._kinds, p=self._shares)
        corpus, speaker, _ = self._keys[index]
        own = self._groups[corpus, speaker]
        if kind == "speaker":
            return own
        if kind == "corpus":
            clips = self._groups[corpus,]
            return rng.choice(clips, min(MAX_CORPUS_CLIPS, len(clips)), replace=False)
        if kind in ("one-sided", "own emotion"):
            own = self._groups[self._keys[index if kind == "own emotion" else int(rng.choice(own))]]
        count = int(np.exp(rng.uniform(0, np.log(MAX_CLIPS + 1))))
        return rng.choice(own, min(count, len(own)), replace=False)

    def means(self, values: Tensor, indices: Iterable[int], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Mean values of a random set for each clip `(some clips, values)`, and its number of clips `(some clips,)`.

        Args:
            values: of all clips `(clips, values)`.
            indices: positions of some clips.
            rng: random generator.
        """
        sets = [self.draw(index, rng) for index in indices]
        means = torch.stack([values[torch.from_numpy(clips)].mean(0) for clips in sets])
        return means, torch.tensor([len(clips) for clips in sets], dtype=values.dtype)


@torch.no_grad()
def drawable_sets(
    network: Network,
    store: FeatureStore,
    indices: Sequence[int],
    references: Callable[[Sequence[int]], ReferenceSets] | None,
) -> tuple[Tensor, ReferenceSets | None]:
    """The values of the clean clips `(clips, values)` that sets are averaged over, and the sets of the training clips.

    Args:
        network: with branches that refer or without; then there are no sets.
        store: features of all clips.
        indices: the training clips; the values of others are 0.
        references: returns the sets that can be drawn from these clips; None for none.
    """
    if references is None or not network.reference_size:
        return torch.zeros(0, 0), None
    rows = [network.reference_values(network.inputs(features)) for features in clean_batches(store, indices)]
    values = torch.zeros(len(store), network.reference_size)
    values[torch.tensor(indices)] = torch.cat(rows)
    return values, references(indices)
