"""POST /v1/recognise: one sound file or several -> an answer for each, in any form of `overtone.formats`."""

import asyncio
import io
import json
from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response

from overtone._internal.prediction_codec import decode_prediction
from overtone.datatypes import Prediction
from overtone.formats import FORMATS, get_format
from overtone.formats.json import to_object
from overtone.service.api import idempotency, schemas
from overtone.service.api.content_negotiation import content_type, contents, negotiate_prediction_format
from overtone.service.api.errors import ApiError, busy
from overtone.service.api.multipart import Upload
from overtone.service.api.state import AppState, check_query_parameters, get_owner, get_state, run_task
from overtone.service.api.uploads import Limits, read_uploads
from overtone.service.job_store import StoredResponse

WAITS_S = 10.0  # of a clip for a worker, after which its client had better try again

router = APIRouter()


@router.post(
    "/v1/recognise",
    summary="Which emotion is heard in one or more sound files",
    response_model=None,
    responses={
        200: {"description": "answers", "content": contents(FORMATS, schemas.ANSWERS, "Answers")},
        **schemas.error_responses(
            *(
                "malformed",
                "not_acceptable",
                "upload_timeout",
                "too_large",
                "unsupported_media_type",
                "invalid_audio",
                "busy",
            )
        ),
    },
    openapi_extra={
        "parameters": [
            schemas.parameter("form", "instead of Accept", enum=sorted(FORMATS)),
            schemas.NAME,
            schemas.KEY,
        ],
        "requestBody": schemas.body(file={"type": "array", "items": schemas.SOUND, "minItems": 1}),
    },
)
async def recognise(request: Request) -> Response:
    """One file gives an answer or an error. Of several, those that cannot be answered are told as `failures`."""
    desk, query = get_state(request), request.query_params
    check_query_parameters(request, ("form", "name"))
    form = negotiate_prediction_format(query.get("form"), request.headers.get("accept", ""))
    key = idempotency.scoped_key(request, get_owner(request))
    if desk.house.pool.full:
        raise busy()
    settings = desk.house.settings
    limits = Limits(settings.clip_bytes, settings.files, settings.upload_time_s)
    with desk.upload():
        async with desk.firsts.lock(key), read_uploads(request, limits, query.get("name", "")) as files:
            names = [one.name for one in files]
            asked = (
                await asyncio.to_thread(idempotency.digest, [form, *names], [one.file for one in files]) if key else ""
            )
            first = await desk.firsts.first(key, asked)
            if first is not None:
                return Response(first.content, headers={"Idempotency-Replayed": "true"}, media_type=first.type)
            content = _written(await _heard(desk, files), names, form)
            await desk.firsts.keep(key, StoredResponse(asked, content_type(form), content))
    return Response(content, media_type=content_type(form))


async def _heard(desk: AppState, files: Sequence[Upload]) -> list[Prediction | ApiError]:
    """What is heard in each file, in order; one request never has more workers busy than there are."""
    turn = asyncio.Semaphore(desk.house.settings.workers)

    async def one(upload: Upload) -> Prediction | ApiError:
        async with turn:
            try:
                return await _answer(desk, upload)
            except ApiError as refusal:
                return refusal

    heard = await asyncio.gather(*map(one, files))
    for answer in heard:
        if isinstance(answer, ApiError) and (len(files) == 1 or answer.code == "busy"):
            raise answer
    return heard


async def _answer(desk: AppState, upload: Upload) -> Prediction:
    settings, card = desk.house.settings, desk.house.card
    task = {"do": "recognise", "name": upload.name, "longest_s": settings.clip_s}
    told, _ = await run_task(desk.house.pool, task, upload.content, within_s=settings.clip_time_s, waits_s=WAITS_S)
    return decode_prediction(
        told["answer"],
        tuple(card["emotions"]),
        model=card["id"],
        source=upload.name,
        uncertain_below=card["uncertain_below"],
    )


def _written(heard: Sequence[Prediction | ApiError], names: Sequence[str], form: str) -> bytes:
    """Answers and failures in a form.

    Raises:
        Refusal: there are failures, and no answer or no place for them in the form.
    """
    answers = [one for one in heard if isinstance(one, Prediction)]
    failures = [
        {"number": number, "path": names[number], "code": one.code, "message": one.message}
        for number, one in enumerate(heard)
        if isinstance(one, ApiError)
    ]
    if failures and (form != "json" or not answers):
        raise ApiError("invalid_audio", f"{len(failures)} of {len(heard)} files cannot be answered", failures=failures)
    if form == "json":
        return json.dumps({"answers": [to_object(answer) for answer in answers], "failures": failures}).encode()
    text = io.StringIO(newline="")
    get_format(form).write(answers, text)
    return text.getvalue().encode("utf-8", "surrogateescape")
