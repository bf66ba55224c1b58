"""Estimates of the true shares of the emotions in a timeline, from the error rates in the card of its model."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from overtone.datatypes import Prediction
from overtone.inference.model_card import read_error_rates
from overtone.inference.onnx_model import OnnxModel
from overtone.shares import MAX_CLASSES, ErrorRates, ShareEstimate, ShareEstimator, effective_segments, mix
from overtone.speaker_summary import Spoken
from overtone.timeline import Timeline

NO_ERROR_RATES = "the model card has no error rates on recordings that the model was not trained on"
SELECTION = "the error rates in the model card are those of all its classes and branches, of which some were chosen"
TOO_MANY_CLASSES = f"the model has more than {MAX_CLASSES} classes"
UNKNOWN_PART = "the model card has no error rates of {} predictions"
FUSION, ADAPTED = "fusion", "adapted"


def with_estimates(timeline: Timeline, model: OnnxModel) -> Timeline:
    """The same timeline with estimated shares for each of its speakers and for the recording, or the reason for none.

    Predictions that are adapted to reference clips, or to other windows of the recording, have other error rates than
    the rest; a speaker with both kinds has a mixture of them.

    Args:
        timeline: of this model.
        model: the model.
    """
    rates = read_error_rates(model.card, str(model.path))
    groups = [*map(timeline.spoken, timeline.speaker_names), timeline.spoken()]
    reason = _reason_for_none(rates, groups[-1], model)
    if reason:
        return replace(timeline, share_estimates=(), no_estimates=reason)
    estimators: dict[float, tuple[ErrorRates, ShareEstimator]] = {}
    estimates = tuple(_estimate(spoken, rates, estimators) for spoken in groups)
    return replace(timeline, share_estimates=estimates, no_estimates="")


def _reason_for_none(rates: dict[str, ErrorRates], spoken: Sequence[Spoken], model: OnnxModel) -> str:
    if not rates:
        return NO_ERROR_RATES
    if model.selection is not None:
        return SELECTION
    if len(model.emotions) > MAX_CLASSES:
        return TOO_MANY_CLASSES
    used = {ADAPTED if item.reference_clips else FUSION for item in _predictions(spoken)}
    unknown = [part for part in (FUSION, ADAPTED) if part in used and part not in rates]
    return UNKNOWN_PART.format("adapted" if unknown[0] == ADAPTED else "unadapted") if unknown else ""


def _estimate(
    spoken: Sequence[Spoken], rates: dict[str, ErrorRates], estimators: dict[float, tuple[ErrorRates, ShareEstimator]]
) -> tuple[ShareEstimate, ...]:
    """The estimates for some segments, none without speech; `estimators` is a cache by the share that is adapted."""
    predictions = _predictions(spoken)
    if not predictions:
        return ()
    durations_s = np.array([part.duration_s for part in spoken if part.prediction is not None])
    weights = durations_s / durations_s.sum()
    adapted = round(float(weights[[item.reference_clips > 0 for item in predictions]].sum()), 2)
    if adapted not in estimators:
        mixed = mix(rates.get(ADAPTED) or rates[FUSION], rates.get(FUSION) or rates[ADAPTED], adapted)
        estimators[adapted] = mixed, ShareEstimator(mixed.rates)
    mixed, estimator = estimators[adapted]
    observed = np.zeros(mixed.rates.shape[1])
    np.add.at(observed, [int(item.probabilities.argmax()) for item in predictions], weights)
    return estimator.estimate(observed, mixed.independent_segments(effective_segments(durations_s.tolist())))


def _predictions(spoken: Sequence[Spoken]) -> list[Prediction]:
    return [part.prediction for part in spoken if part.prediction is not None]
