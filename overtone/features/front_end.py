"""Waveform -> everything the networks hear: the whole front end as one layer."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from overtone.features.active_span import OUTSIDE, first_to_last, max_filter
from overtone.features.loudness import Loudness, active_frames
from overtone.features.mel import LogMel
from overtone.features.pitch import Pitch
from overtone.features.speech_rate import SpeechRate
from overtone.features.tempo import Tempo


class Features(NamedTuple):
    """What the front end measures of a batch of clips.

    Attributes:
        log_mel: natural log of mel power `(batch, frames, bands)`.
        pitch_hz: `(batch, frames)`, 0 where unvoiced.
        periodicity: `(batch, frames)` in [0, 1].
        loudness_db: dB re full scale `(batch, frames)`.
        tempo_bpm: beat tempo `(batch,)`.
        speech_rate_hz: syllable nuclei per second `(batch,)`.
        pause_ratio: share of silence within the speech `(batch,)`, in [0, 1].
        inside: frames that belong to the clip, not to the padding, bool `(batch, frames)`.
    """

    log_mel: Tensor
    pitch_hz: Tensor
    periodicity: Tensor
    loudness_db: Tensor
    tempo_bpm: Tensor
    speech_rate_hz: Tensor
    pause_ratio: Tensor
    inside: Tensor

    def to(self, device: torch.device | str) -> "Features":
        """The same features on another device."""
        return Features(*(values.to(device) for values in self))


class FrontEnd(nn.Module):
    """Waveform `(batch, samples)` at 16 kHz -> `Features`. Nothing in it is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.log_mel = LogMel()
        self.pitch = Pitch()
        self.loudness = Loudness()
        self.tempo = Tempo()
        self.speech_rate = SpeechRate()

    def forward(self, waveform: Tensor) -> Features:
        """All features of clips of one length.

        Args:
            waveform: `(batch, samples)`.
        """
        waveform = waveform - waveform.mean(-1, keepdim=True)  # an offset is no sound, and its edges would be loud
        log_mel = self.log_mel(waveform)
        loudness_db = self.loudness(waveform)
        pitch_hz, periodicity = self.pitch(waveform, loudness_db)
        speech_rate_hz, pause_ratio = self.speech_rate(loudness_db, pitch_hz)
        return Features(
            log_mel, pitch_hz, periodicity, loudness_db, self.tempo(log_mel), speech_rate_hz, pause_ratio,
            inside=torch.ones_like(loudness_db, dtype=torch.bool),
        )  # fmt: skip


def speech_frames(features: Features, margin_frames: int) -> Tensor:
    """Frames from the first active one to the last, `margin_frames` wider on either side; bool `(batch, frames)`.

    Silence around the speech says nothing of the emotion, and recordings differ in it: networks look only here.
    """
    active = active_frames(features.loudness_db.masked_fill(~features.inside, OUTSIDE)).to(torch.float32)
    return first_to_last(max_filter(active, margin_frames, margin_frames) > 0) & features.inside
