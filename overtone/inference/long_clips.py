"""Clips that are longer than a model takes at once: the outputs of equal parts of the clip, combined."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from overtone._internal import tensor_names
from overtone._internal.tensor_names import Outputs
from overtone.datatypes import Float32Array, Waveform


def run_parts(run: Callable[[Waveform], Outputs], waveform: Waveform, max_samples: int, hop_samples: int) -> Outputs:
    """The outputs of a model for a clip of any length.

    Tracks are joined; all other outputs are averaged, those that could not be measured in a part without it.

    Args:
        run: the outputs of the model for a clip of at most `max_samples`, each with a batch of one.
        waveform: the clip.
        max_samples: longest clip that `run` takes.
        hop_samples: distance between the frames of tracks; parts start at whole frames.
    """
    samples = waveform.samples
    longest = max_samples // hop_samples * hop_samples
    parts = math.ceil(len(samples) / longest)
    length = math.ceil(len(samples) / parts / hop_samples) * hop_samples
    outputs = [
        run(replace(waveform, samples=samples[first : first + length])) for first in range(0, len(samples), length)
    ]
    return {name: _combine(name, [part[name] for part in outputs], length // hop_samples) for name in outputs[0]}


def _combine(name: str, values: list[Float32Array], frames: int) -> Float32Array:
    """One output of all parts; tracks without the frame at the end of a part, which is the first of the next one."""
    if name in tensor_names.TRACKS:
        return np.concatenate([*(track[:, :frames] for track in values[:-1]), values[-1]], axis=1)
    stacked = np.stack(values)
    measured = np.isfinite(stacked)
    total = np.where(measured, stacked, 0).sum(0, dtype=float)
    with np.errstate(invalid="ignore"):
        mean: Float32Array = (total / measured.sum(0)).astype(np.float32)
    return mean
