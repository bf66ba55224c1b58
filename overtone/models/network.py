"""Waveform -> answer: front end, both branches and their fusion as one network."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from overtone.features.front_end import Features, FrontEnd
from overtone.models.fusion import LateFusion
from overtone.recipe import PARTS, Recipe

Inputs = dict[str, tuple[Tensor, ...]]


class Outputs(NamedTuple):
    """What the exported graph gives, under these names.

    Attributes:
        probabilities: the fused answer `(batch, emotions)`.
        mel_probabilities: the answer of the mel branch `(batch, emotions)`.
        prosody_probabilities: the answer of the prosody branch `(batch, emotions)`.
        pitch_hz: pitch track `(batch, frames)`, 0 where unvoiced.
        loudness_db: loudness track `(batch, frames)`, dB re full scale.
        tempo_bpm: beat tempo `(batch,)`.
        speech_rate_hz: syllable nuclei per second `(batch,)`.
        pause_ratio: share of silence within the speech `(batch,)`.
    """

    probabilities: Tensor
    mel_probabilities: Tensor
    prosody_probabilities: Tensor
    pitch_hz: Tensor
    loudness_db: Tensor
    tempo_bpm: Tensor
    speech_rate_hz: Tensor
    pause_ratio: Tensor


class Network(nn.Module):
    """The whole way from waveform to probabilities.

    Args:
        mel: the branch that hears the mel picture.
        prosody: the branch that hears pitch, loudness and tempo.
        emotions: number of classes.
        recipe: for the fusion's dropout.
    """

    temperature: Tensor
    mel: Any  # branches, as the docstring of `overtone.models` describes them
    prosody: Any

    def __init__(self, mel: Any, prosody: Any, emotions: int, recipe: Recipe) -> None:
        super().__init__()
        self.front_end = FrontEnd()
        self.mel = mel
        self.prosody = prosody
        self.fusion = LateFusion(mel.embedding, prosody.embedding, emotions, recipe.dropout)
        # What the logits of each part are divided by, so that probabilities mean what they say; set after training.
        self.register_buffer("temperature", torch.ones(len(PARTS)))
        self.precision = torch.bfloat16 if recipe.precision == "bfloat16" else torch.float32

    def fit_normalisers(self, training: dict[str, list[Features]]) -> None:
        """Takes what each branch needs to know of its training clips (mean and scale), before the first step."""
        self.mel.fit(training["mel"])
        self.prosody.fit(training["prosody"])

    def inputs(self, features: Features) -> Inputs:
        """What each branch hears, normalised; training varies and mixes it. Bool tensors are masks."""
        return {"mel": self.mel.inputs(features), "prosody": self.prosody.inputs(features)}

    def logits(self, inputs: Inputs) -> dict[str, Tensor]:
        """Logits of each part `(batch, emotions)`.

        The fusion sends no gradient into the branches: they stay honest answers of their own.
        """
        reduced = self.training and self.precision is torch.bfloat16
        with torch.autocast(inputs["mel"][0].device.type, torch.bfloat16, enabled=reduced):
            mel_embedding, mel = self.mel(*inputs["mel"])
        prosody_embedding, prosody = self.prosody(*inputs["prosody"])
        fusion = self.fusion(mel_embedding.float().detach(), prosody_embedding.detach())
        return {"mel": mel.float(), "prosody": prosody, "fusion": fusion}

    def probabilities(self, logits: dict[str, Tensor]) -> dict[str, Tensor]:
        """Calibrated probabilities of each part `(batch, emotions)`."""
        return {part: (logits[part] / self.temperature[k]).softmax(-1) for k, part in enumerate(PARTS)}

    def forward(self, waveform: Tensor) -> Outputs:
        """The exported graph.

        Args:
            waveform: float32 `(batch, samples)` at 16 kHz.
        """
        features = self.front_end(waveform)
        probabilities = self.probabilities(self.logits(self.inputs(features)))
        return Outputs(
            probabilities["fusion"],
            probabilities["mel"],
            probabilities["prosody"],
            features.pitch_hz,
            features.loudness_db,
            features.tempo_bpm,
            features.speech_rate_hz,
            features.pause_ratio,
        )
