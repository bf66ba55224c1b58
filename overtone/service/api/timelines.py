"""POST /v1/timeline: a recording -> a job; /v1/jobs/{id}/timeline: its timeline in any format."""

import asyncio
import io
import shutil
import sqlite3
from pathlib import Path
from typing import IO

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from overtone.each_channel import ChannelChoice
from overtone.formats import TIMELINE_FORMATS
from overtone.service.api import idempotency, schemas
from overtone.service.api.channel_fields import FIELDS as CHANNEL_FIELDS
from overtone.service.api.channel_fields import check_not_each, read_channel_choice
from overtone.service.api.content_negotiation import content_type, contents, negotiate_timeline_format, read_dialect
from overtone.service.api.errors import ApiError, overloaded
from overtone.service.api.jobs import find_job, job_object, read_result
from overtone.service.api.multipart import Upload
from overtone.service.api.state import AppState, check_query_parameters, get_owner, get_state, parse_flag, run_task
from overtone.service.api.uploads import UploadLimits, read_body
from overtone.service.job_records import TimelineJob
from overtone.service.job_store import new_id
from overtone.service.settings import MB
from overtone.speaker_turns import SUFFIXES as TURN_SUFFIXES

FIELDS = ("file", "turns")
MAX_TURNS_BYTES = 4 * MB  # about a hundred thousand turns; the file is read into memory
WRITE_TIMEOUT_S = 60.0  # for converting a timeline to a format
QUEUE_RETRY_S = 30.0  # estimated time until the queue has space for a job

router = APIRouter()


@router.post(
    "/v1/timeline",
    status_code=202,
    summary="Start a job that computes the emotion timeline of a recording of any length",
    response_model=schemas.Job,
    responses={
        202: {
            "description": "the job; its path is in the Location header",
            "content": {"application/json": {"example": {**schemas.JOB, "state": "queued", "processed_s": 0.0}}},
        },
        **schemas.error_responses(
            "malformed_request",
            "upload_timeout",
            "job_not_finished",
            "too_large",
            "unsupported_media_type",
            "too_many_jobs",
            "overloaded",
        ),
    },
    openapi_extra={
        "parameters": [schemas.NAME, schemas.ADAPT, *schemas.CHANNEL_PARAMETERS, schemas.IDEMPOTENCY_KEY],
        "requestBody": schemas.body(file=schemas.AUDIO, turns=schemas.TURNS, **schemas.CHANNEL_FIELDS),
    },
)
async def timeline(request: Request) -> Response:
    """Store the recording and return a queued job."""
    state, owner = get_state(request), get_owner(request)
    check_query_parameters(request, ("name", "adapt", *CHANNEL_FIELDS))
    adapt = parse_flag(request, "adapt", default=True)
    key = idempotency.scoped_key(request, owner)
    settings = state.backend.settings
    fields = dict.fromkeys(FIELDS, len(FIELDS))
    limits = UploadLimits(settings.max_recording_bytes, settings.upload_timeout_s, fields, CHANNEL_FIELDS)
    with state.upload():
        if not key:  # with a key it may be a retry, which adds no job
            await _check_queue(state, owner)
        name = request.query_params.get("name", "")
        async with state.idempotency.lock(key), read_body(request, limits, name) as body:
            recording, turns = _split_uploads(body.files)
            choice = read_channel_choice(request, body.texts)
            if turns is not None:
                check_not_each(choice, "turns")
            digest = ""
            if key:
                names = [recording.name, turns.name if turns else "", str(adapt), choice.channel, *choice.names]
                files = [upload.file for upload in body.files]
                digest = await asyncio.to_thread(idempotency.request_digest, names, files)
            stored = await state.idempotency.get(key, digest)
            if stored is not None:
                return _accepted(state, await find_job(state, stored.content.decode(), owner), replayed=True)
            await _check_queue(state, owner)
            job = await asyncio.to_thread(_create_job, state, owner, recording, turns, key, digest, adapt, choice)
    return _accepted(state, job)


