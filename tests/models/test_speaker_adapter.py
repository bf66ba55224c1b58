import numpy as np
import pytest
import torch

from overtone.features.front_end import Features, speech_frames
from overtone.features.mel import BANDS
from overtone.models.prosody_cnn import MARGIN_FRAMES
from overtone.models.speaker_adapter import (
    MAX_DEVIATIONS,
    PRIOR_CLIPS,
    STATISTICS,
    SpeakerAdapter,
    adapter_from_weights,
    average_adapters,
    clip_statistics,
)


@pytest.fixture
def adapter() -> SpeakerAdapter:
    torch.manual_seed(0)
    made = SpeakerAdapter(4, 3)
    made.centre.copy_(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    made.scale.copy_(torch.tensor([1.0, 1.0, 2.0, 0.5]))
    return made


def test_statistics_are_those_of_the_spoken_frames(single: list[Features]) -> None:
    for features in single:
        spoken = speech_frames(features, MARGIN_FRAMES)[0].numpy()
        picture = features.log_mel[0].numpy()[spoken]
        found = clip_statistics(features)[0].numpy()
        assert found.shape == (STATISTICS,)
        np.testing.assert_allclose(found[:BANDS], picture.mean(0), atol=1e-4)
        np.testing.assert_allclose(found[BANDS : 2 * BANDS], np.sqrt(picture.var(0) + 1e-5), atol=1e-4)


def test_statistics_do_not_depend_on_the_rest_of_the_batch(batch: Features, single: list[Features]) -> None:
    together = clip_statistics(batch)
    for row, features in enumerate(single):
        torch.testing.assert_close(together[row : row + 1], clip_statistics(features), atol=1e-4, rtol=1e-4)


def test_a_speaker_of_whom_nothing_is_known_is_like_those_of_the_training(adapter: SpeakerAdapter) -> None:
    voice = adapter.centre + torch.tensor([[1.0, 0.0, -2.0, 0.5]])
    nonsense = torch.full((2, 4), 99.0)
    found = adapter.normalise(voice, nonsense, torch.tensor([0.0]))
    torch.testing.assert_close(found, torch.tensor([[1.0, 0.0, -1.0, 1.0]]) / 1.05)


def test_many_clips_make_the_usual_the_speakers_own(adapter: SpeakerAdapter) -> None:
    usual = torch.tensor([[5.0, 5.0, 5.0, 5.0], [2.0, 2.0, 2.0, 2.0]])
    found = adapter.normalise(torch.full((1, 4), 7.0), usual, torch.tensor([1e9]))
    torch.testing.assert_close(found, 2 / (2 + 0.05 * adapter.scale)[None])


def test_with_few_clips_the_usual_lies_between(adapter: SpeakerAdapter) -> None:
    usual = torch.stack([adapter.centre + 3, adapter.scale])
    found = adapter.normalise(adapter.centre[None], usual, torch.tensor([PRIOR_CLIPS]))
    torch.testing.assert_close(found, -1.5 / (1.05 * adapter.scale)[None])


def test_outliers_are_cut(adapter: SpeakerAdapter) -> None:
    found = adapter.normalise(torch.full((1, 4), 1e6), torch.zeros(2, 4), torch.tensor([0.0]))
    assert (found == MAX_DEVIATIONS).all()


def test_a_shift_of_all_clips_of_a_speaker_changes_no_answer(adapter: SpeakerAdapter) -> None:
    voice, clips = torch.randn(20, 4), torch.tensor([1e6])
    answers = [adapter(heard, torch.stack([heard.mean(0), heard.std(0)]), clips) for heard in (voice, voice + 3.0)]
    torch.testing.assert_close(*answers, atol=1e-4, rtol=1e-4)


def test_weights_tell_whether_there_is_an_adapter(adapter: SpeakerAdapter) -> None:
    weights = {f"adapter.{name}": value for name, value in adapter.state_dict().items()}
    found = adapter_from_weights(weights)
    assert found is not None and found.answer.weight.shape == (3, 4)
    assert adapter_from_weights({"mel.mean": torch.zeros(3)}) is None


def test_an_averaged_adapter_gives_the_mean_of_the_logits() -> None:
    torch.manual_seed(0)
    adapters = [SpeakerAdapter(5 + STATISTICS, 3) for _ in range(3)]
    for one in adapters:
        one.centre[:5], one.scale[:5] = torch.randn(5), torch.rand(5) + 0.5
    embeddings, statistics = torch.randn(3, 2, 5), torch.randn(2, STATISTICS)
    usual_embeddings, usual_statistics = torch.rand(3, 2, 5) + 0.5, torch.rand(2, STATISTICS) + 0.5
    clips = torch.tensor([10.0])
    alone = [
        one(torch.cat([own, statistics], 1), torch.cat([usual, usual_statistics], 1), clips)
        for one, own, usual in zip(adapters, embeddings, usual_embeddings, strict=True)
    ]
    together = average_adapters(adapters)(
        torch.cat([*embeddings, statistics], 1), torch.cat([*usual_embeddings, usual_statistics], 1), clips
    )
    torch.testing.assert_close(together, torch.stack(alone).mean(0), atol=1e-4, rtol=1e-4)
