"""POST /v1/recognise: one or more audio files -> a prediction for each, in any format of `overtone.formats`."""

import asyncio
import io
import json
from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response

from overtone._internal.prediction_codec import decode_prediction
from overtone.datatypes import Prediction
from overtone.formats import PREDICTION_FORMATS, get_format
from overtone.formats.json import to_object
from overtone.service.api import idempotency, schemas
from overtone.service.api.content_negotiation import content_type, contents, negotiate_prediction_format
from overtone.service.api.errors import ApiError, overloaded
from overtone.service.api.multipart import Upload
from overtone.service.api.state import AppState, check_query_parameters, get_owner, get_state, run_task
from overtone.service.api.uploads import UploadLimits, read_uploads
from overtone.service.job_store import StoredResponse

MAX_WAIT_S = 10.0  # of a clip in the queue; after that a retry is better for the client

router = APIRouter()


@router.post(
    "/v1/recognise",
    summary="Recognise the emotion of one or more audio files",
    response_model=None,
    responses={
        200: {
            "description": "the predictions",
            "content": contents(PREDICTION_FORMATS, schemas.PREDICTIONS, "Predictions"),
        },
        **schemas.error_responses(
            "malformed_request",
            "not_acceptable",
            "upload_timeout",
            "too_large",
            "unsupported_media_type",
            "invalid_audio",
            "overloaded",
        ),
    },
    openapi_extra={
        "parameters": [
            schemas.parameter("format", "format of the response, instead of Accept", enum=sorted(PREDICTION_FORMATS)),
            schemas.NAME,
            schemas.IDEMPOTENCY_KEY,
        ],
        "requestBody": schemas.body(file={"type": "array", "items": schemas.AUDIO, "minItems": 1}),
    },
)
async def recognise(request: Request) -> Response:
    """Return a prediction per file. If one of several files fails, its error is in `failures`."""
    state, query = get_state(request), request.query_params
    check_query_parameters(request, ("format", "name"))
    format_name = negotiate_prediction_format(query.get("format"), request.headers.get("accept", ""))
    key = idempotency.scoped_key(request, get_owner(request))
    if state.backend.pool.full:
        raise overloaded()
    settings = state.backend.settings
    limits = UploadLimits(settings.max_clip_bytes, settings.max_files, settings.upload_timeout_s)
    with state.upload():
        async with state.idempotency.lock(key), read_uploads(request, limits, query.get("name", "")) as uploads:
            names = [upload.name for upload in uploads]
            digest = ""
            if key:
                files = [upload.file for upload in uploads]
                digest = await asyncio.to_thread(idempotency.request_digest, [format_name, *names], files)
            stored = await state.idempotency.get(key, digest)
            if stored is not None:
                headers = {"Idempotency-Replayed": "true"}
                return Response(stored.content, headers=headers, media_type=stored.media_type)
            content = _serialise(await _recognise_all(state, uploads), names, format_name)
            await state.idempotency.store(key, StoredResponse(digest, content_type(format_name), content))
    return Response(content, media_type=content_type(format_name))


async def _recognise_all(state: AppState, uploads: Sequence[Upload]) -> list[Prediction | ApiError]:
    """Return the prediction or error of each file, in order; a request uses at most as many tasks as workers.

    Raises:
        ApiError: the only file failed, or the service is overloaded.
    """
    slots = asyncio.Semaphore(state.backend.settings.workers)

    async def recognise_one(upload: Upload) -> Prediction | ApiError:
        async with slots:
            try:
                return await _recognise(state, upload)
            except ApiError as error:
                return error

    results = await asyncio.gather(*map(recognise_one, uploads))
    for result in results:
        if isinstance(result, ApiError) and (len(uploads) == 1 or result.code == "overloaded"):
            raise result
    return results


async def _recognise(state: AppState, upload: Upload) -> Prediction:
    settings, card = state.backend.settings, state.backend.card
    task = {"task": "recognise", "name": upload.name, "max_duration_s": settings.max_clip_s}
    result, _ = await run_task(
        state.backend.pool, task, upload.content, timeout_s=settings.clip_timeout_s, max_wait_s=MAX_WAIT_S
    )
    return decode_prediction(
        result["prediction"],
        tuple(card["predicted_emotions"]),
        model=card["id"],
        source=upload.name,
        uncertain_below=card["uncertain_below"],
    )


def _serialise(results: Sequence[Prediction | ApiError], names: Sequence[str], format_name: str) -> bytes:
    """Return the body of the response: predictions and failures.

    Raises:
        ApiError: there are failures, and no predictions or no place for failures in the format.
    """
    predictions = [result for result in results if isinstance(result, Prediction)]
    failures = [
        {"index": index, "path": names[index], "code": result.code, "message": result.message}
        for index, result in enumerate(results)
        if isinstance(result, ApiError)
    ]
    if failures and (format_name != "json" or not predictions):
        raise ApiError(
            "invalid_audio", f"{len(failures)} of {len(results)} files cannot be recognised", failures=failures
        )
    if format_name == "json":
        objects = [to_object(prediction) for prediction in predictions]
        return json.dumps({"predictions": objects, "failures": failures}).encode()
    text = io.StringIO(newline="")
    get_format(format_name).write(predictions, text)
    return text.getvalue().encode("utf-8", "surrogateescape")
