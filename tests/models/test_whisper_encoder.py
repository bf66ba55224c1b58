"""The encoder of Whisper agrees with transformers and reads the Hugging Face layout; faults name the file."""

import json
from pathlib import Path

import pytest
import safetensors.torch
import torch
from small_encoder import write_encoder

from overtone.errors import ModelError
from overtone.models.encoder_files import PREFIX
from overtone.models.whisper_encoder import WhisperEncoder, load_encoder

PROJECT = Path(__file__).resolve().parents[2]


def reference(folder: Path) -> torch.nn.Module:
    """The same encoder by transformers."""
    transformers = pytest.importorskip("transformers", reason="transformers comes with the [dev] extra")
    from transformers.models.whisper.modeling_whisper import WhisperEncoder as Reference

    config = json.loads((folder / "config.json").read_text("utf-8"))
    config = {"max_target_positions": 448, **config}
    encoder = Reference(transformers.WhisperConfig(**config)).eval()
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    own = {k.removeprefix(PREFIX): v.float() for k, v in weights.items() if k.startswith(PREFIX)}
    encoder.load_state_dict(own)
    return encoder


def encoder_folders(tmp_path: Path) -> list[Path]:
    """A small one, and the real ones that are here."""
    real = PROJECT.parent / "shared" / "encoders"
    return [write_encoder(tmp_path / "small"), *sorted(path.parent for path in real.glob("*/config.json"))]


@pytest.mark.slow
@torch.inference_mode()
def test_the_states_of_every_layer_agree_with_transformers(tmp_path: Path) -> None:
    for folder in encoder_folders(tmp_path):
        encoder, expected = load_encoder(folder), reference(folder)
        log_mel = torch.randn(2, 2 * encoder.config.positions, encoder.config.bands)
        states = encoder(log_mel)
        outputs = expected(log_mel.transpose(1, 2), output_hidden_states=True).hidden_states[1:]
        assert len(states) == len(outputs) == encoder.config.layers
        for own, other in zip(states, outputs, strict=True):
            torch.testing.assert_close(own, other, atol=2e-4, rtol=1e-4)


@torch.inference_mode()
def test_an_encoder_without_its_last_layers_returns_the_same_states(tmp_path: Path) -> None:
    encoder = load_encoder(write_encoder(tmp_path / "small"))
    log_mel = torch.randn(1, 40, 8)
    first, _ = encoder(log_mel)
    del encoder.layers[1:]
    (shortened,) = encoder(log_mel)
    torch.testing.assert_close(shortened, first, atol=0, rtol=0)


@torch.inference_mode()
def test_padding_changes_no_state_of_the_clip(tmp_path: Path) -> None:
    encoder = load_encoder(write_encoder(tmp_path / "small"))
    clip = torch.randn(1, 40, 8)
    alone = encoder(clip)
    padded = torch.cat([clip, torch.zeros(1, 20, 8)], dim=1)  # the convolutions see zeros behind the end in both cases
    padding = torch.arange(30)[None] >= 20
    for own, other in zip(alone, encoder(padded, padding), strict=True):
        torch.testing.assert_close(own[0, :19], other[0, :19], atol=1e-4, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the exporter about torch itself
def test_it_can_be_exported_with_dynamic_time(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    encoder = load_encoder(write_encoder(tmp_path / "small"))
    dynamic = {"log_mel": {1: torch.export.Dim("frames", min=4, max=100)}, "padding": None}
    program = torch.onnx.export(
        encoder, (torch.randn(1, 21, 8), None), dynamo=True, dynamic_shapes=dynamic, verbose=False
    )
    assert program is not None
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
    for frames in (21, 64, 99):
        log_mel = torch.randn(1, frames, 8)
        found = session.run(None, {session.get_inputs()[0].name: log_mel.numpy()})
        with torch.inference_mode():
            for own, other in zip(encoder(log_mel), found, strict=True):
                torch.testing.assert_close(own, torch.from_numpy(other), atol=1e-4, rtol=1e-4)


def test_faults_of_a_folder_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"wav2vec.config\.json: only encoders of Whisper .*'wav2vec2'"):
        load_encoder(write_encoder(tmp_path / "wav2vec", model_type="wav2vec2"))
    with pytest.raises(ModelError, match=r"sizes.config\.json: lacks a size"):
        load_encoder(write_encoder(tmp_path / "sizes", d_model=None))
    with pytest.raises(ModelError, match=r"other.model\.safetensors: not the weights of the encoder"):
        load_encoder(write_encoder(tmp_path / "other", encoder_layers=3))
    broken = write_encoder(tmp_path / "broken")
    content = (broken / "model.safetensors").read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"not a safetensors file"):
        (broken / "model.safetensors").write_bytes(damaged)
        with pytest.raises(ModelError, match=r"broken.model\.safetensors: the weights cannot be read"):
            load_encoder(broken)
    (broken / "config.json").write_text("{", "utf-8")
    with pytest.raises(ModelError, match=r"broken.config\.json: cannot be read"):
        load_encoder(broken)
    with pytest.raises(ModelError, match="No such file"):
        load_encoder(tmp_path / "missing")


def test_nothing_is_drawn_at_random(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path / "small")
    first, second = load_encoder(folder), load_encoder(folder)
    assert isinstance(first, WhisperEncoder)
    for name, weight in first.state_dict().items():
        assert torch.equal(weight, second.state_dict()[name])
