"""POST /v1/recognise: one or more audio files -> a prediction for each, in any format of `overtone.formats`."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from overtone._internal.prediction_codec import decode_prediction
from overtone.datatypes import Prediction
from overtone.each_channel import ChannelChoice
from overtone.formats import DEFAULT_DIALECT, PREDICTION_FORMATS, encode
from overtone.formats.json import to_object
from overtone.service.api import idempotency, schemas
from overtone.service.api.channel_fields import FIELDS as CHANNEL_FIELDS
from overtone.service.api.channel_fields import check_not_each, read_channel_choice
from overtone.service.api.content_negotiation import content_type, contents, negotiate_prediction_format, read_dialect
from overtone.service.api.errors import ApiError, overloaded
from overtone.service.api.multipart import Upload
from overtone.service.api.reference_clips import FIELD, failure, measure_reference_clips
from overtone.service.api.state import (
    MAX_CLIP_WAIT_S,
    AppState,
    check_query_parameters,
    get_owner,
    get_state,
    run_for_each,
    run_task,
)
from overtone.service.api.uploads import UploadLimits, read_body
from overtone.service.ipc import Message
from overtone.service.job_records import StoredResponse

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
            schemas.CSV_DIALECT,
            schemas.NAME,
            *schemas.CHANNEL_PARAMETERS,
            schemas.IDEMPOTENCY_KEY,
        ],
        "requestBody": schemas.body(
            file={"type": "array", "items": schemas.AUDIO, "minItems": 1},
            reference={"type": "array", "items": schemas.REFERENCE},
            **schemas.CHANNEL_FIELDS,
        ),
    },
)
async def recognise(request: Request) -> Response:
    """Return a prediction per file, or per channel of it, adapted to the files `reference`; failures are listed."""
    state, query = get_state(request), request.query_params
    check_query_parameters(request, ("format", "csv_dialect", "name", *CHANNEL_FIELDS))
    format_name = negotiate_prediction_format(query.get("format"), request.headers.get("accept", ""))
    dialect = read_dialect(query.get("csv_dialect"), format_name, PREDICTION_FORMATS)
    key = idempotency.scoped_key(request, get_owner(request))
    if state.backend.pool.full:
        raise overloaded()
    settings = state.backend.settings
    fields = {"file": settings.max_files, FIELD: settings.max_reference_files}
    limits = UploadLimits(settings.max_clip_bytes, settings.upload_timeout_s, fields, CHANNEL_FIELDS)
    with state.upload():
        async with state.idempotency.lock(key), read_body(request, limits, query.get("name", "")) as body:
            uploads, choice = body.files, read_channel_choice(request, body.texts)
            digest = ""
            if key:
                names = [f"{upload.field}/{upload.name}" for upload in uploads]
                files = [upload.file for upload in uploads]
                texts = [format_name, choice.channel, *choice.names, *names]
                texts += [] if dialect == DEFAULT_DIALECT else [dialect]
                digest = await asyncio.to_thread(idempotency.request_digest, texts, files)
            stored = await state.idempotency.get(key, digest)
            if stored is not None:
                headers = {"Idempotency-Replayed": "true"}
                return Response(stored.content, headers=headers, media_type=stored.media_type)
            content = await _recognise_all(state, uploads, format_name, dialect, choice)
            await state.idempotency.store(key, StoredResponse(digest, content_type(format_name), content))
    return Response(content, media_type=content_type(format_name))


async def _recognise_all(
    state: AppState, uploads: Sequence[Upload], format_name: str, dialect: str, choice: ChannelChoice
) -> bytes:
    """Return the body of the response: the predictions or errors of each file, adapted to the reference clips.

    Raises:
        ApiError: no file or no reference clip can be recognised, or the service is overloaded; or there are failures,
            and no place for them in the format.
    """
    references = [upload for upload in uploads if upload.field == FIELD]
    files = [upload for upload in uploads if upload.field != FIELD]
    if references:
        check_not_each(choice, FIELD)
    adaptation, failures = await measure_reference_clips(state, references, choice.channel)
    task = {"task": "recognise", "channel": choice.channel, "channel_names": choice.names, **adaptation}
    by_file = await run_for_each(state, files, lambda upload: _recognise(state, upload, task))
    results = [
        (index, result)
        for index, of_file in enumerate(by_file)
        for result in ([of_file] if isinstance(of_file, ApiError) else of_file)
    ]
    if len(results) == 1 and isinstance(results[0][1], ApiError):
        raise results[0][1]
    predictions = [result for _, result in results if isinstance(result, Prediction)]
    failures = [
        *(
            failure(files[index].field, index, files[index].name, result)
            for index, result in results
            if isinstance(result, ApiError)
        ),
        *failures,
    ]
    if failures and (format_name != "json" or not predictions):
        total = f"{len(results) + len(references)} {'channels' if choice.is_each else 'files'}"
        message = f"{len(failures)} of {total} cannot be recognised"
        if len(by_file) == 1 and choice.is_each:
            message = f"{files[0].name}: {message}"
        raise ApiError("invalid_audio", message, failures=failures)
    return await asyncio.to_thread(_serialise, predictions, failures, format_name, dialect)  # pyarrow is slow to import


async def _recognise(state: AppState, upload: Upload, task: Message) -> list[Prediction | ApiError]:
    """Return the prediction of a file, or that of each of its channels or the error in its place."""
    settings, card = state.backend.settings, state.backend.card
    task = {**task, "name": upload.name, "max_duration_s": settings.max_clip_s}
    reply, _ = await run_task(
        state.backend.pool, task, upload.content, timeout_s=settings.clip_timeout_s, max_wait_s=MAX_CLIP_WAIT_S
    )
    return [
        ApiError("invalid_audio", result["rejected"])
        if "rejected" in result
        else decode_prediction(
            result["prediction"],
            tuple(card["predicted_emotions"]),
            model=card["id"],
            source=upload.name,
            uncertain_below=card["uncertain_below"],
        )
        for result in reply.get("channels", [reply])
    ]


def _serialise(
    predictions: Sequence[Prediction], failures: Sequence[dict[str, Any]], format_name: str, dialect: str
) -> bytes:
    """Return the body of the response; only JSON has a place for failures."""
    if format_name == "json":
        objects = [to_object(prediction) for prediction in predictions]
        return json.dumps({"predictions": objects, "failures": failures}).encode()
    return encode(predictions, format_name, dialect=dialect)
