"""Encoder branch: statistics of the hidden states of a pretrained speech encoder -> embedding and logits, by an MLP."""

from torch import Tensor

from overtone.features.front_end import Features
from overtone.models.encoder_files import CONFIG_FILE, find_encoder
from overtone.models.encoder_statistics import FEATURE, statistics_size
from overtone.models.statistics_mlp import StatisticsMlp
from overtone.models.whisper_encoder import read_config

DEFAULT_ENCODER = "whisper-tiny.en"


class EncoderMlp(StatisticsMlp):
    """Statistics of the states of an encoder -> embedding and logits; see `StatisticsMlp`.

    Args:
        name: of the encoder, as `find_encoder` takes it.
        emotions: number of classes.
        dropout: probability of dropping a statistic, and a unit before the last layer.
        values: number of statistics of the encoder; None to read its configuration.
    """

    def __init__(self, name: str, emotions: int, dropout: float, values: int | None = None) -> None:
        if values is None:
            values = statistics_size(read_config(find_encoder(name) / CONFIG_FILE))
        super().__init__(values, emotions, dropout)

    def statistics(self, features: Features) -> Tensor:
        """Mean and standard deviation of the states of each clip, `(batch, values)`."""
        return features.extra[FEATURE][:, 0]
