"""The words in the table of scores are explained where they occur."""

from overtone.cli.score_terms import MEASURES, PROTOCOLS, explain_terms
from overtone.evaluation import protocols
from overtone.formats.branches import BRANCH_LABELS


def test_every_protocol_is_explained() -> None:
    assert set(PROTOCOLS) >= set(protocols.PROTOCOLS)


def test_only_words_that_occur_are_explained_each_once() -> None:
    lines = explain_terms(["luna5", "luna5", "of my own"], ["fusion", *BRANCH_LABELS, "fusion"])
    terms = [line.partition(":")[0] for line in lines]
    assert terms == ["luna5", "fusion", *BRANCH_LABELS, *MEASURES]
