import json
from typing import Any

import pytest
import tiny_model

from overtone.errors import ModelError
from overtone.inference.model_card import CARD_KEY, KINDS, read_card


def read(**changes: Any) -> dict[str, Any]:
    return read_card({CARD_KEY: json.dumps(tiny_model.card(**changes))}, "m.onnx")


def test_a_whole_card_is_read_as_it_is() -> None:
    assert read() == tiny_model.card()
    assert read(emotions=["neutral", "sad"], more="is kept")["more"] == "is kept"
    assert read(uncertain_below=0.5)["uncertain_below"] == 0.5


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "not a model of Overtone"),
        ({"producer": "someone"}, "not a model of Overtone"),
        ({CARD_KEY: "{"}, "damaged"),
        ({CARD_KEY: "[1]"}, "no table of keys"),
        ({CARD_KEY: '{"format": 2}'}, "format 2, this Overtone reads format 1; upgrade"),
        ({CARD_KEY: "{}"}, "format None"),
    ],
)
def test_metadata_that_is_no_card(metadata: dict[str, str], message: str) -> None:
    with pytest.raises(ModelError, match=rf"^m\.onnx: .*{message}"):
        read_card(metadata, "m.onnx")


@pytest.mark.parametrize("key", [key for key in KINDS if key != "format"])
def test_every_key_is_needed_and_of_its_kind(key: str) -> None:
    for value in (..., None):
        with pytest.raises(ModelError, match=f"lacks '{key}' as {KINDS[key].__name__}"):
            read(**{key: value})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"emotions": []}, "no part, in order"),
        ({"emotions": ["sad", "neutral"]}, "no part, in order"),
        ({"emotions": ["sad", "sad"]}, "no part, in order"),
        ({"emotions": ["jealous"]}, "no part, in order"),
        ({"sample_rate_hz": 48_000}, "made for 48000 Hz"),
        ({"min_samples": 0}, "below 1"),
        ({"hop_samples": 0}, "below 1"),
        ({"scores": ["good"]}, "'scores' of its card"),
        *(({"uncertain_below": value}, "uncertain_below .*, not in") for value in (-0.1, 1.1, "0.5", None, True)),
        ({"slices": [3]}, "'slices' of its card"),
        ({"slices": "many"}, "'slices' of its card"),
        ({"training_data": [3]}, "'training_data' of its card"),
    ],
)
def test_values_that_cannot_be(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=rf"^m\.onnx: .*{message}"):
        read(**changes)
