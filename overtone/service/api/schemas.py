"""What the OpenAPI document says of bodies: the shapes of `overtone.formats.json` and of what the service adds."""

from typing import Any

from pydantic import BaseModel, Field

from overtone.service.api.errors import CODES
from overtone.service.api.uploads import MULTIPART

EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
HAPPY = {name: 0.81 if name == "happy" else 0.03 if name == "surprised" else 0.0267 for name in EMOTIONS}
ANSWER = {
    "path": "clip.wav",
    "emotion": "happy",
    "confidence": 0.81,
    "uncertain": False,
    "probabilities": HAPPY,
    "branches": {"mel": HAPPY, "prosody": HAPPY},
    "duration_s": 3.7,
    "prosody": {"pitch_median_hz": 212.4, "loudness_db": -21.3, "voiced_ratio": 0.44, "tempo_bpm": 118.0},
    "model": "overtone",
}
ANSWERS: dict[str, Any] = {"answers": [ANSWER], "failures": []}
JOB: dict[str, Any] = {
    "id": "0f9d2c7b8a6e4f1d9c3b5a7e1f2d4c6b",
    "name": "talk.flac",
    "state": "running",
    "created_s": 1767225600.0,
    "finished_s": None,
    "processed_s": 120.0,
    "duration_s": 600.0,
    "error": "",
    "timeline": "/v1/jobs/0f9d2c7b8a6e4f1d9c3b5a7e1f2d4c6b/timeline",
}
SOUND = {"type": "string", "format": "binary", "description": "A sound file: WAV, FLAC, Ogg (Vorbis, Opus), MP3, ..."}


EVERYWHERE = ("unauthorized", "forbidden_origin", "invalid_parameter", "headers_too_large", "failed", "busy")
TURNS = {
    "type": "string",
    "format": "binary",
    "description": "Who speaks when: .rttm, .csv or .TextGrid; one answer for each turn",
}


def parameter(name: str, what: str, where: str = "query", **schema: Any) -> dict[str, Any]:
    """A parameter, as the OpenAPI document tells it."""
    return {"name": name, "in": where, "required": False, "description": what, "schema": {"type": "string", **schema}}


KEY = parameter(
    "Idempotency-Key", "asked again under the same key, the first answer is given", "header", minLength=1, maxLength=255
)
NAME = parameter("name", "how a raw body is called in the answer", maxLength=255)


def body(**fields: Any) -> dict[str, Any]:
    """What the OpenAPI document says of a body that is a form with these fields, `file` and others, or one sound."""
    form = {"type": "object", "properties": fields, "required": ["file"]}
    kinds = {MULTIPART: form, "application/octet-stream": SOUND, "audio/*": SOUND}
    return {"required": True, "content": {kind: {"schema": schema} for kind, schema in kinds.items()}}


class Prediction(BaseModel):
    """What is heard in one file; see `docs/serve.md`."""

    path: str
    emotion: str
    confidence: float
    uncertain: bool
    probabilities: dict[str, float]
    branches: dict[str, dict[str, float]]
    duration_s: float
    prosody: dict[str, float]
    model: str


class Failure(BaseModel):
    """Why one of several files could not be answered; `number` is its place in the request, from 0."""

    number: int
    path: str
    code: str
    message: str


class Predictions(BaseModel):
    """Answers in the order of the files, and failures of the others."""

    answers: list[Prediction]
    failures: list[Failure]


class ErrorBody(BaseModel):
    """What went wrong: a code for programs, a message for people."""

    code: str = Field(json_schema_extra={"enum": list(CODES)})
    message: str
    status: int
    failures: list[Failure] = []


class Error(BaseModel):
    """The shape of every error."""

    error: ErrorBody


class Job(BaseModel):
    """A timeline that is being made."""

    id: str
    name: str
    state: str = Field(json_schema_extra={"enum": ["queued", "running", "done", "failed"]})
    created_s: float
    finished_s: float | None = None
    processed_s: float
    duration_s: float | None = None
    error: str
    timeline: str


class Timeline(BaseModel):
    """A timeline, as `overtone timeline --format json` writes it; `docs/forms.md` shows all of it."""

    path: str
    duration_s: float
    model: str
    emotions: list[str]
    turns_given: bool
    segments: list[dict[str, Any]]
    speakers: list[dict[str, Any]]
    curves: dict[str, Any]


class Models(BaseModel):
    """The cards of the models that answer here; the first one is used."""

    models: list[dict[str, Any]]


class Health(BaseModel):
    """How the service is."""

    status: str


def error_responses(*codes: str) -> dict[int | str, dict[str, Any]]:
    """What the OpenAPI document says of errors: those named, and those that every path may give."""
    told: dict[int | str, dict[str, Any]] = {}
    for code in dict.fromkeys((*EVERYWHERE, *codes)):
        status, meaning = CODES[code]
        also = f"; or {meaning}" if status in told else ""
        meaning = told[status]["description"] + also if status in told else meaning
        error = {"error": {"code": code, "message": "...", "status": status}}
        told[status] = {
            "model": Error,
            "description": meaning,
            "content": {"application/json": {"example": error}},
        }
        if status in (429, 503):
            told[status]["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "in seconds"}}
    return told
