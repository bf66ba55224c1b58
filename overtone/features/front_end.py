"""Waveform -> all features that the networks take: the front end as one layer."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor, nn

from overtone.features.active_span import OUTSIDE, first_to_last, max_filter
from overtone.features.high_pass import HighPass
from overtone.features.loudness import Loudness, active_frames
from overtone.features.mel import LogMel
from overtone.features.pitch import Pitch
from overtone.features.speech_rate import SpeechRate
from overtone.features.tempo import Tempo


class Pretrained(NamedTuple):
    """Weights that were trained elsewhere and are part of an exported model.

    Attributes:
        name: of the network, such as "whisper-tiny.en".
        sha256: digest of the file of its weights.
        licence: of the weights.
        citation: of its publication.
    """

    name: str
    sha256: str
    licence: str
    citation: str


class ExtraFeature(NamedTuple):
    """A feature that only some branches need; their row in `overtone.models.branches.BRANCHES` names it.

    Attributes:
        build: returns the layer `(batch, samples)` -> `(batch, frames, ...)`, at any frame rate; it is not trained.
        padding: value of the frames after the end of a clip.
        hop_samples: distance between frames at 16 kHz; None if frames do not correspond to times, such as a single one
            per clip.
        code: files and folders of the package that compute it, beyond `features`: a change of any invalidates cached
            values.
        pretrained: the pretrained weights that it uses; None if it has none.
        max_samples: longest clip at 16 kHz that the exported layer takes; None for no limit.
    """

    build: Callable[[], nn.Module]
    padding: float = 0.0
    hop_samples: int | None = None
    code: tuple[str, ...] = ("models",)
    pretrained: Pretrained | None = None
    max_samples: int | None = None


class Features(NamedTuple):
    """The features of a batch of clips.

    Attributes:
        log_mel: natural log of mel power `(batch, frames, bands)`.
        pitch_hz: `(batch, frames)`, 0 where unvoiced.
        periodicity: `(batch, frames)` in [0, 1].
        loudness_db: dB re full scale `(batch, frames)`.
        tempo_bpm: beat tempo `(batch,)`.
        speech_rate_hz: syllable nuclei per second `(batch,)`.
        pause_ratio: share of silence within the speech `(batch,)`, in [0, 1].
        inside: True in frames of the clip, False in padding, bool `(batch, frames)`.
        extra: name of an `ExtraFeature` -> its values `(batch, frames, ...)`.
    """

    log_mel: Tensor
    pitch_hz: Tensor
    periodicity: Tensor
    loudness_db: Tensor
    tempo_bpm: Tensor
    speech_rate_hz: Tensor
    pause_ratio: Tensor
    inside: Tensor
    extra: Mapping[str, Tensor] = MappingProxyType({})

    def to(self, device: torch.device | str) -> "Features":
        """The same features on another device."""
        extra = {name: values.to(device) for name, values in self.extra.items()}
        shared = {name: values.to(device) for name, values in self._asdict().items() if name != "extra"}
        return Features(**shared, extra=extra)


class FrontEnd(nn.Module):
    """Waveform `(batch, samples)` at 16 kHz -> `Features`. It has no trained weights.

    Args:
        extra: name -> feature to compute beyond the shared ones; None for none.
    """

    def __init__(self, extra: Mapping[str, ExtraFeature] | None = None) -> None:
        super().__init__()
        self.high_pass = HighPass()
        self.log_mel = LogMel()
        self.pitch = Pitch()
        self.loudness = Loudness()
        self.tempo = Tempo()
        self.speech_rate = SpeechRate()
        self.extra = dict(extra or {})
        self.extra_layers = nn.ModuleDict({name: feature.build() for name, feature in self.extra.items()})

    def forward(self, waveform: Tensor) -> Features:
        """All features of clips of one length.

        Args:
            waveform: `(batch, samples)`.
        """
        # The mean first, as a constant offset that starts with the clip is a step, which no filter removes.
        waveform = self.high_pass(waveform - waveform.mean(-1, keepdim=True))
        log_mel = self.log_mel(waveform)
        loudness_db = self.loudness(waveform)
        pitch_hz, periodicity = self.pitch(waveform, loudness_db)
        speech_rate_hz, pause_ratio = self.speech_rate(loudness_db, pitch_hz)
        return Features(
            log_mel, pitch_hz, periodicity, loudness_db, self.tempo(log_mel), speech_rate_hz, pause_ratio,
            inside=torch.ones_like(loudness_db, dtype=torch.bool),
            extra={name: layer(waveform) for name, layer in self.extra_layers.items()},
        )  # fmt: skip


def speech_frames(features: Features, margin_frames: int) -> Tensor:
    """Frames from the first active one to the last, plus `margin_frames` on either side; bool `(batch, frames)`.

    Silence around the speech carries no emotion and differs between recordings, so networks ignore it.
    """
    active = active_frames(features.loudness_db.masked_fill(~features.inside, OUTSIDE)).to(torch.float32)
    return first_to_last(max_filter(active, margin_frames, margin_frames) > 0) & features.inside
