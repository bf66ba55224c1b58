"""The model card: the metadata that is needed to use a model and to decide whether to trust it.

It is JSON in the metadata of the ONNX file under `CARD_KEY`; its required keys and their types are `KEY_TYPES`. The
export writes it, and `read_card` checks every key, so that the rest of the code may rely on it. Optional keys:

    uncertain_below    confidence below which a prediction is uncertain, in [0, 1]; if absent, 0
    max_samples        longest clip that the graph takes, at 16 kHz; if absent, there is no limit
    min_reference_clips  fewest reference clips that the model adapts to; if absent, 1
    pretrained         pretrained networks that are part of the model: name, sha256, licence, citation
    init_corpora       training corpora of the run that provided the initial weights
    teacher            recipe whose predictions are targets, their weight in them, and its pretrained networks
    robustness         scores under recording conditions, as returned by `overtone.evaluation.robustness`
    subgroups          scores by gender, intensity and sentence, as returned by `overtone.evaluation.subgroups`
    error_rates        how often each emotion is predicted where another one is true, on recordings that the model was
                       not trained on, as returned by `overtone.evaluation.error_rates`; `read_error_rates` reads it
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from overtone.datatypes import SAMPLE_RATE_HZ
from overtone.emotions import is_class_list
from overtone.errors import InputError, ModelError
from overtone.shares import ErrorRates

CARD_KEY = "overtone_card"
CARD_FORMAT = 2

KEY_TYPES: dict[str, type] = {
    "format": int,
    "id": str,
    "emotions": list,
    "sample_rate_hz": int,
    "min_samples": int,
    "hop_samples": int,
    "front_end": dict,
    "recipe": dict,
    "training_data": list,
    "licence": str,
    "scores": list,
    "scores_of": str,
    "versions": dict,
    "limits": str,
}


def read_card(metadata: Mapping[str, str], source: str) -> dict[str, Any]:
    """The card of a model file.

    Args:
        metadata: the metadata of the ONNX file.
        source: its name, for messages.

    Raises:
        ModelError: no card, not JSON, of another format, or with a key missing or of the wrong type.
    """
    if CARD_KEY not in metadata:
        raise ModelError(f"{source}: an ONNX file, but not a model of Overtone: it has no card '{CARD_KEY}'")
    try:
        card = json.loads(metadata[CARD_KEY])
    except ValueError as error:
        raise ModelError(f"{source}: its card is damaged ({error}); copy or export the model again") from error
    if not isinstance(card, dict):
        raise ModelError(f"{source}: its card is not a JSON object; export the model again")
    if card.get("format") != CARD_FORMAT:
        raise ModelError(
            f"{source}: its card has format {card.get('format')!r}, and this version of Overtone reads format "
            f"{CARD_FORMAT}; export the model again with this version, or install the version that wrote it"
        )
    for key, kind in KEY_TYPES.items():
        if not isinstance(card.get(key), kind):
            raise ModelError(f"{source}: its card lacks '{key}' of type {kind.__name__}; export the model again")
    _check_values(card, source)
    return card


def _check_values(card: dict[str, Any], source: str) -> None:
    if not is_class_list(card["emotions"]):
        raise ModelError(
            f"{source}: the emotions {card['emotions']} in its card are not a list of different classes with the known "
            "emotions first, in their order; export the model again"
        )
    if card["sample_rate_hz"] != SAMPLE_RATE_HZ:
        raise ModelError(
            f"{source}: made for {card['sample_rate_hz']} Hz; this version of Overtone works at {SAMPLE_RATE_HZ} Hz"
        )
    if card["min_samples"] < 1 or card["hop_samples"] < 1:
        raise ModelError(f"{source}: its card has min_samples or hop_samples below 1; export the model again")
    if not isinstance(card["recipe"].get("branches"), dict):
        raise ModelError(f"{source}: 'branches' of the recipe in its card is not an object; export the model again")
    threshold = card.get("uncertain_below", 0)
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise ModelError(f"{source}: its card has uncertain_below {threshold!r}, not in [0, 1]; export the model again")
    longest = card.get("max_samples", card["min_samples"])
    if not isinstance(longest, int) or longest < card["min_samples"]:
        raise ModelError(f"{source}: its card has max_samples {longest!r}, below min_samples; export the model again")
    fewest = card.get("min_reference_clips", 1)
    if isinstance(fewest, bool) or not isinstance(fewest, int) or fewest < 1:
        raise ModelError(
            f"{source}: its card has min_reference_clips {fewest!r}, not 1 or more; export the model again"
        )
    for key in ("training_data", "scores", "subgroups", "pretrained", "robustness"):
        rows = card.get(key, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ModelError(f"{source}: '{key}' of its card is not a list of objects; export the model again")
    read_error_rates(card, source)


def read_error_rates(card: Mapping[str, Any], source: str) -> dict[str, ErrorRates]:
    """The error rates of each part of a model ("fusion", "adapted"); empty if its card has none.

    Args:
        card: the model card.
        source: name of the model file, for messages.

    Raises:
        ModelError: they are damaged, or of other classes than the model.
    """
    parts = {}
    try:
        for part, content in card.get("error_rates", {}).get("parts", {}).items():
            rates = np.array(list(content["rates"].values()), float)
            if rates.shape[1:] != (len(card["emotions"]),) * 2:
                raise ValueError(f"rates of shape {rates.shape} for {len(card['emotions'])} emotions")
            parts[str(part)] = ErrorRates(rates, float(content["equivalent_segments"]))
    except (AttributeError, KeyError, TypeError, ValueError, InputError) as error:
        raise ModelError(
            f"{source}: 'error_rates' of its card are damaged ({error}); export the model again"
        ) from error
    return parts
