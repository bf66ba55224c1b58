"""Predictions survive encoding as JSON without loss of precision."""

import json
import math

import numpy as np

from overtone._internal.prediction_codec import decode_prediction, encode_prediction
from overtone.datatypes import Prediction


def test_round_trip_is_exact(rng: np.random.Generator) -> None:
    emotions = ("neutral", "sad", "angry")
    shared = {"model": "tiny-1", "source": "clip.wav", "uncertain_below": 0.5, "columns": {"id": 7.0}}
    prediction = Prediction(
        emotions,
        rng.dirichlet(np.ones(3)),
        {"mel": rng.dirichlet(np.ones(3)), "prosody": rng.dirichlet(np.ones(3))},
        duration_s=1 / 3,
        prosody={"pitch_median_hz": 0.1 + 0.2},
        speech_s=2 / 3,
        arousal=0.1,
        valence=1 / 7,
        channel="left",
        **shared,
    )
    decoded = decode_prediction(json.loads(json.dumps(encode_prediction(prediction))), emotions, **shared)
    assert vars(decoded).keys() == vars(prediction).keys()
    for name, value in vars(prediction).items():
        if name == "branches":
            assert {k: v.tolist() for k, v in decoded.branches.items()} == {k: v.tolist() for k, v in value.items()}
        elif name == "probabilities":
            np.testing.assert_array_equal(decoded.probabilities, value)
        else:
            assert getattr(decoded, name) == value


def test_unknown_values_are_valid_json() -> None:
    prediction = Prediction(("sad", "angry"), np.array([0.5, 0.5]))
    text = json.dumps(encode_prediction(prediction), allow_nan=False)
    decoded = decode_prediction(json.loads(text), prediction.emotions)
    assert all(math.isnan(value) for value in (decoded.speech_s, decoded.arousal, decoded.valence))
