"""POST /v1/timeline: a recording -> a job; /v1/jobs/{id}: how it goes, its timeline in any form, and its end."""

import asyncio
import io
import re
import shutil
import sqlite3
from pathlib import Path
from typing import IO, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from overtone.formats import TIMELINE_FORMATS
from overtone.service.api import idempotency, schemas
from overtone.service.api.content_negotiation import content_type, contents, negotiate_timeline_format
from overtone.service.api.errors import ApiError, busy
from overtone.service.api.multipart import Upload
from overtone.service.api.state import AppState, check_query_parameters, get_owner, get_state, run_task
from overtone.service.api.uploads import Limits, read_uploads
from overtone.service.job_store import TimelineJob, new_id
from overtone.service.settings import MB, Settings

FIELDS = ("file", "turns")
TURNS = (".rttm", ".csv", ".textgrid")
TURNS_BYTES = 4 * MB  # of text that is read whole: a hundred thousand turns
JOB_ID = re.compile("[0-9a-f]{32}")
WRITE_S = 60.0  # for a form
TURN_COMES_S = 30.0  # a guess at when there is room for a job

router = APIRouter()


@router.post(
    "/v1/timeline",
    status_code=202,
    summary="What is heard when in a recording of any length: begins a job",
    response_model=schemas.Job,
    responses={
        202: {
            "description": "the job; its path is in Location",
            "content": {"application/json": {"example": {**schemas.JOB, "state": "queued", "processed_s": 0.0}}},
        },
        **schemas.error_responses(
            *(
                "malformed",
                "upload_timeout",
                "job_not_finished",
                "too_large",
                "unsupported_media_type",
                "too_many_jobs",
                "busy",
            )
        ),
    },
    openapi_extra={
        "parameters": [schemas.NAME, schemas.KEY],
        "requestBody": schemas.body(file=schemas.SOUND, turns=schemas.TURNS),
    },
)
async def timeline(request: Request) -> Response:
    """Takes the recording in, and answers at once; the job tells the rest."""
    desk, owner = get_state(request), get_owner(request)
    check_query_parameters(request, ("name",))
    key = idempotency.scoped_key(request, owner)
    settings = desk.house.settings
    limits = Limits(settings.recording_bytes, len(FIELDS), settings.upload_time_s, FIELDS)
    with desk.upload():
        if not key:  # a retry of what was taken is no new job
            await _check_capacity(desk, owner)
        async with desk.firsts.lock(key), read_uploads(request, limits, request.query_params.get("name", "")) as files:
            sound, turns = _sorted_out(files)
            words = [sound.name, turns.name if turns else ""]
            asked = await asyncio.to_thread(idempotency.digest, words, [one.file for one in files]) if key else ""
            first = await desk.firsts.first(key, asked)
            if first is not None:
                return _accepted(desk, await _job(desk, first.content.decode(), owner), replayed=True)
            await _check_capacity(desk, owner)
            job = await asyncio.to_thread(_taken, desk, owner, sound, turns, key, asked)
    return _accepted(desk, job)


@router.get("/v1/jobs/{job_id}", response_model=schemas.Job, responses=schemas.error_responses("not_found"))
async def job(request: Request, job_id: str) -> Response:
    """How far a job is: `processed_s` of `duration_s`; `done` with a timeline, or `failed` with an error."""
    check_query_parameters(request, ())
    desk = get_state(request)
    return JSONResponse(_told(desk, await _job(desk, job_id, get_owner(request))))


@router.get(
    "/v1/jobs/{job_id}/timeline",
    response_model=None,
    responses={
        200: {"description": "the timeline", "content": contents(TIMELINE_FORMATS, None, "Timeline")},
        **schemas.error_responses("not_found", "not_acceptable", "job_not_finished", "invalid_audio", "busy"),
    },
    openapi_extra={"parameters": [schemas.parameter("form", "instead of Accept", enum=sorted(TIMELINE_FORMATS))]},
)
async def result(request: Request, job_id: str) -> Response:
    """The timeline of a job that is done, in any form. The page of form `html` plays the file that lies beside it."""
    check_query_parameters(request, ("form",))
    form = negotiate_timeline_format(request.query_params.get("form"), request.headers.get("accept", ""))
    desk = get_state(request)
    found = await _job(desk, job_id, get_owner(request))
    if found.state == "failed":
        raise ApiError("invalid_audio", found.error)
    content = await asyncio.to_thread(desk.house.store.result, job_id)
    if content is None:
        raise ApiError("job_not_finished", f"the job is {found.state}; ask again later", 1)
    _, text = await run_task(desk.house.pool, {"do": "write", "form": form}, lambda: content, within_s=WRITE_S)
    return Response(text, headers={"Content-Type": content_type(form)})


