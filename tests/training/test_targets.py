"""Training targets, and the loss compared with torch's cross entropy."""

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from overtone.datatypes import Utterance
from overtone.training.targets import Targets, make_targets, smoothed_cross_entropy

EMOTIONS = ("neutral", "calm", "sad", "angry")


def test_the_emotions_of_its_corpus_are_allowed_for_a_clip() -> None:
    rows = [("a", "neutral"), ("b", "sad"), ("a", "angry"), ("b", "calm"), ("a", "angry")]
    found = make_targets([Utterance(Path("x"), emotion, corpus=corpus) for corpus, emotion in rows], EMOTIONS)
    assert found.truth.tolist() == [0, 2, 3, 1, 3]
    in_a, in_b = [True, False, False, True], [False, True, True, False]
    assert found.allowed.tolist() == [in_a, in_b, in_a, in_b, in_a]
    assert found.at(torch.tensor([1, 2])).truth.tolist() == [2, 3]


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_equals_the_cross_entropy_of_torch(smoothing: float) -> None:
    torch.manual_seed(0)
    logits, truth = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 0, 1])
    targets = Targets(truth, torch.ones(6, 4, dtype=torch.bool))
    expected = functional.cross_entropy(logits, truth, label_smoothing=smoothing)
    torch.testing.assert_close(smoothed_cross_entropy(logits, targets, smoothing), expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_disallowed_emotions_do_not_affect_the_loss(smoothing: float) -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 4, requires_grad=True)
    allowed = torch.tensor([[True, False, True, False]] * 2)
    loss = smoothed_cross_entropy(logits, Targets(torch.tensor([2, 0]), allowed), smoothing)
    expected = functional.cross_entropy(logits[:, ::2], torch.tensor([1, 0]), label_smoothing=smoothing)
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert logits.grad is not None
    assert not logits.grad[:, 1::2].any() and logits.grad[:, ::2].all()


def test_distillation_mixes_labels_with_the_teacher() -> None:
    truth, allowed = torch.tensor([0, 1, 2]), torch.ones(3, 3, dtype=torch.bool)
    teacher = torch.tensor([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]])
    distilled = Targets(truth, allowed).distilled([2, 0], teacher.log(), 0.5)
    torch.testing.assert_close(
        distilled.probabilities(),
        torch.tensor([[0.55, 0.05, 0.4], [0.0, 1.0, 0.0], [0.1, 0.25, 0.65]]),
        atol=1e-6,
        rtol=0,
    )
    assert distilled.at(torch.tensor([1, 2])).probabilities()[1].tolist() == distilled.probabilities()[2].tolist()
    logits = torch.randn(3, 3)
    expected = functional.cross_entropy(logits, distilled.probabilities())
    torch.testing.assert_close(smoothed_cross_entropy(logits, distilled, 0.0), expected)


def test_distillation_gives_no_probability_to_disallowed_emotions() -> None:
    allowed = torch.tensor([[True, False, True]])
    distilled = Targets(torch.tensor([0]), allowed).distilled([0], torch.tensor([[0.3, 0.4, 0.3]]).log(), 1.0)
    torch.testing.assert_close(distilled.probabilities(), torch.tensor([[0.5, 0.0, 0.5]]))
