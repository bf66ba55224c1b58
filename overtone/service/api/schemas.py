"""Models and examples of the OpenAPI document: the objects of `overtone.formats.json`, and those of the service."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from overtone.agreement import DECIDERS
from overtone.formats.csv_dialect import DIALECTS
from overtone.service.api.errors import CODES
from overtone.service.api.uploads import MULTIPART
from overtone.service.corrected_timelines import MAX_LABEL_LENGTH, MAX_SEGMENTS
from overtone.service.job_records import STATES
from overtone.speaker_turns import SUFFIXES as TURN_SUFFIXES
from overtone.timeline import ADAPTATIONS

EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
HAPPY = {name: 0.81 if name == "happy" else 0.03 if name == "surprised" else 0.0267 for name in EMOTIONS}
PREDICTION = {
    "path": "clip.wav",
    "emotion": "happy",
    "confidence": 0.81,
    "uncertain": False,
    "probabilities": HAPPY,
    "branches": {"mel": HAPPY, "prosody": HAPPY},
    "duration_s": 3.7,
    "speech_s": 1.824,
    "no_speech": False,
    "arousal": 0.9,
    "valence": 0.86,
    "prosody": {"pitch_median_hz": 212.4, "loudness_db": -21.3, "voiced_ratio": 0.44, "tempo_bpm": 118.0},
    "reference_clips": 0,
    "model": "overtone",
}
PREDICTIONS: dict[str, Any] = {"predictions": [PREDICTION], "failures": []}
JOB: dict[str, Any] = {
    "id": "0f9d2c7b8a6e4f1d9c3b5a7e1f2d4c6b",
    "name": "talk.flac",
    "state": "running",
    "created_s": 1767225600.0,
    "finished_s": None,
    "processed_s": 120.0,
    "duration_s": 600.0,
    "error": "",
    "channel": "mix",
    "channel_names": [],
    "timeline": "/v1/jobs/0f9d2c7b8a6e4f1d9c3b5a7e1f2d4c6b/timeline",
}
AUDIO = {
    "type": "string",
    "format": "binary",
    "description": "An audio file: WAV, FLAC, Ogg (Vorbis, Opus), MP3, ...",
}
REFERENCE = {
    "type": "string",
    "format": "binary",
    "description": "A clip of the same speaker or the same recordings, to which the predictions are adapted",
}
TURNS = {
    "type": "string",
    "format": "binary",
    "description": f"Speaker turns ({', '.join(TURN_SUFFIXES)}); the timeline then has one segment per turn",
}
COMMON_CODES = (
    "unauthorized",
    "forbidden_origin",
    "invalid_parameter",
    "headers_too_large",
    "internal_error",
    "overloaded",
)


def parameter(name: str, description: str, location: str = "query", **schema: Any) -> dict[str, Any]:
    """Return the OpenAPI object of an optional parameter."""
    return {
        "name": name,
        "in": location,
        "required": False,
        "description": description,
        "schema": {"type": "string", **schema},
    }


IDEMPOTENCY_KEY = parameter(
    "Idempotency-Key",
    "a retry with the same key gets the response of the first request",
    "header",
    minLength=1,
    maxLength=255,
)
IF_MATCH = parameter(
    "If-Match",
    "entity tags of the state that the client knows; error 412 if it has another one, or * for any",
    "header",
)
IF_NONE_MATCH = parameter(
    "If-None-Match", "entity tags of states that the client does not want, or * for any", "header"
)
ADAPT = parameter("adapt", "whether the recording is adapted to itself (default: true)", enum=["true", "false"])
CSV_DIALECT = parameter(
    "csv_dialect",
    "of the CSV formats: excel and excel-de are for Excel in English, and in languages with a decimal comma (default: "
    "plain)",
    enum=sorted(DIALECTS),
)
CORRECTED = parameter("corrected", "false for the timeline of the model, without corrections", enum=["true", "false"])
CHANNEL = (
    "the channel to use: mix (the mean of all, the default), left, right, a number from 1, or each: every channel is a "
    "speaker"
)
CHANNEL_NAMES = (
    "names of the channels for the channel each, in their order, separated by commas; a name with a comma is in double "
    "quotes"
)
CHANNEL_FIELDS = {
    "channel": {"type": "string", "description": CHANNEL, "example": "each"},
    "channel_names": {"type": "string", "description": CHANNEL_NAMES, "example": "agent,customer"},
}
CHANNEL_PARAMETERS = (parameter("channel", CHANNEL), parameter("channel_names", CHANNEL_NAMES))
NAME = parameter("name", "file name of a raw body, for the response", maxLength=255)


def body(**fields: Any) -> dict[str, Any]:
    """Return the OpenAPI object of a body: a multipart form with these fields (`file` is required), or a raw file."""
    form = {"type": "object", "properties": fields, "required": ["file"]}
    contents = {MULTIPART: form, "application/octet-stream": AUDIO, "audio/*": AUDIO, "video/*": AUDIO}
    return {"required": True, "content": {media_type: {"schema": schema} for media_type, schema in contents.items()}}


class Prediction(BaseModel):
    """The prediction for one file; see `docs/serve.md`."""

    path: str
    channel: str = Field(default="", description="only if the request names a channel")
    emotion: str
    confidence: float
    uncertain: bool
    probabilities: dict[str, float]
    branches: dict[str, dict[str, float]]
    duration_s: float
    speech_s: float | None
    no_speech: bool | None = Field(description="true where no speech at all was detected; null if that is unknown")
    arousal: float | None
    valence: float | None
    prosody: dict[str, float]
    reference_clips: int
    model: str


class Failure(BaseModel):
    """The error of one of several files; `index` is its position among the files of the form field, from 0."""

    field: str
    index: int
    path: str
    code: str
    message: str


class Predictions(BaseModel):
    """Predictions in the order of the files, and failures of the other files."""

    predictions: list[Prediction]
    failures: list[Failure]


class ErrorBody(BaseModel):
    """An error: a code for programs, a message for people."""

    code: str = Field(json_schema_extra={"enum": list(CODES)})
    message: str
    status: int
    failures: list[Failure] = []


class Error(BaseModel):
    """The shape of every error."""

    error: ErrorBody


class Job(BaseModel):
    """A job that computes a timeline. Times are in seconds; `created_s` and `finished_s` are Unix times."""

    id: str
    name: str
    state: str = Field(json_schema_extra={"enum": list(STATES)})
    created_s: float
    finished_s: float | None = None
    processed_s: float
    duration_s: float | None = None
    error: str
    channel: str
    channel_names: list[str]
    timeline: str


class Jobs(BaseModel):
    """A page of jobs, newest first; `next` is the cursor of the next page, null on the last one."""

    jobs: list[Job]
    next: str | None = None


class Timeline(BaseModel):
    """A timeline, as `overtone timeline --format json` writes it; described in `docs/formats.md`."""

    path: str
    duration_s: float
    model: str
    emotions: list[str]
    turns_given: bool
    adaptation: str = Field(json_schema_extra={"enum": list(ADAPTATIONS)})
    segments: list[dict[str, Any]]
    speakers: list[dict[str, Any]]
    summary: dict[str, Any]
    no_estimates: str = Field(description="why there are no estimated shares; empty if there are")
    tracks: dict[str, Any]
    channels: list[dict[str, Any]] = Field(default=[], description="only if each channel is a speaker")


class CorrectedSegment(BaseModel):
    """A segment of a corrected timeline."""

    model_config = ConfigDict(extra="forbid")

    start_s: float = Field(ge=0)
    end_s: float = Field(gt=0)
    model_segment: int = Field(ge=0, description="the segment of the model, from 0, that it comes from")
    decided_by: str = Field(json_schema_extra={"enum": list(DECIDERS)})
    emotion: str | None = Field(
        default=None,
        max_length=MAX_LABEL_LENGTH,
        description="required if a person decided: the emotion, or null if the prediction is wrong and it is unknown",
    )
    text_from: list[int] = Field(default=[], description="the segments of the model whose words it has")


class Corrections(BaseModel):
    """All segments of a corrected timeline; none if nothing is corrected."""

    model_config = ConfigDict(extra="forbid")

    segments: list[CorrectedSegment] = Field(max_length=MAX_SEGMENTS)


class Models(BaseModel):
    """The model cards; the service uses the first model."""

    models: list[dict[str, Any]]


class Health(BaseModel):
    """The status of the service."""

    status: str


def error_responses(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI objects of error responses: these codes, and those that every path may return."""
    responses: dict[int | str, dict[str, Any]] = {}
    for code in dict.fromkeys((*COMMON_CODES, *codes)):
        status, description = CODES[code]
        if status in responses:
            description = f"{responses[status]['description']}; or {description}"
        error = {"error": {"code": code, "message": "...", "status": status}}
        responses[status] = {
            "model": Error,
            "description": description,
            "content": {"application/json": {"example": error}},
        }
        if status in (429, 503):
            responses[status]["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "in seconds"}}
    return responses
