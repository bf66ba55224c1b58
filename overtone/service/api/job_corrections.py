"""/v1/jobs/{id}/corrections: the segments of a timeline as a person corrected them, with which it is then written."""

import asyncio
import io
import json
import sqlite3
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from overtone.errors import InputError
from overtone.service.api import schemas
from overtone.service.api.conditional_requests import Conditions, strong_etag
from overtone.service.api.errors import ApiError, overloaded
from overtone.service.api.jobs import find_job, no_such_job, read_result
from overtone.service.api.state import AppState, check_query_parameters, get_owner, get_state, run_task
from overtone.service.api.timelines import WRITE_TIMEOUT_S
from overtone.service.api.uploads import UploadLimits, receive
from overtone.service.corrected_timelines import check_corrections
from overtone.service.settings import MB

JSON = "application/json"
MAX_BYTES = 8 * MB  # about fifty thousand segments
TIMEOUT_S = 60.0  # for receiving them
STORE_RETRY_S = 10.0  # estimated time until the disk has space again
NOTHING = b'{"segments": []}'
EXAMPLE = {
    "segments": [
        {"start_s": 1.2, "end_s": 3.9, "model_segment": 1, "decided_by": "model"},
        {"start_s": 3.9, "end_s": 5.1, "model_segment": 2, "decided_by": "person", "emotion": "sad"},
    ]
}
ETAG = {"ETag": {"schema": {"type": "string"}, "description": "the entity tag of the corrections, for If-Match"}}
BODY = {"schema": {"$ref": "#/components/schemas/Corrections"}, "example": EXAMPLE}

router = APIRouter()


@router.get(
    "/v1/jobs/{job_id}/corrections",
    response_model=None,
    responses={
        200: {
            "description": "the corrections; without segments if there are none",
            "content": {JSON: BODY},
            "headers": ETAG,
        },
        304: {"description": "the corrections have the entity tag in If-None-Match", "headers": ETAG},
        **schemas.error_responses("malformed_request", "not_found", "precondition_failed"),
    },
    openapi_extra={"parameters": [schemas.IF_MATCH, schemas.IF_NONE_MATCH]},
)
async def corrections(request: Request, job_id: str) -> Response:
    """Return the corrections of a job and their entity tag."""
    check_query_parameters(request, ())
    state = get_state(request)
    await find_job(state, job_id, get_owner(request))
    conditions = Conditions.of(request)
    content = await asyncio.to_thread(state.backend.store.corrections, job_id) or NOTHING
    etag = strong_etag(content)
    conditions.check_match(etag)
    if conditions.names(etag):
        return Response(status_code=304, headers={"ETag": etag})
    return Response(content, headers={"ETag": etag}, media_type=JSON)


@router.put(
    "/v1/jobs/{job_id}/corrections",
    status_code=204,
    response_model=None,
    responses={
        204: {"description": "the timeline is written with these segments from now on", "headers": ETAG},
        **schemas.error_responses(
            *("malformed_request", "not_found", "upload_timeout", "job_not_finished", "job_cancelled"),
            "precondition_failed",
            *("too_large", "unsupported_media_type", "invalid_audio", "invalid_corrections", "overloaded"),
        ),
    },
    openapi_extra={
        "parameters": [schemas.IF_MATCH, schemas.IF_NONE_MATCH],
        "requestBody": {"required": True, "content": {JSON: BODY}},
    },
)
async def store_corrections(request: Request, job_id: str) -> Response:
    """Store corrections in place of earlier ones; without segments, the timeline is that of the model again.

    The body is kept byte by byte: the response may contain an entity tag only if a GET returns what was sent.
    Source: RFC 9110, section 9.3.4.
    """
    check_query_parameters(request, ())
    conditions, state = Conditions.of(request), get_state(request)
    job = await find_job(state, job_id, get_owner(request))
    content = await read_result(state, job)
    with state.upload():
        body, document = await _read_document(request)
    corrected = await _correct(state, content, document) if document["segments"] else b""

    def check(current: bytes | None) -> None:
        if current != body:  # else it is a retry, whose first response was lost
            conditions.check_replacement(strong_etag(current or NOTHING))

    try:
        if not await asyncio.to_thread(state.backend.store.set_corrections, job_id, body, corrected, check):
            raise no_such_job()
    except sqlite3.Error as error:
        raise overloaded("the service cannot store corrections now; try again later", STORE_RETRY_S) from error
    return Response(status_code=204, headers={"ETag": strong_etag(body)})


async def _read_document(request: Request) -> tuple[bytes, dict[str, Any]]:
    """Return the body of a request, and the corrections in it.

    Raises:
        ApiError: the body is too large, no JSON, or has another form.
    """
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != JSON:
        raise ApiError("unsupported_media_type", f"Content-Type: expected {JSON}, got {media_type or 'none'}")
    declared = request.headers.get("content-length", "")
    limits = UploadLimits(MAX_BYTES, TIMEOUT_S, {})
    body = io.BytesIO()
    if declared.isdigit() and int(declared) > MAX_BYTES:
        raise ApiError("too_large", f"the corrections are larger than {MAX_BYTES / MB:.0f} MB")
    await receive(request, body.write, body.flush, limits)
    try:
        document = json.loads(body.getvalue().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ApiError("malformed_request", f"not JSON in UTF-8: {error}") from error
    try:
        check_corrections(document)
    except InputError as error:
        raise ApiError("invalid_corrections", str(error)) from error
    return body.getvalue(), dict(document)


async def _correct(state: AppState, timeline: bytes, document: dict[str, Any]) -> bytes:
    """Return the encoded corrected timeline.

    Raises:
        ApiError: the corrections do not fit the timeline, or the service is overloaded.
    """
    task = {"task": "correct_timeline", "corrections": document}
    try:
        _, corrected = await run_task(state.backend.pool, task, lambda: timeline, timeout_s=WRITE_TIMEOUT_S)
    except ApiError as error:
        if error.code != "invalid_audio":
            raise
        raise ApiError("invalid_corrections", error.message) from error
    return corrected
