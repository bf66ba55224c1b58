"""The choice of clips to adapt to; the answers against those of the training: tests/training/test_fit_adapter.py."""

from pathlib import Path

import pytest
import torch

from benchmarks.adaptation import CLIPS, _answers, _choices, measured
from overtone.datatypes import Utterance
from overtone.emotions import EMOTIONS
from overtone.errors import OvertoneError
from overtone.models.speaker_adapter import SpeakerAdapter

SPEAKERS = [
    Utterance(Path(f"{speaker}-{k}"), EMOTIONS[k % 8], speaker=speaker, corpus="ravdess", clip=f"{speaker}-{k}")
    for speaker in ("01", "02")
    for k in range(24)
]


def test_a_clip_is_never_adapted_to_itself_nor_to_another_speaker() -> None:
    for name, choice, _ in _choices(SPEAKERS):
        for tested in (0, 30):
            chosen = choice(tested)
            assert tested not in chosen and len(set(chosen)) == len(chosen)
            assert {SPEAKERS[k].speaker for k in chosen} <= {SPEAKERS[tested].speaker}
            if name == "all other neutral clips":
                assert {SPEAKERS[k].emotion for k in chosen} == {"neutral"}
    sizes = [len(choice(5)) for _, choice, _ in _choices(SPEAKERS)]
    assert sizes == [*CLIPS, 23, 3]


def test_answers_are_those_of_the_adapter() -> None:
    torch.manual_seed(0)
    adapter, voice = SpeakerAdapter(6, 8), torch.randn(48, 6)
    found = _answers(adapter, voice, SPEAKERS, lambda tested: [1, 2, 3], draws=2, fold="1")
    assert len(found) == 96 and set(found.seed.tolist()) == {0, 1}
    usual = torch.stack([voice[1:4].mean(0), voice[1:4].std(0, correction=0)])
    expected = adapter(voice[7:8], usual, torch.tensor([3.0])).softmax(-1)[0]
    assert found.probabilities[7] == pytest.approx(expected.tolist(), abs=1e-6)


def test_without_a_run_it_says_how_to_make_one() -> None:
    with pytest.raises(OvertoneError, match="overtone evaluate --recipe tuned"):
        measured([], [], None)
