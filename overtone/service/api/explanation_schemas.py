"""Models and examples of the OpenAPI document for explanations."""

from typing import Any

from pydantic import BaseModel

from overtone.service.api.schemas import PREDICTION, Failure, Prediction, parameter

CONTRIBUTION = {
    "contribution": 0.42,
    "low": 0.31,
    "high": 0.53,
    "probability": 0.74,
    "reliable": True,
    "verdict": "for",
}
EXPLANATION: dict[str, Any] = {
    "explanation": {
        "path": "clip.wav",
        "start_s": 0.0,
        "end_s": 3.7,
        "emotion": "happy",
        "probability": 0.81,
        "summary": ["A flat pitch lowers the probability of happy from 81 to 74 %."],
        "spans": [{"start_s": 0.0, "end_s": 0.2, **CONTRIBUTION}],
        "bands": [{"low_hz": 60.0, "high_hz": 200.0, **CONTRIBUTION}],
        "properties": [{"name": "pitch", "artefact": 0.1, **CONTRIBUTION}],
        "levels_db": [[-12]],
        "model_runs": 79,
        "prediction": PREDICTION,
    },
    "failures": [],
}
EXPLAIN_TEXTS = {
    "emotion": "the class to explain (default: the predicted one)",
    "start_s": "start of the part of the recording to explain, in seconds (default: 0)",
    "end_s": "its end; at most 30 s are explained at once (default: the end of the recording)",
    "offset_s": "start of the file in a recording that it was cut from, which is added to all times (default: 0)",
    "channel": "the channel to use: mix (the mean of all, the default), left, right or a number from 1",
}
EXPLAIN_FIELDS = {name: {"type": "string", "description": text} for name, text in EXPLAIN_TEXTS.items()}
EXPLAIN_PARAMETERS = tuple(parameter(name, text) for name, text in EXPLAIN_TEXTS.items())


class Explanation(BaseModel):
    """What made the prediction for one file; see `docs/explain.md`."""

    path: str
    start_s: float
    end_s: float
    emotion: str
    probability: float
    summary: list[str]
    spans: list[dict[str, Any]]
    bands: list[dict[str, Any]]
    properties: list[dict[str, Any]]
    levels_db: list[list[float]]
    model_runs: int
    prediction: Prediction


class ExplanationResponse(BaseModel):
    """An explanation, and failures of reference clips."""

    explanation: Explanation
    failures: list[Failure]
