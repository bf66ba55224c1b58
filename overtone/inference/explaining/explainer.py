"""Runs a model on changed copies of a clip, and computes the contribution of each of its parts."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from overtone._internal.tensor_names import Outputs
from overtone.datatypes import SAMPLE_RATE_HZ, BoolArray, Float32Array, FloatArray, Prediction, Waveform
from overtone.explanation import BandContribution, Explanation, PropertyContribution, SpanContribution
from overtone.inference.explaining.average_speech import average_speech
from overtone.inference.explaining.band_changes import (
    BAND_EDGES_HZ,
    BANDS,
    WINDOW_BANDS,
    BandReplacement,
    measure_levels_db,
)
from overtone.inference.explaining.speech_properties import PROPERTIES, MeasuredClip, Property
from overtone.inference.explaining.time_spans import WINDOW_CELLS, SpanReplacement, share_among_cells, window_masks
from overtone.inference.onnx_model import OnnxModel
from overtone.inference.pitch_track import HOP_SAMPLES, track_pitch

MIN_PROBABILITY = 1e-6  # so that log-odds are finite


class ClipProbe:
    """Runs a model on changed copies of a clip.

    Args:
        model: the model.
        waveform: the clip.
        emotion: the class whose log-odds are measured.

    Attributes:
        runs: number of runs so far.
    """

    def __init__(self, model: OnnxModel, waveform: Waveform, emotion: str) -> None:
        self._model, self._waveform, self._index = model, waveform, model.emotions.index(emotion)
        self.runs = 0

    def outputs(self, samples: FloatArray) -> Outputs:
        """Return the outputs of the model for samples `(samples,)`.

        Raises:
            ModelError: the model fails on them.
        """
        self.runs += 1
        return self._model.run(replace(self._waveform, samples=samples.astype(np.float32, copy=False)))

    def log_odds(self, samples: FloatArray) -> float:
        """Return the log-odds of the class for samples `(samples,)`; raises as `outputs`."""
        return log_odds(float(self._model.probabilities(self.outputs(samples))[0][self._index]))


class _Values(NamedTuple):
    """A value for each part: mean, minimum and maximum over the replacements, and the probability without the part."""

    value: list[float]
    low: list[float]
    high: list[float]
    probability: list[float]


def log_odds(probability: float) -> float:
    """Return ln(p / (1 - p)) of a probability, which is limited to [1e-6, 1 - 1e-6]."""
    limited = min(max(probability, MIN_PROBABILITY), 1 - MIN_PROBABILITY)
    return float(np.log(limited / (1 - limited)))


def explain_clip(
    model: OnnxModel,
    waveform: Waveform,
    prediction: Prediction,
    emotion: str | None = None,
    *,
    start_s: float = 0.0,
    seed: int = 0,
    properties: Sequence[Property] = PROPERTIES,
) -> Explanation:
    """Return the explanation of the prediction for one clip.

    Args:
        model: the model.
        waveform: the clip, which the model takes at once.
        prediction: of the model for it.
        emotion: the class to explain, one of the model's; None for the predicted one.
        start_s: start of the clip in its recording.
        seed: of the noise that replaces parts.
        properties: of the speech, that are changed.

    Raises:
        ModelError: the model fails on the clip.
    """
    emotion, end_s = emotion or prediction.emotion, start_s + waveform.duration_s
    probability = float(prediction.probabilities[prediction.emotions.index(emotion)])
    explanation = Explanation(emotion, probability, prediction, start_s, end_s)
    if prediction.speech_s == 0:
        return explanation
    probe, rng = ClipProbe(model, waveform, emotion), np.random.default_rng(seed)
    base = log_odds(probability)
    samples = waveform.samples
    spans, bands = SpanReplacement(samples, rng), BandReplacement(samples, rng)
    return replace(
        explanation,
        spans=_explain_spans(probe, spans, base, start_s),
        bands=_explain_bands(probe, bands, base),
        properties=_explain_properties(probe, properties, _measure(probe, samples), base),
        levels_db=measure_levels_db(samples),
        model_runs=probe.runs,
    )


def _explain_spans(
    probe: ClipProbe, spans: SpanReplacement, base: float, start_s: float
) -> tuple[SpanContribution, ...]:
    found = contributions(
        probe, (spans.with_background, spans.with_transition), len(spans.edges) - 1, WINDOW_CELLS, base
    )
    edges_s = (start_s + spans.edges / SAMPLE_RATE_HZ).tolist()
    return tuple(map(SpanContribution, *found, edges_s[:-1], edges_s[1:]))


def _explain_bands(probe: ClipProbe, bands: BandReplacement, base: float) -> tuple[BandContribution, ...]:
    found = contributions(probe, (bands.removed, bands.filled), BANDS, WINDOW_BANDS, base)
    return tuple(map(BandContribution, *found, BAND_EDGES_HZ[:-1], BAND_EDGES_HZ[1:]))


def contributions(
    probe: ClipProbe,
    replacements: Sequence[Callable[[BoolArray], Float32Array]],
    cells: int,
    window_cells: int,
    base: float,
) -> _Values:
    """Return the contribution of each cell, the means over all windows that contain it.

    Args:
        probe: runs the model.
        replacements: ways to replace the chosen cells of the clip.
        cells: number of cells.
        window_cells: number of cells that are replaced together.
        base: log-odds of the class for the clip.
    """
    masks = window_masks(cells, window_cells)
    falls = np.array([[base - probe.log_odds(change(mask)) for mask in masks] for change in replacements])
    each = np.array([share_among_cells(masks, values) for values in falls])
    without = np.array([share_among_cells(masks, values * np.sum(masks, axis=1)) for values in falls]).mean(0)
    columns = (each.mean(0), each.min(0), each.max(0), _to_probability(base - without))
    return _Values(*(column.tolist() for column in columns))


def _measure(probe: ClipProbe, samples: Float32Array) -> MeasuredClip:
    pitch_hz = track_pitch(samples, len(samples) // HOP_SAMPLES + 1)
    rate_hz = float(probe.outputs(samples)["speech_rate_hz"].reshape(-1)[0])
    return MeasuredClip(samples, pitch_hz, HOP_SAMPLES, rate_hz, average_speech())


def _explain_properties(
    probe: ClipProbe, properties: Sequence[Property], clip: MeasuredClip, base: float
) -> tuple[PropertyContribution, ...]:
    measurable = [row for row in properties if row.is_measurable(clip)]
    return tuple(_explain_property(probe, row, clip, base) for row in measurable)


def _explain_property(probe: ClipProbe, row: Property, clip: MeasuredClip, base: float) -> PropertyContribution:
    falls, artefacts = [], [0.0]
    for change in row.changes:
        changed = change.apply(clip)
        falls.append(base - probe.log_odds(_as_loud(changed, clip.samples)))
        if change.undo is not None:
            restored = change.undo(clip, changed)
            artefacts.append(abs(base - probe.log_odds(_as_loud(restored, clip.samples))))
    value = float(np.mean(falls))
    return PropertyContribution(
        value, min(falls), max(falls), float(_to_probability(base - value)), name=row.name, artefact=max(artefacts)
    )


def _as_loud(samples: FloatArray, model: FloatArray) -> FloatArray:
    """Return the samples with the mean power of another clip: the level of a clip is no property of the speech."""
    power = max(float((samples.astype(float) ** 2).mean()), 1e-20)
    scaled: FloatArray = samples * np.sqrt((model.astype(float) ** 2).mean() / power)
    return scaled


def _to_probability(value: FloatArray | float) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-np.asarray(value))))