@router.get(
    "/v1/jobs/{job_id}/timeline",
    response_model=None,
    responses={
        200: {
            "description": "the timeline, corrected if there are corrections",
            "content": contents(TIMELINE_FORMATS, None, "Timeline"),
        },
        **schemas.error_responses(
            "not_found", "not_acceptable", "job_not_finished", "job_cancelled", "invalid_audio", "overloaded"
        ),
    },
    openapi_extra={
        "parameters": [
            schemas.parameter("format", "format of the response, instead of Accept", enum=sorted(TIMELINE_FORMATS)),
            schemas.CSV_DIALECT,
            schemas.CORRECTED,
        ]
    },
)
async def result(request: Request, job_id: str) -> Response:
    """Return the timeline of a finished job. The `html` page plays the recording if it is in the same folder."""
    check_query_parameters(request, ("format", "csv_dialect", "corrected"))
    is_corrected = parse_flag(request, "corrected", default=True)
    format_name = negotiate_timeline_format(request.query_params.get("format"), request.headers.get("accept", ""))
    dialect = read_dialect(request.query_params.get("csv_dialect"), format_name, TIMELINE_FORMATS)
    state = get_state(request)
    job = await find_job(state, job_id, get_owner(request))
    content = await read_result(state, job)
    if is_corrected:
        corrected = await asyncio.to_thread(state.backend.store.corrected_timeline, job_id)
        content = corrected or content
    task = {"task": "write_timeline", "format": format_name, "dialect": dialect}
    _, text = await run_task(state.backend.pool, task, lambda: content, timeout_s=WRITE_TIMEOUT_S)
    return Response(text, headers={"Content-Type": content_type(format_name)})


async def _check_queue(state: AppState, owner: str) -> None:
    """Check that another job may be queued.

    Raises:
        ApiError: too many jobs are queued, in total or for this API key.
    """
    settings, store = state.backend.settings, state.backend.store
    if owner:
        own_counts = await asyncio.to_thread(store.counts, owner)
        if own_counts.get("queued", 0) >= settings.max_jobs_per_key:
            message = f"{settings.max_jobs_per_key} jobs of this API key are queued already; try again later"
            raise ApiError("too_many_jobs", message, QUEUE_RETRY_S)
    if (await asyncio.to_thread(store.counts)).get("queued", 0) >= settings.max_jobs:
        raise overloaded("the limit of queued jobs is reached; try again later", QUEUE_RETRY_S)


def _split_uploads(uploads: list[Upload]) -> tuple[Upload, Upload | None]:
    """Return the recording, and the file of speaker turns if there is one.

    Raises:
        ApiError: there are several recordings, or the file of turns is not valid.
    """
    recordings, turns = ([upload for upload in uploads if upload.field == field] for field in FIELDS)
    if len(recordings) > 1 or len(turns) > 1:
        raise ApiError(
            "malformed_request", "expected one recording, and at most one file of turns; send several requests"
        )
    if not turns:
        return recordings[0], None
    name = turns[0].name
    if Path(name).suffix.lower() not in map(str.lower, TURN_SUFFIXES):
        raise ApiError("unsupported_media_type", f"{name}: expected speaker turns as {', '.join(TURN_SUFFIXES)}")
    if turns[0].file.seek(0, io.SEEK_END) > MAX_TURNS_BYTES:
        raise ApiError("too_large", f"{name}: more than {MAX_TURNS_BYTES / MB:.0f} MB of turns; split the recording")
    return recordings[0], turns[0]


def _create_job(
    state: AppState,
    owner: str,
    recording: Upload,
    turns: Upload | None,
    key: str,
    digest: str,
    adapt: bool,
    choice: ChannelChoice,
) -> TimelineJob:
    """Copy the files to the spool, named after the job id; then add the job to the store.

    Raises:
        ApiError: the disk is full, or the store cannot be written.
    """
    backend, job_id = state.backend, new_id()
    suffix = Path(turns.name).suffix.lower() if turns else ""
    try:
        _copy(recording.file, backend.spool / job_id)
        if turns is not None:
            _copy(turns.file, backend.spool / f"{job_id}{suffix}")
        job = backend.store.add(owner, recording.name, suffix, job_id, key, digest, adapt, choice)
    except (OSError, sqlite3.Error) as error:
        backend.runner.delete_uploads(job_id)
        raise overloaded("the service has no disk space for the recording; try again later", QUEUE_RETRY_S) from error
    backend.runner.wake()
    return job


def _copy(file: IO[bytes], path: Path) -> None:
    file.seek(0)
    with path.open("wb") as copy:
        shutil.copyfileobj(file, copy)


def _accepted(state: AppState, job: TimelineJob, replayed: bool = False) -> Response:
    headers = {"Location": f"/v1/jobs/{job.id}"} | ({"Idempotency-Replayed": "true"} if replayed else {})
    return JSONResponse(job_object(state, job), 202, headers)
