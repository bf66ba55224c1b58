"""Statistics of the states of a speech encoder: of the speech alone, frozen, and cached by their weights."""

from pathlib import Path

import numpy as np
import pytest
import synthetic_audio
import torch
from small_encoder import POSITIONS, WIDTH, write_encoder
from torch import nn

from overtone.errors import ModelError, OptionError
from overtone.features.whisper_mel import WhisperLogMel
from overtone.models.encoder_files import UNKNOWN_LICENCE
from overtone.models.encoder_statistics import (
    FEATURE,
    EncoderStatistics,
    freeze,
    middle_layers,
    statistics_feature,
    statistics_size,
)
from overtone.models.whisper_encoder import load_encoder


@pytest.fixture
def statistics(tmp_path: Path) -> EncoderStatistics:
    """Return the layer with a small encoder."""
    return EncoderStatistics(load_encoder(write_encoder(tmp_path / "encoder")))


@pytest.mark.parametrize(
    ("layers", "used"), [(1, [0]), (2, [0]), (4, [1, 2]), (6, [2, 3, 4]), (32, list(range(15, 31)))]
)
def test_the_middle_layers_are_used(layers: int, used: list[int]) -> None:
    assert list(middle_layers(layers)) == used


@torch.inference_mode()
def test_they_are_mean_and_deviation_of_the_states(statistics: EncoderStatistics, tmp_path: Path) -> None:
    encoder = load_encoder(write_encoder(tmp_path / "again"))
    for parameter in encoder.parameters():
        parameter.copy_(parameter.half().float())
    # Active from start to end; one sample is missing in the last frame of the front end, which is filled with zeros.
    waveform = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 50 * 256 - 1)).astype(np.float32) / 10)
    first, _ = encoder(WhisperLogMel(8)(torch.nn.functional.pad(waveform, (0, 1))))
    expected = torch.cat([first.mean(1), first.std(1, correction=0)], dim=-1)
    found = statistics(waveform)
    assert found.shape == (1, 1, statistics.values) == (1, 1, 2 * WIDTH)
    torch.testing.assert_close(found[:, 0], expected, atol=5e-3, rtol=5e-3)  # the deviation has a floor


@torch.inference_mode()
def test_silence_around_the_speech_changes_nothing(statistics: EncoderStatistics) -> None:
    speech = torch.from_numpy(synthetic_audio.speech_like(np.random.default_rng(0), 0.6))[None]
    speech = torch.nn.functional.pad(speech, (2560, 2560))
    padded = torch.nn.functional.pad(speech, (2560, 5120))
    torch.testing.assert_close(statistics(padded), statistics(speech), atol=1e-5, rtol=1e-4)


@torch.inference_mode()
def test_clips_of_a_batch_do_not_affect_each_other(statistics: EncoderStatistics) -> None:
    clips = [synthetic_audio.speech_like(np.random.default_rng(seed), 0.5)[:8000] for seed in range(3)]
    batch = torch.from_numpy(np.stack(clips))
    alone = torch.cat([statistics(clip[None]) for clip in batch])
    torch.testing.assert_close(statistics(batch), alone)


@torch.inference_mode()
def test_a_clip_beyond_the_limit_of_the_encoder_is_averaged_over_its_parts(statistics: EncoderStatistics) -> None:
    assert statistics.max_samples == POSITIONS * 320
    part = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 54 * 256)).astype(np.float32) / 10)
    twice = torch.cat([part, part], dim=1)
    assert twice.shape[1] > statistics.max_samples
    torch.testing.assert_close(statistics(twice[:, :-1]), statistics(part[:, :-1]), atol=0.05, rtol=0.05)


def test_the_encoder_is_constant_and_not_stored(statistics: EncoderStatistics) -> None:
    assert not list(statistics.parameters()) and not statistics.state_dict()
    weights = dict(statistics.encoder.named_buffers())
    assert "layers.0.fc1.weight" in weights
    assert all(torch.equal(weight, weight.half().float()) for weight in weights.values())


def test_frozen_layers_compute_the_same() -> None:
    layer = nn.Linear(3, 2)
    with torch.no_grad():
        layer.weight.copy_(layer.weight.half().float())
        layer.bias.copy_(layer.bias.half().float())
        values = torch.randn(4, 3)
        before = layer(values)
    frozen = freeze(layer)
    assert torch.equal(frozen(values), before) and not frozen(values).requires_grad


def test_the_feature_tells_its_weights_and_their_licence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVERTONE_ENCODERS", str(tmp_path))
    write_encoder(tmp_path / "whisper-base")
    write_encoder(tmp_path / "own", seed=1)
    published, own = statistics_feature("whisper-base")[FEATURE], statistics_feature("own")[FEATURE]
    assert published.pretrained is not None and own.pretrained is not None
    assert published.pretrained.licence == "MIT" and own.pretrained.licence == UNKNOWN_LICENCE
    assert published.pretrained.sha256 != own.pretrained.sha256
    by_path = statistics_feature(str(tmp_path / "own"))[FEATURE].pretrained
    assert by_path == own.pretrained  # no path of the machine in the card
    layer = own.build()
    assert isinstance(layer, EncoderStatistics) and layer.max_samples == own.max_samples
    assert layer.values == statistics_size(load_encoder(tmp_path / "own").config)


def test_a_missing_or_damaged_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no encoder 'whisper-none'"):
        statistics_feature("whisper-none")
    folder = write_encoder(tmp_path / "damaged")
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match=r"damaged.model\.safetensors"):
        statistics_feature(str(folder))[FEATURE].build()
