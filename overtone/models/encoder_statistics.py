"""Waveform -> statistics of the hidden states of a pretrained speech encoder: an extra feature of the front end.

The encoder is frozen, so the statistics are computed once and cached. They are the mean and the standard deviation over
time of the middle layers, which carry emotion best; the last layer serves transcription.
"""

import math
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from overtone._internal.fingerprint import file_digest
from overtone.features.active_span import batch_span, max_filter
from overtone.features.front_end import ExtraFeature, Pretrained
from overtone.features.loudness import Loudness, active_frames
from overtone.features.spectrum import hops
from overtone.features.whisper_mel import HOP_SAMPLES as ENCODER_HOP_SAMPLES
from overtone.features.whisper_mel import WhisperLogMel
from overtone.models.encoder_files import CONFIG_FILE, WEIGHTS_FILE, EncoderConfig, find_encoder, terms
from overtone.models.pooling import masked_moments
from overtone.models.whisper_encoder import WhisperEncoder, load_encoder, read_config

FEATURE = "encoder"  # name of the extra feature
MARGIN_FRAMES = 4  # of the front end, left around the speech: 64 ms
# The code that computes the statistics, beyond the front end.
CODE = ("models/encoder_statistics.py", "models/pooling.py", "models/whisper_encoder.py")


def middle_layers(layers: int) -> range:
    """Positions of the layers whose states are used: from the middle to the last but one."""
    return range(max(0, layers // 2 - 1), max(1, layers - 1))


def longest_clip(config: EncoderConfig) -> int:
    """Number of samples that an encoder of these sizes takes at once."""
    return 2 * ENCODER_HOP_SAMPLES * config.positions


def statistics_size(config: EncoderConfig) -> int:
    """Number of statistics per clip of an encoder of these sizes."""
    return 2 * len(middle_layers(config.layers)) * config.width


class EncoderStatistics(nn.Module):
    """Waveform -> mean and standard deviation over time of the middle layers of an encoder; without silence around it.

    Args:
        encoder: its parameters are frozen, and rounded to float16 so that an export can store them in half the space.

    Attributes:
        values: number of statistics per clip.
        max_samples: longest clip that the encoder takes at once.
    """

    def __init__(self, encoder: WhisperEncoder) -> None:
        super().__init__()
        layers = middle_layers(encoder.config.layers)
        del encoder.layers[layers.stop :]
        self.first = layers.start
        self.values = statistics_size(encoder.config)
        self.max_samples = longest_clip(encoder.config)
        self.loudness = Loudness()
        self.log_mel = WhisperLogMel(encoder.config.bands)
        self.encoder = freeze(encoder)

    def forward(self, waveform: Tensor) -> Tensor:
        """Statistics `(batch, 1, values)`; of clips of more than `max_samples`, the mean over equal parts of the clip.

        Args:
            waveform: `(batch, samples)` at 16 kHz, of mean 0.
        """
        # Each clip alone: as in the exported graph, and without padding.
        return torch.stack([self._clip(clip[None]) for clip in waveform.split(1)])

    def _clip(self, waveform: Tensor) -> Tensor:
        speech = self._speech(waveform[0])
        if torch.compiler.is_exporting():  # a longer clip is refused by the graph: inference splits it beforehand
            return self._statistics(speech)
        parts = math.ceil(speech.shape[1] / self.max_samples)
        return torch.stack([self._statistics(part) for part in speech.tensor_split(parts, dim=1)]).mean(0)

    def _speech(self, waveform: Tensor) -> Tensor:
        """The samples of a clip `(1, samples)` from its first active frame to its last, with a margin."""
        active = active_frames(self.loudness(waveform)).to(torch.float32)
        positions = batch_span(max_filter(active, MARGIN_FRAMES, MARGIN_FRAMES) > 0)
        frames = hops(waveform)[:, 2:-1]  # without the silence that it adds at both ends
        return frames.index_select(1, positions).flatten(1)

    def _statistics(self, speech: Tensor) -> Tensor:
        """Statistics `(1, values)` of a waveform `(1, samples)`."""
        states = self.encoder(self.log_mel(speech))
        moments = [masked_moments(layer.transpose(1, 2), None) for layer in states[self.first :]]
        return torch.cat([value for pair in moments for value in pair], dim=-1)


def freeze(module: nn.Module) -> nn.Module:
    """Make the parameters of a module constants: not trained, not stored with the weights of the model, in float16.

    Each keeps the nearest float16 number, as float32: an export then stores it in half the space without any change.
    """
    for part in module.modules():
        for name, parameter in list(part.named_parameters(recurse=False)):
            delattr(part, name)
            part.register_buffer(name, parameter.detach().half().float(), persistent=False)
    return module


def statistics_feature(name: str) -> dict[str, ExtraFeature]:
    """The extra feature of the branch with this encoder.

    Args:
        name: of an encoder, as `find_encoder` takes it.

    Raises:
        OptionError: there is no such encoder.
        ModelError: its folder is damaged, or of another architecture.
    """
    folder = find_encoder(name)
    digest = file_digest(folder / WEIGHTS_FILE)
    pretrained = Pretrained(folder.name if "/" in name else name, digest, *terms(name))
    max_samples = longest_clip(read_config(folder / CONFIG_FILE))
    return {FEATURE: ExtraFeature(partial(_load, folder), code=CODE, pretrained=pretrained, max_samples=max_samples)}


def _load(folder: Path) -> EncoderStatistics:
    return EncoderStatistics(load_encoder(folder))
