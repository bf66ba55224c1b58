"""Waveform -> answer: front end, both branches and their fusion as one network."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from overtone.features.front_end import Features, FrontEnd
from overtone.models.fusion import LateFusion
from overtone.models.speaker_adapter import SpeakerAdapter, clip_statistics
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


class AdaptableOutputs(NamedTuple):
    """What the graph of a model with an adapter gives: `Outputs`, and two more under these names.

    Attributes:
        outputs: as of any model.
        voice: what the speaker's usual is taken of `(batch, values)`.
        adapted_probabilities: the answer of the adapter `(batch, emotions)`.
    """

    outputs: Outputs
    voice: Tensor
    adapted_probabilities: Tensor


class Model(nn.Module):
    """The whole way from waveform to probabilities: what is exported.

    Who derives from it says what hears and answers: `inputs` and `answers`.

    Attributes:
        adapter: what answers when the speaker is known; None where there is none.
    """

    temperature: Tensor
    adapter: SpeakerAdapter | None

    def __init__(self) -> None:
        super().__init__()
        self.front_end = FrontEnd()
        self.adapter = None
        # What the logits of each part are divided by, so that probabilities mean what they say; set after training.
        self.register_buffer("temperature", torch.ones(len(PARTS)))

    def inputs(self, features: Features) -> Inputs:
        """What each branch hears, normalised; training varies and mixes it. Bool tensors are masks."""
        raise NotImplementedError

    def logits_and_embedding(self, inputs: Inputs) -> tuple[dict[str, Tensor], Tensor]:
        """Logits of each part `(batch, emotions)`, and the embeddings of the clips `(batch, values)`."""
        raise NotImplementedError

    def logits(self, inputs: Inputs) -> dict[str, Tensor]:
        """Logits of each part `(batch, emotions)`."""
        return self.logits_and_embedding(inputs)[0]

    def probabilities(self, logits: dict[str, Tensor]) -> dict[str, Tensor]:
        """Calibrated probabilities of each part `(batch, emotions)`."""
        return {part: (logits[part] / self.temperature[k]).softmax(-1) for k, part in enumerate(PARTS)}

    def speaker_features(self, features: Features, embedding: Tensor) -> Tensor:
        """What an adapter compares with what is usual for the speaker, `(batch, values)`."""
        return torch.cat([embedding, clip_statistics(features)], dim=-1)

    def forward(
        self, waveform: Tensor, usual: Tensor | None = None, usual_clips: Tensor | None = None
    ) -> Outputs | AdaptableOutputs:
        """The exported graph.

        Args:
            waveform: float32 `(batch, samples)` at 16 kHz.
            usual: mean and standard deviation of the speaker's voice `(2, values)`, for a model with an adapter.
            usual_clips: of how many clips `(1,)`; with 0 `usual` does not count.
        """
        features = self.front_end(waveform)
        logits, embedding = self.logits_and_embedding(self.inputs(features))
        probabilities = self.probabilities(logits)
        outputs = Outputs(
            probabilities["fusion"],
            probabilities["mel"],
            probabilities["prosody"],
            features.pitch_hz,
            features.loudness_db,
            features.tempo_bpm,
            features.speech_rate_hz,
            features.pause_ratio,
        )
        if self.adapter is None or usual is None or usual_clips is None:
            return outputs
        voice = self.speaker_features(features, embedding)
        return AdaptableOutputs(outputs, voice, self.adapter(voice, usual, usual_clips).softmax(-1))


class Network(Model):
    """Both branches and their fusion.

    Args:
        mel: the branch that hears the mel picture.
        prosody: the branch that hears pitch, loudness and tempo.
        emotions: number of classes.
        recipe: for the fusion's dropout.
    """

    mel: Any  # branches, as the docstring of `overtone.models` describes them
    prosody: Any

    def __init__(self, mel: Any, prosody: Any, emotions: int, recipe: Recipe) -> None:
        super().__init__()
        self.mel = mel
        self.prosody = prosody
        self.fusion = LateFusion(mel.embedding, prosody.embedding, emotions, recipe.dropout)
        self.precision = torch.bfloat16 if recipe.precision == "bfloat16" else torch.float32

    def fit_normalisers(self, training: dict[str, list[Features]]) -> None:
        """Takes what each branch needs to know of its training clips (mean and scale), before the first step."""
        self.mel.fit(training["mel"])
        self.prosody.fit(training["prosody"])

    @torch.no_grad()
    def round_to_float16(self) -> None:
        """Takes each weight to the nearest number that half precision knows, so that a file of half the size holds it.

        Done before anything is measured: what is tested, calibrated and exported is the very same network.
        """
        for weight in self.parameters():
            weight.copy_(weight.half().float())

    def inputs(self, features: Features) -> Inputs:
        """What each branch hears, normalised."""
        return {"mel": self.mel.inputs(features), "prosody": self.prosody.inputs(features)}

    def answers(self, inputs: Inputs) -> tuple[dict[str, Tensor], Tensor]:
        """Logits of each part, and both embeddings side by side.

        The fusion sends no gradient into the branches: they stay honest answers of their own.
        """
        reduced = self.training and self.precision is torch.bfloat16
        with torch.autocast(inputs["mel"][0].device.type, torch.bfloat16, enabled=reduced):
            mel_embedding, mel = self.mel(*inputs["mel"])
        prosody_embedding, prosody = self.prosody(*inputs["prosody"])
        fusion = self.fusion(mel_embedding.float().detach(), prosody_embedding.detach())
        embedding = torch.cat([mel_embedding.float(), prosody_embedding], dim=-1)
        return {"mel": mel.float(), "prosody": prosody, "fusion": fusion}, embedding
