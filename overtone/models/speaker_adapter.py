"""Speaker adapter: embeddings, normalised by the speaker's statistics -> logits."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from overtone.features.front_end import Features, speech_frames
from overtone.features.mel import BANDS
from overtone.models.pooling import masked_moments
from overtone.models.prosody_cnn import MARGIN_FRAMES, SUMMARIES, contours

STATISTICS = 2 * BANDS + SUMMARIES
MAX_DEVIATIONS = 6.0  # values beyond are outliers: a standard deviation of few clips is unreliable
# Number of the speaker's clips that count as much as the statistics of all training speakers (shrinkage).
PRIOR_CLIPS = 2.0
CLASSIFIER_WEIGHT = "adapter.classifier.weight"


def clip_statistics(features: Features) -> Tensor:
    """Level, spectrum and prosody of each clip before any normalisation, `(batch, STATISTICS)`.

    Mean and standard deviation of every mel band over the speech frames, and the summaries of the contours. Differences
    between speakers reflect voice, microphone and distance; differences within a speaker reflect emotion.

    Args:
        features: of the clips.
    """
    spoken = speech_frames(features, MARGIN_FRAMES)
    mean, deviation = masked_moments(features.log_mel.transpose(1, 2), spoken[:, None].to(features.log_mel.dtype))
    return torch.cat([mean, deviation, contours(features, spoken)[1]], dim=-1)


class SpeakerAdapter(nn.Module):
    """Speaker features, z-scored with the statistics of the speaker, through one linear layer.

    The speaker features of a clip `(batch, values)` are its embeddings and its `clip_statistics`; the statistics are
    their mean and standard deviation over unlabelled clips of the same speaker.

    Args:
        values: number of speaker features.
        emotions: number of classes.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, values: int, emotions: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(values))  # mean over the training speakers
        self.register_buffer("scale", torch.ones(values))
        self.classifier = nn.Linear(values, emotions)

    def normalise(self, speaker_features: Tensor, statistics: Tensor, reference_clips: Tensor) -> Tensor:
        """Speaker features in standard deviations from the speaker's mean, `(batch, values)`.

        Args:
            speaker_features: `(batch, values)`.
            statistics: mean and standard deviation over the speaker's clips, `(2, values)`.
            reference_clips: number of those clips, `(1,)`; with 0 the statistics of the training speakers apply.
        """
        weight = reference_clips / (reference_clips + PRIOR_CLIPS)
        mean = self.centre + weight * (statistics[0] - self.centre)
        deviation = self.scale + weight * (statistics[1] - self.scale)
        z = (speaker_features - mean) / (deviation + 0.05 * self.scale)
        return z.clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS)

    def example_statistics(self) -> Tensor:
        """Statistics of a made-up speaker, to check an exported graph with: `(2, values)`."""
        return torch.stack([1.1 * self.centre, 0.9 * self.scale])

    def forward(self, speaker_features: Tensor, statistics: Tensor, reference_clips: Tensor) -> Tensor:
        """Logits `(batch, emotions)`; arguments as in `normalise`."""
        return self.classifier(self.normalise(speaker_features, statistics, reference_clips))


@torch.no_grad()
def average_adapters(adapters: Sequence[SpeakerAdapter]) -> SpeakerAdapter:
    """One adapter for an ensemble, whose logits are the mean of the logits of the adapters of its networks.

    Args:
        adapters: one for each network, of equal shapes, in the order of the networks.
    """
    count = len(adapters)
    emotions, values = adapters[0].classifier.weight.shape
    width = values - STATISTICS  # embeddings of one network; the clip statistics are the same for all networks
    average = SpeakerAdapter(count * width + STATISTICS, emotions)
    average.classifier.bias.copy_(torch.stack([adapter.classifier.bias for adapter in adapters]).mean(0))
    for target, rows in (
        (average.centre, [adapter.centre for adapter in adapters]),
        (average.scale, [adapter.scale for adapter in adapters]),
        (average.classifier.weight, [adapter.classifier.weight for adapter in adapters]),
    ):
        shared = torch.stack([row[..., width:] for row in rows]).mean(0)
        target.copy_(torch.cat([*(row[..., :width] for row in rows), shared], dim=-1))
    average.classifier.weight[:, : count * width] /= count
    return average


def speaker_adapter_from_weights(weights: Mapping[str, Tensor]) -> SpeakerAdapter | None:
    """A new adapter with the shape of the one in the weights of a model; None if the model has none."""
    if CLASSIFIER_WEIGHT not in weights:
        return None
    emotions, values = weights[CLASSIFIER_WEIGHT].shape
    return SpeakerAdapter(values, emotions)
