"""Names of the inputs and outputs of an exported model: the one table that training, export and inference share.

Some names are older than the terms of this code base and stay, as long as model files carry them.
"""

from collections.abc import Iterable

from overtone.datatypes import Float32Array

Outputs = dict[str, Float32Array]
"""Outputs of the graph for one clip by name, each with a batch of one."""

WAVEFORM = "waveform"  # float32 (batch, samples) at 16 kHz
PROBABILITIES = "probabilities"  # of the fusion, (batch, emotions), rows summing to 1
LOUDNESS = "loudness_db"  # (batch, frames)
TRACKS = ("pitch_hz", LOUDNESS)  # (batch, frames); pitch is 0 in unvoiced frames
RATES = ("tempo_bpm", "speech_rate_hz", "pause_ratio")  # (batch,)

# Of a model with a speaker adapter:
SPEAKER_STATISTICS = "usual"  # input: mean and standard deviation of the speaker features, (2, values)
REFERENCE_CLIPS = "usual_clips"  # input: number of clips behind the statistics, (1,); 0 for an unknown speaker
SPEAKER_FEATURES = "voice"  # output: (batch, values)
ADAPTED_PROBABILITIES = "adapted_probabilities"  # output: of the adapter, (batch, emotions)

_SUFFIX = "_probabilities"


def branch_output(branch: str) -> str:
    """The name of the output that holds the probabilities of a branch, such as "mel_probabilities"."""
    return branch + _SUFFIX


def branches_among(outputs: Iterable[str]) -> tuple[str, ...]:
    """The branches whose probabilities are among these outputs, in their order."""
    names = [name for name in outputs if name.endswith(_SUFFIX) and name != ADAPTED_PROBABILITIES]
    return tuple(name.removesuffix(_SUFFIX) for name in names)
