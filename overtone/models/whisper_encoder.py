"""The encoder of OpenAI's Whisper, with the parameter names of the Hugging Face layout; `encoder_files` finds it.

    encoder = load_encoder(find_encoder("whisper-tiny.en"))
    states = encoder(WhisperLogMel(encoder.config.bands)(waveform))      # of every layer, at 20 ms

Source: Radford et al. (2022), "Robust Speech Recognition via Large-Scale Weak Supervision".
"""

import json
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional

from overtone.errors import ModelError
from overtone.models.encoder_files import CONFIG_FILE, PREFIX, WEIGHTS_FILE, EncoderConfig


class SelfAttention(nn.Module):
    """Multi-head self-attention; as in Whisper, the keys have no bias."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, states: Tensor, padding: Tensor | None = None) -> Tensor:
        """States `(batch, frames, width)`; `padding` is bool `(batch, frames)`, True in frames to ignore."""
        query, key, value = (
            projection(states)
            .unflatten(-1, (self.heads, -1))
            .transpose(1, 2)  # (batch, heads, frames, width of a head)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        scores = query * query.shape[-1] ** -0.5 @ key.transpose(-1, -2)
        if padding is not None:
            scores = scores.masked_fill(padding[:, None, None], torch.finfo(scores.dtype).min)
        return self.out_proj((scores.softmax(-1) @ value).transpose(1, 2).flatten(-2))


class EncoderLayer(nn.Module):
    """One transformer layer with normalisation before each block."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.self_attn = SelfAttention(config.width, config.heads)
        self.self_attn_layer_norm = nn.LayerNorm(config.width)
        self.fc1 = nn.Linear(config.width, config.hidden)
        self.fc2 = nn.Linear(config.hidden, config.width)
        self.final_layer_norm = nn.LayerNorm(config.width)

    def forward(self, states: Tensor, padding: Tensor | None = None) -> Tensor:
        """States `(batch, frames, width)`; `padding` as in `SelfAttention`."""
        states = states + self.self_attn(self.self_attn_layer_norm(states), padding)
        return states + self.fc2(functional.gelu(self.fc1(self.final_layer_norm(states))))


class WhisperEncoder(nn.Module):
    """Log-mel spectrogram `(batch, frames, bands)` at 10 ms -> hidden states at 20 ms.

    Args:
        config: the sizes.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.conv1 = nn.Conv1d(config.bands, config.width, 3, padding=1)
        self.conv2 = nn.Conv1d(config.width, config.width, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(config.positions, config.width)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))
        self.layer_norm = nn.LayerNorm(config.width)

    def forward(self, log_mel: Tensor, padding: Tensor | None = None) -> list[Tensor]:
        """Return the states of every layer `(batch, ceil(frames / 2), width)`; those of the last one normalised.

        An encoder whose last layers were removed returns the states of the others, none normalised.

        Args:
            log_mel: `(batch, frames, bands)`, at most `2 * positions` frames; no padding to 30 s is needed.
            padding: bool `(batch, ceil(frames / 2))`, True behind the end of a clip; None where there is no padding.
        """
        convolved = functional.gelu(self.conv2(functional.gelu(self.conv1(log_mel.transpose(1, 2))))).transpose(1, 2)
        states = convolved + self.embed_positions.weight[: convolved.shape[1]]
        outputs = []
        for layer in self.layers:
            states = layer(states, padding)
            outputs.append(states)
        if len(outputs) < self.config.layers:
            return outputs
        return [*outputs[:-1], self.layer_norm(outputs[-1])]


def load_encoder(folder: Path) -> WhisperEncoder:
    """Return the encoder in a folder of the Hugging Face layout: `config.json` and `model.safetensors`, of any size.

    Raises:
        ModelError: a file is missing or damaged, or the model is not a Whisper model.
    """
    encoder = WhisperEncoder(read_config(folder / CONFIG_FILE))
    path = folder / WEIGHTS_FILE
    try:
        weights = safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError) as error:
        raise ModelError(f"{path}: the weights cannot be read ({error}); copy the file again") from error
    encoder_weights = {
        name.removeprefix(PREFIX): tensor.float() for name, tensor in weights.items() if name.startswith(PREFIX)
    }
    try:
        encoder.load_state_dict(encoder_weights)
    except RuntimeError as error:
        raise ModelError(f"{path}: not the weights of the encoder in {CONFIG_FILE}: {error}") from error
    return encoder.eval()


def read_config(path: Path) -> EncoderConfig:
    """The sizes of an encoder, from its `config.json`.

    Raises:
        ModelError: the file is missing or damaged, or is not of a Whisper model.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        kind = values["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: cannot be read as the configuration of an encoder ({error})") from error
    if kind != "whisper" or values.get("activation_function", "gelu") != "gelu":
        raise ModelError(f"{path}: only encoders of Whisper are supported, got model_type {kind!r}")
    try:
        return EncoderConfig(
            width=int(values["d_model"]),
            layers=int(values["encoder_layers"]),
            heads=int(values["encoder_attention_heads"]),
            hidden=int(values["encoder_ffn_dim"]),
            bands=int(values["num_mel_bins"]),
            positions=int(values["max_source_positions"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: lacks a size of the encoder, or has one that is not a number: {error}") from error
