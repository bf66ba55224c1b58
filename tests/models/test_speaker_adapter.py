"""The speaker adapter: clip statistics, normalisation by speaker, and averaging over an ensemble."""

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
    average_adapters,
    clip_statistics,
    speaker_adapter_from_weights,
)


@pytest.fixture
def adapter() -> SpeakerAdapter:
    torch.manual_seed(0)
    made = SpeakerAdapter(4, 3)
    made.centre.copy_(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    made.scale.copy_(torch.tensor([1.0, 1.0, 2.0, 0.5]))
    return made


def test_statistics_are_those_of_the_speech_frames(single: list[Features]) -> None:
    for features in single:
        spoken = speech_frames(features, MARGIN_FRAMES)[0].numpy()
        log_mel = features.log_mel[0].numpy()[spoken]
        found = clip_statistics(features)[0].numpy()
        assert found.shape == (STATISTICS,)
        np.testing.assert_allclose(found[:BANDS], log_mel.mean(0), atol=1e-4)
        np.testing.assert_allclose(found[BANDS : 2 * BANDS], np.sqrt(log_mel.var(0) + 1e-5), atol=1e-4)


def test_statistics_do_not_depend_on_the_rest_of_the_batch(batch: Features, single: list[Features]) -> None:
    statistics = clip_statistics(batch)
    for row, features in enumerate(single):
        torch.testing.assert_close(statistics[row : row + 1], clip_statistics(features), atol=1e-4, rtol=1e-4)


def test_an_unknown_speaker_gets_the_statistics_of_the_training_speakers(adapter: SpeakerAdapter) -> None:
    speaker_features = adapter.centre + torch.tensor([[1.0, 0.0, -2.0, 0.5]])
    ignored = torch.full((2, 4), 99.0)
    found = adapter.normalise(speaker_features, ignored, torch.tensor([0.0]))
    torch.testing.assert_close(found, torch.tensor([[1.0, 0.0, -1.0, 1.0]]) / 1.05)


def test_with_many_clips_the_statistics_of_the_speaker_apply(adapter: SpeakerAdapter) -> None:
    statistics = torch.tensor([[5.0, 5.0, 5.0, 5.0], [2.0, 2.0, 2.0, 2.0]])
    found = adapter.normalise(torch.full((1, 4), 7.0), statistics, torch.tensor([1e9]))
    torch.testing.assert_close(found, 2 / (2 + 0.05 * adapter.scale)[None])


def test_with_few_clips_the_statistics_are_shrunk(adapter: SpeakerAdapter) -> None:
    statistics = torch.stack([adapter.centre + 3, adapter.scale])
    found = adapter.normalise(adapter.centre[None], statistics, torch.tensor([PRIOR_CLIPS]))
    torch.testing.assert_close(found, -1.5 / (1.05 * adapter.scale)[None])


def test_outliers_are_clamped(adapter: SpeakerAdapter) -> None:
    found = adapter.normalise(torch.full((1, 4), 1e6), torch.zeros(2, 4), torch.tensor([0.0]))
    assert (found == MAX_DEVIATIONS).all()


def test_a_shift_of_all_clips_of_a_speaker_changes_no_logits(adapter: SpeakerAdapter) -> None:
    rows, clips = torch.randn(20, 4), torch.tensor([1e6])
    logits = [adapter(f, torch.stack([f.mean(0), f.std(0)]), clips) for f in (rows, rows + 3.0)]
    torch.testing.assert_close(*logits, atol=1e-4, rtol=1e-4)


def test_the_adapter_is_recreated_from_its_weights(adapter: SpeakerAdapter) -> None:
    weights = {f"adapter.{name}": value for name, value in adapter.state_dict().items()}
    found = speaker_adapter_from_weights(weights)
    assert found is not None and found.classifier.weight.shape == (3, 4)
    assert speaker_adapter_from_weights({"branches.mel.mean": torch.zeros(3)}) is None


def test_an_averaged_adapter_gives_the_mean_of_the_logits() -> None:
    torch.manual_seed(0)
    adapters = [SpeakerAdapter(5 + STATISTICS, 3) for _ in range(3)]
    for member in adapters:
        member.centre[:5], member.scale[:5] = torch.randn(5), torch.rand(5) + 0.5
    embeddings, statistics = torch.randn(3, 2, 5), torch.randn(2, STATISTICS)
    speaker_embeddings, speaker_statistics = torch.rand(3, 2, 5) + 0.5, torch.rand(2, STATISTICS) + 0.5
    clips = torch.tensor([10.0])
    single = [
        member(torch.cat([own, statistics], 1), torch.cat([speaker, speaker_statistics], 1), clips)
        for member, own, speaker in zip(adapters, embeddings, speaker_embeddings, strict=True)
    ]
    averaged = average_adapters(adapters)(
        torch.cat([*embeddings, statistics], 1), torch.cat([*speaker_embeddings, speaker_statistics], 1), clips
    )
    torch.testing.assert_close(averaged, torch.stack(single).mean(0), atol=1e-4, rtol=1e-4)
