"""What a network should answer, against torch's own cross entropy."""

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from overtone.datatypes import Utterance
from overtone.training.targets import Targets, make_targets, smoothed_cross_entropy

EMOTIONS = ("neutral", "calm", "sad", "angry")


def test_a_clip_could_have_had_the_emotions_of_its_corpus() -> None:
    rows = [("a", "neutral"), ("b", "sad"), ("a", "angry"), ("b", "calm"), ("a", "angry")]
    found = make_targets([Utterance(Path("x"), emotion, corpus=corpus) for corpus, emotion in rows], EMOTIONS)
    assert found.truth.tolist() == [0, 2, 3, 1, 3]
    of_a, of_b = [True, False, False, True], [False, True, True, False]
    assert found.allowed.tolist() == [of_a, of_b, of_a, of_b, of_a]
    assert found.at(torch.tensor([1, 2])).truth.tolist() == [2, 3]


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_that_of_torch(smoothing: float) -> None:
    torch.manual_seed(0)
    logits, truth = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 0, 1])
    everything = Targets(truth, torch.ones(6, 4, dtype=torch.bool))
    expected = functional.cross_entropy(logits, truth, label_smoothing=smoothing)
    torch.testing.assert_close(smoothed_cross_entropy(logits, everything, smoothing), expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_impossible_emotions_have_no_say(smoothing: float) -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 4, requires_grad=True)
    some = torch.tensor([[True, False, True, False]] * 2)
    loss = smoothed_cross_entropy(logits, Targets(torch.tensor([2, 0]), some), smoothing)
    expected = functional.cross_entropy(logits[:, ::2], torch.tensor([1, 0]), label_smoothing=smoothing)
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert logits.grad is not None
    assert not logits.grad[:, 1::2].any() and logits.grad[:, ::2].all()


def test_a_teacher_has_its_share_of_what_is_to_learn() -> None:
    truth, everything = torch.tensor([0, 1, 2]), torch.ones(3, 3, dtype=torch.bool)
    answers = torch.tensor([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]])
    taught = Targets(truth, everything).distilled([2, 0], answers.log(), 0.5)
    torch.testing.assert_close(
        taught.shares(), torch.tensor([[0.55, 0.05, 0.4], [0.0, 1.0, 0.0], [0.1, 0.25, 0.65]]), atol=1e-6, rtol=0
    )
    assert taught.at(torch.tensor([1, 2])).shares()[1].tolist() == taught.shares()[2].tolist()
    logits = torch.randn(3, 3)
    expected = functional.cross_entropy(logits, taught.shares())
    torch.testing.assert_close(smoothed_cross_entropy(logits, taught, 0.0), expected)


def test_a_teacher_does_not_teach_what_a_clip_could_not_have_had() -> None:
    some = torch.tensor([[True, False, True]])
    taught = Targets(torch.tensor([0]), some).distilled([0], torch.tensor([[0.3, 0.4, 0.3]]).log(), 1.0)
    torch.testing.assert_close(taught.shares(), torch.tensor([[0.5, 0.0, 0.5]]))
