"""The model card: required keys, their types and values, and messages for invalid cards."""

import json
from typing import Any

import pytest
import tiny_model

from overtone.errors import ModelError
from overtone.inference.model_card import CARD_KEY, KEY_TYPES, read_card


def read(**changes: Any) -> dict[str, Any]:
    """Return a card with these keys changed, after writing and reading it."""
    return read_card({CARD_KEY: json.dumps(tiny_model.card(**changes))}, "m.onnx")


def test_a_complete_card_is_read_unchanged() -> None:
    assert read() == tiny_model.card()
    own = ["neutral", "sad", "frustrated", 'very, "satisfied"', "غاضب"]
    assert read(emotions=own)["emotions"] == own
    assert read(emotions=["neutral", "sad"], more="unknown keys stay")["more"] == "unknown keys stay"
    assert read(uncertain_below=0.5)["uncertain_below"] == 0.5


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "not a model of Overtone"),
        ({"producer": "someone"}, "not a model of Overtone"),
        ({CARD_KEY: "{"}, "damaged"),
        ({CARD_KEY: "[1]"}, "not a JSON object"),
        ({CARD_KEY: '{"format": 1}'}, "format 1, .* reads format 2; export the model again"),
        ({CARD_KEY: "{}"}, "format None"),
    ],
)
def test_metadata_without_a_valid_card_is_refused(metadata: dict[str, str], message: str) -> None:
    with pytest.raises(ModelError, match=rf"^m\.onnx: .*{message}"):
        read_card(metadata, "m.onnx")


@pytest.mark.parametrize("key", [key for key in KEY_TYPES if key != "format"])
def test_every_key_is_required_with_its_type(key: str) -> None:
    for value in (..., None):
        with pytest.raises(ModelError, match=f"lacks '{key}' of type {KEY_TYPES[key].__name__}"):
            read(**{key: value})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"emotions": []}, "not a list of different classes"),
        ({"emotions": ["sad", "neutral"]}, "not a list of different classes"),
        ({"emotions": ["sad", "sad"]}, "not a list of different classes"),
        ({"emotions": ["jealous", "sad"]}, "not a list of different classes"),
        ({"emotions": ["sad", "jealous", "jealous"]}, "not a list of different classes"),
        ({"emotions": ["sad", 1]}, "not a list of different classes"),
        ({"emotions": ["sad", ""]}, "not a list of different classes"),
        ({"emotions": ["sad", "a\x00b"]}, "not a list of different classes"),
        ({"sample_rate_hz": 48_000}, "made for 48000 Hz"),
        ({"min_samples": 0}, "below 1"),
        ({"hop_samples": 0}, "below 1"),
        ({"scores": ["good"]}, "'scores' of its card"),
        *(({"uncertain_below": value}, "uncertain_below .*, not in") for value in (-0.1, 1.1, "0.5", None, True)),
        *(({"min_reference_clips": value}, "min_reference_clips") for value in (0, 2.5, "3", True)),
        ({"subgroups": [3]}, "'subgroups' of its card"),
        ({"subgroups": "many"}, "'subgroups' of its card"),
        ({"training_data": [3]}, "'training_data' of its card"),
        ({"recipe": {"name": "x"}}, "'branches' of the recipe"),
        ({"recipe": {"branches": 3}}, "'branches' of the recipe"),
        ({"recipe": {"branches": "mel"}}, "'branches' of the recipe"),
    ],
)
def test_invalid_values_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=rf"^m\.onnx: .*{message}"):
        read(**changes)
