"""Test side and all that was learned from -> who leaks from one to the other."""

from collections.abc import Iterable, Sequence

from overtone.datatypes import LeakAudit, Utterance

Utterances = Sequence[Utterance]


def audit(utterances: Utterances, test: Iterable[int], trained_on: Iterable[int]) -> LeakAudit:
    """What the test side shares with everything that any part of the model was trained on.

    A clip is known by its position in the list. RAVDESS holds one pair of clips with equal samples under two names (of
    the same actor, as published); the audit counts it as two clips. Unknown speakers and sentences are not counted.

    Args:
        utterances: the list that positions point into.
        test: positions of the test clips.
        trained_on: positions of every clip used by any part: training and, where it stopped the training, validation.
    """
    tested, seen = set(test), set(trained_on)
    test_speakers, seen_speakers = (_kinds(utterances, side, "speaker") for side in (tested, seen))
    test_sentences, seen_sentences = (_kinds(utterances, side, "sentence") for side in (tested, seen))
    return LeakAudit(
        test_clips=len(tested),
        test_speakers=len(test_speakers),
        test_sentences=len(test_sentences),
        shared_speakers=len(test_speakers & seen_speakers),
        shared_sentences=len(test_sentences & seen_sentences),
        seen_clips=len(tested & seen),
    )


def sum_audits(audits: Iterable[LeakAudit]) -> LeakAudit:
    """One audit for several folds and seeds: every count added up."""
    rows = [list(vars(audit).values()) for audit in audits]
    return LeakAudit(*(sum(column) for column in zip(*rows, strict=True))) if rows else LeakAudit(0, 0, 0, 0, 0, 0)


def _kinds(utterances: Utterances, positions: Iterable[int], what: str) -> set[tuple[str, str]]:
    """The different (corpus, speaker) or (corpus, sentence) of these clips, as far as they are known."""
    found = ((utterances[i].corpus, getattr(utterances[i], what)) for i in positions)
    return {kind for kind in found if kind[1]}