@router.delete(
    "/v1/jobs/{job_id}",
    status_code=204,
    response_model=None,
    responses={204: {"description": "it is forgotten"}, **schemas.error_responses("not_found")},
)
async def delete(request: Request, job_id: str) -> Response:
    """Forgets a job with its recording and its timeline; one that is running ends."""
    check_query_parameters(request, ())
    desk = get_state(request)
    await _job(desk, job_id, get_owner(request))
    await asyncio.to_thread(desk.house.runner.delete, job_id)
    return Response(status_code=204)


async def _check_capacity(desk: AppState, owner: str) -> None:
    """One more job may wait.

    Raises:
        Refusal: too many do, of all or of this API key.
    """
    settings: Settings = desk.house.settings
    store = desk.house.store
    if owner:
        of_one = await asyncio.to_thread(store.counts, owner)
        if of_one.get("queued", 0) >= settings.jobs_of_one:
            raise ApiError("too_many_jobs", f"{settings.jobs_of_one} jobs of this key wait already", TURN_COMES_S)
    if (await asyncio.to_thread(store.counts)).get("queued", 0) >= settings.jobs:
        raise busy("as many jobs wait as may; try again later", TURN_COMES_S)


def _sorted_out(files: list[Upload]) -> tuple[Upload, Upload | None]:
    """The recording, and the turns if there are any.

    Raises:
        Refusal: there are several recordings or no such turns.
    """
    sounds, turns = ([one for one in files if one.field == field] for field in FIELDS)
    if len(sounds) > 1 or len(turns) > 1:
        raise ApiError("malformed", "one recording, and at most one file of turns; send several requests")
    if turns and Path(turns[0].name).suffix.lower() not in TURNS:
        raise ApiError("unsupported_media_type", f"{turns[0].name}: turns are read from {', '.join(TURNS)}")
    if turns and turns[0].file.seek(0, io.SEEK_END) > TURNS_BYTES:
        raise ApiError("too_large", f"{turns[0].name}: more than {TURNS_BYTES / MB:.0f} MB of turns; cut the recording")
    return sounds[0], turns[0] if turns else None


def _taken(desk: AppState, owner: str, sound: Upload, turns: Upload | None, key: str, asked: str) -> TimelineJob:
    """The new job, whose files lie in the spool under names of ours before anybody hears of it."""
    house, job_id = desk.house, new_id()
    suffix = Path(turns.name).suffix.lower() if turns else ""
    try:
        _put(sound.file, house.spool / job_id)
        if turns is not None:
            _put(turns.file, house.spool / f"{job_id}{suffix}")
        job = house.store.add(owner, sound.name, suffix, job_id, key, asked)
    except (OSError, sqlite3.Error) as error:
        house.runner.clear(job_id)
        raise busy("the service has no room for the recording; try again later", TURN_COMES_S) from error
    house.runner.wake()
    return job


def _put(file: IO[bytes], path: Path) -> None:
    file.seek(0)
    with path.open("wb") as copy:
        shutil.copyfileobj(file, copy)


async def _job(desk: AppState, job_id: str, owner: str) -> TimelineJob:
    found = await asyncio.to_thread(desk.house.store.job, job_id) if JOB_ID.fullmatch(job_id) else None
    if found is None or found.owner != owner:
        raise ApiError("not_found", "no such job; it may have been deleted, or kept for long enough")
    return found


def _told(desk: AppState, job: TimelineJob) -> dict[str, Any]:
    """A job as the client sees it."""
    heard = desk.house.runner.heard.get(job.id)
    known_s = heard.duration_s if heard else None
    return {
        "id": job.id,
        "name": job.name,
        "state": job.state,
        "created_s": job.created_s,
        "finished_s": job.finished_s,
        "processed_s": job.duration_s or (heard.processed_s if heard else 0.0),
        "duration_s": job.duration_s or known_s,
        "error": job.error,
        "timeline": f"/v1/jobs/{job.id}/timeline",
    }


def _accepted(desk: AppState, job: TimelineJob, replayed: bool = False) -> Response:
    headers = {"Location": f"/v1/jobs/{job.id}"} | ({"Idempotency-Replayed": "true"} if replayed else {})
    return JSONResponse(_told(desk, job), 202, headers)
