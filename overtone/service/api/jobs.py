"""/v1/jobs: the jobs of an API key; the progress of one, cancelling and deleting it. `timelines` starts them.

A job is addressed by its id, which cannot be guessed. Jobs are listed per API key only: without keys, every client
would see the jobs of all others.
"""

import asyncio
import json
import re
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from overtone.service.api import schemas
from overtone.service.api.errors import ApiError
from overtone.service.api.state import AppState, check_query_parameters, get_owner, get_state
from overtone.service.job_records import TimelineJob

JOB_ID = re.compile("[0-9a-f]{32}")
CURSOR = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)-([0-9a-f]{32})")  # creation time and id of the last job of a page
DEFAULT_LIMIT = 50
MAX_LIMIT = 200

router = APIRouter()


@router.get(
    "/v1/jobs",
    response_model=schemas.Jobs,
    summary="List the jobs of the API key",
    responses=schemas.error_responses("keys_required"),
    openapi_extra={
        "parameters": [
            schemas.parameter(
                "limit", "number of jobs per page", type="integer", minimum=1, maximum=MAX_LIMIT, default=DEFAULT_LIMIT
            ),
            schemas.parameter("cursor", "`next` of the previous page", pattern=f"^{CURSOR.pattern}$"),
        ]
    },
)
async def list_jobs(request: Request) -> Response:
    """Return a page of the jobs of the API key, newest first; `next` is the cursor of the next page."""
    check_query_parameters(request, ("limit", "cursor"))
    limit, before = _parse_limit(request), _parse_cursor(request)
    state, owner = get_state(request), get_owner(request)
    if not owner:
        raise ApiError(
            "keys_required", "jobs are listed per API key, and this service has no keys; ask for each job by its id"
        )
    found = await asyncio.to_thread(state.backend.store.page, owner, limit + 1, before)
    jobs = found[:limit]
    cursor = f"{jobs[-1].created_s:.9f}-{jobs[-1].id}" if len(found) > limit else None
    return JSONResponse({"jobs": [job_object(state, job) for job in jobs], "next": cursor})


@router.get("/v1/jobs/{job_id}", response_model=schemas.Job, responses=schemas.error_responses("not_found"))
async def job(request: Request, job_id: str) -> Response:
    """Return the state of a job; while it is running, `processed_s` of `duration_s` are processed."""
    check_query_parameters(request, ())
    state = get_state(request)
    return JSONResponse(job_object(state, await find_job(state, job_id, get_owner(request))))


@router.post("/v1/jobs/{job_id}/cancel", response_model=schemas.Job, responses=schemas.error_responses("not_found"))
async def cancel(request: Request, job_id: str) -> Response:
    """Stop a queued or running job, delete its recording and return it; a job that has ended is returned as it is."""
    check_query_parameters(request, ())
    state, owner = get_state(request), get_owner(request)
    await find_job(state, job_id, owner)
    await asyncio.to_thread(state.backend.runner.cancel, job_id)
    return JSONResponse(job_object(state, await find_job(state, job_id, owner)))


@router.delete(
    "/v1/jobs/{job_id}",
    status_code=204,
    response_model=None,
    responses={204: {"description": "the job is deleted"}, **schemas.error_responses("not_found")},
)
async def delete(request: Request, job_id: str) -> Response:
    """Delete a job with its recording and its timeline; stop it if it is running."""
    check_query_parameters(request, ())
    state = get_state(request)
    await find_job(state, job_id, get_owner(request))
    await asyncio.to_thread(state.backend.runner.delete, job_id)
    return Response(status_code=204)


async def find_job(state: AppState, job_id: str, owner: str) -> TimelineJob:
    """Return a job of an API key.

    Raises:
        ApiError: there is none with this id, or it belongs to another key.
    """
    job = await asyncio.to_thread(state.backend.store.job, job_id) if JOB_ID.fullmatch(job_id) else None
    if job is None or job.owner != owner:
        raise no_such_job()
    return job


async def read_result(state: AppState, job: TimelineJob) -> bytes:
    """Return the encoded timeline of a job, as the model made it.

    Raises:
        ApiError: the job has failed, was cancelled, is not finished, or has been deleted meanwhile.
    """
    if job.state == "failed":
        raise ApiError("invalid_audio", job.error)
    if job.state == "cancelled":
        raise ApiError("job_cancelled", "the job was cancelled; send the recording again")
    content = await asyncio.to_thread(state.backend.store.result, job.id)
    if content is None and job.state == "done":
        raise no_such_job()
    if content is None:
        raise ApiError("job_not_finished", f"the job is {job.state}; try again later", 1)
    return content


def no_such_job() -> ApiError:
    """Return the error for a job that does not exist, or is not visible to the API key."""
    return ApiError("not_found", "no such job; it may have been deleted or have expired")


def job_object(state: AppState, job: TimelineJob) -> dict[str, Any]:
    """Return the JSON object of a job."""
    progress = state.backend.runner.progress.get(job.id)
    return {
        "id": job.id,
        "name": job.name,
        "state": job.state,
        "created_s": job.created_s,
        "finished_s": job.finished_s,
        "processed_s": job.duration_s or (progress.processed_s if progress else 0.0),
        "duration_s": job.duration_s or (progress.duration_s if progress else None),
        "error": job.error,
        "channel": job.channel,
        "channel_names": json.loads(job.channel_names),
        "timeline": f"/v1/jobs/{job.id}/timeline",
    }


def _parse_limit(request: Request) -> int:
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not 1 <= int(text) <= MAX_LIMIT:
        raise ApiError("invalid_parameter", f"limit: expected a number from 1 to {MAX_LIMIT}, got {text!r}")
    return int(text)


def _parse_cursor(request: Request) -> tuple[float, str] | None:
    """Return the creation time and the id of the last job of the previous page; None for the first page."""
    text = request.query_params.get("cursor")
    if text is None:
        return None
    match = CURSOR.fullmatch(text)
    if match is None:
        raise ApiError("invalid_parameter", f"cursor: expected `next` of the previous page, got {text!r}")
    return float(match[1]), match[2]
