"""POST /v1/explain: an audio file -> what made the prediction for it."""

import json
import math
from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import Response

from overtone.emotions import find_class, suggest_emotion
from overtone.service.api import explanation_schemas, schemas
from overtone.service.api.channel_fields import check_not_each, read_channel_choice
from overtone.service.api.content_negotiation import JSON
from overtone.service.api.errors import ApiError, overloaded
from overtone.service.api.reference_clips import FIELD, measure_reference_clips
from overtone.service.api.state import MAX_CLIP_WAIT_S, check_query_parameters, get_state, run_task
from overtone.service.api.uploads import UploadLimits, read_body
from overtone.service.ipc import Message

FIELDS = ("emotion", "start_s", "end_s", "offset_s", "channel")
TIMEOUT_FACTOR = 6  # of an explanation, relative to a clip: the model runs on about a hundred changed copies

router = APIRouter()


@router.post(
    "/v1/explain",
    summary="Explain the prediction for an audio file",
    response_model=explanation_schemas.ExplanationResponse,
    responses={
        200: {"description": "the explanation", "content": {JSON: {"example": explanation_schemas.EXPLANATION}}},
        **schemas.error_responses(
            "malformed_request",
            "upload_timeout",
            "too_large",
            "unsupported_media_type",
            "invalid_audio",
            "overloaded",
        ),
    },
    openapi_extra={
        "parameters": [*explanation_schemas.EXPLAIN_PARAMETERS, schemas.NAME],
        "requestBody": schemas.body(
            file=schemas.AUDIO,
            reference={"type": "array", "items": schemas.REFERENCE},
            **explanation_schemas.EXPLAIN_FIELDS,
        ),
    },
)
async def explain(request: Request) -> Response:
    """Return which time spans, frequency bands and properties made the prediction, adapted to the files `reference`."""
    state, query = get_state(request), request.query_params
    check_query_parameters(request, ("name", *FIELDS))
    if state.backend.pool.full:
        raise overloaded()
    settings = state.backend.settings
    fields = {"file": 1, FIELD: settings.max_reference_files}
    limits = UploadLimits(settings.max_clip_bytes, settings.upload_timeout_s, fields, FIELDS)
    state.check_explanation_limit()
    with state.upload():
        async with read_body(request, limits, query.get("name", "")) as content:
            task = _read_task(request, content.texts, tuple(state.backend.card.get("predicted_emotions", ())))
            references = [upload for upload in content.files if upload.field == FIELD]
            (file,) = [upload for upload in content.files if upload.field != FIELD]
            adaptation, failures = await measure_reference_clips(state, references, task["channel"])
            with state.explanation():
                _, explanation = await run_task(
                    state.backend.pool,
                    {**task, **adaptation, "name": file.name},
                    file.content,
                    timeout_s=TIMEOUT_FACTOR * settings.clip_timeout_s,
                    max_wait_s=MAX_CLIP_WAIT_S,
                )
    values = {"explanation": json.loads(explanation), "failures": failures}
    return Response(json.dumps(values), media_type=JSON)


def _read_task(request: Request, form: Mapping[str, str], emotions: tuple[str, ...]) -> Message:
    """Return the task of a request, whose fields are in the query or in the form.

    Args:
        request: the request.
        form: the texts of its form.
        emotions: the classes of predictions.

    Raises:
        ApiError: a field is given twice, or its value is not valid.
    """
    values = dict(form)
    for name in FIELDS[:-1]:
        if name in request.query_params:
            if name in values:
                raise ApiError("invalid_parameter", f"{name}: given twice, in the query and in the form; give it once")
            values[name] = request.query_params[name]
    choice = read_channel_choice(request, {name: text for name, text in form.items() if name == "channel"})
    check_not_each(choice, "explain")
    emotion = values.get("emotion")
    if emotion is not None and emotions and find_class(emotion, emotions) is None:  # no card while no worker is ready
        hint = suggest_emotion(emotion, emotions)
        raise ApiError("invalid_parameter", f"emotion: the model has no class {emotion!r}{hint}")
    start_s, end_s, offset_s = (_parse_seconds(name, values.get(name)) for name in ("start_s", "end_s", "offset_s"))
    start_s, offset_s = start_s or 0.0, offset_s or 0.0
    if end_s is not None and end_s <= start_s:
        raise ApiError("invalid_parameter", f"end_s: {end_s:g} s is not after start_s, {start_s:g} s")
    times = {"start_s": start_s, "end_s": end_s, "offset_s": offset_s}
    return {"task": "explain", "emotion": emotion, **times, "channel": choice.channel}


def _parse_seconds(name: str, text: str | None) -> float | None:
    """Return a time; None if it is not given."""
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise ApiError("invalid_parameter", f"{name}: expected a number of seconds from 0 on, got {text!r}")
    return number
