"""The properties of speech that an explanation makes average, each in two independent ways, as a registry.

A change that can be undone without loss needs no `undo`; of the others, the prediction for the clip that was changed
and changed back shows how much the processing alone changes it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from overtone.datatypes import Float32Array, FloatArray
from overtone.inference.explaining.average_speech import AverageSpeech
from overtone.inference.explaining.loudness_changes import flatten_loudness
from overtone.inference.explaining.pitch_changes import flat_contour, move_periods, warp_pitch
from overtone.inference.explaining.stretching import overlap_stretch, vocoder_stretch
from overtone.inference.explaining.voice_quality_changes import equalise, tilt

MIN_VOICED_FRAMES = 6  # 0.1 s: a vowel
MIN_FACTOR, MAX_FACTOR = 0.6, 1.6  # of the duration; beyond these, artefacts are loud
SYLLABLE_S, PHRASE_S = 0.06, 0.4  # windows of the level


@dataclass(frozen=True)
class MeasuredClip:
    """A clip and what the model measured in it.

    Attributes:
        samples: float32 `(samples,)`.
        pitch_hz: `(frames,)`, 0 in unvoiced frames.
        hop_samples: distance between the frames.
        speech_rate_hz: syllables per second; NaN if it cannot be measured.
        average: the average speech.
    """

    samples: Float32Array
    pitch_hz: FloatArray
    hop_samples: int
    speech_rate_hz: float
    average: AverageSpeech

    @property
    def duration_factor(self) -> float:
        """How many times as long the clip is at the average speech rate."""
        return float(np.clip(self.speech_rate_hz / self.average.speech_rate_hz, MIN_FACTOR, MAX_FACTOR))


@dataclass(frozen=True)
class Change:
    """A way to make a property average.

    Attributes:
        apply: returns the changed clip.
        undo: returns the clip from the changed one; None if that is possible without loss.
    """

    apply: Callable[[MeasuredClip], Float32Array]
    undo: Callable[[MeasuredClip, Float32Array], Float32Array] | None = None


@dataclass(frozen=True)
class Property:
    """A row of the registry.

    Attributes:
        name: for people.
        changes: at least two ways to make it average.
        is_measurable: whether a clip has it.
    """

    name: str
    changes: tuple[Change, ...]
    is_measurable: Callable[[MeasuredClip], bool] = lambda clip: True


def _is_voiced(clip: MeasuredClip) -> bool:
    return int((clip.pitch_hz > 0).sum()) >= MIN_VOICED_FRAMES


def _has_rate(clip: MeasuredClip) -> bool:
    return bool(clip.speech_rate_hz > 0)


def _pitch_change(change: Callable[[FloatArray, FloatArray, FloatArray, int], Float32Array]) -> Change:
    def apply(clip: MeasuredClip) -> Float32Array:
        return change(clip.samples, clip.pitch_hz, flat_contour(clip.pitch_hz), clip.hop_samples)

    def undo(clip: MeasuredClip, changed: Float32Array) -> Float32Array:
        return change(changed, flat_contour(clip.pitch_hz), clip.pitch_hz, clip.hop_samples)

    return Change(apply, undo)


def _tempo_change(stretch: Callable[[FloatArray, float], Float32Array]) -> Change:
    def apply(clip: MeasuredClip) -> Float32Array:
        return stretch(clip.samples, clip.duration_factor)

    def undo(clip: MeasuredClip, changed: Float32Array) -> Float32Array:
        return stretch(changed, 1 / clip.duration_factor)

    return Change(apply, undo)


PROPERTIES = (
    Property("pitch", (_pitch_change(move_periods), _pitch_change(warp_pitch)), _is_voiced),
    Property(
        "loudness",
        (
            Change(lambda clip: flatten_loudness(clip.samples, SYLLABLE_S)),
            Change(lambda clip: flatten_loudness(clip.samples, PHRASE_S)),
        ),
    ),
    Property("tempo", (_tempo_change(overlap_stretch), _tempo_change(vocoder_stretch)), _has_rate),
    Property(
        "voice quality",
        (
            Change(lambda clip: equalise(clip.samples, clip.average.spectrum_db)),
            Change(lambda clip: tilt(clip.samples, clip.average.spectrum_db)),
        ),
    ),
)
