"""POST /v1/recognise: one sound file or several -> an answer for each, in any form of `overtone.outputs`."""

import asyncio
import io
import json
from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response

from overtone.outputs import FORMS, form_named
from overtone.outputs.json import as_object
from overtone.tasks.numbers import answer_of
from overtone.tasks.service.store import First
from overtone.ui.service import firsts, schemas
from overtone.ui.service.bodies import Limits, uploads
from overtone.ui.service.desk import Desk, desk_of, done, expect_known, owner_of
from overtone.ui.service.forms import answer_form, content_type, contents
from overtone.ui.service.parts import Upload
from overtone.ui.service.refusals import Refusal, busy
from overtone.values import Answer

WAITS_S = 10.0  # of a clip for a worker, after which its client had better try again

router = APIRouter()


@router.post(
    "/v1/recognise",
    summary="Which emotion is heard in one or more sound files",
    response_model=None,
    responses={
        200: {"description": "answers", "content": contents(FORMS, schemas.ANSWERS, "Answers")},
        **schemas.refusals(
            *("malformed", "form_unknown", "too_slow_upload", "too_large", "type_refused", "sound_refused", "busy")
        ),
    },
    openapi_extra={
        "parameters": [
            schemas.parameter("form", "instead of Accept", enum=sorted(FORMS)),
            schemas.NAME,
            schemas.KEY,
        ],
        "requestBody": schemas.body(file={"type": "array", "items": schemas.SOUND, "minItems": 1}),
    },
)
async def recognise(request: Request) -> Response:
    """One file gives an answer or an error. Of several, those that cannot be answered are told as `failures`."""
    desk, query = desk_of(request), request.query_params
    expect_known(request, ("form", "name"))
    form = answer_form(query.get("form"), request.headers.get("accept", ""))
    key = firsts.key_of(request, owner_of(request))
    if desk.house.pool.full:
        raise busy()
    settings = desk.house.settings
    limits = Limits(settings.clip_bytes, settings.files, settings.upload_time_s)
    with desk.upload():
        async with desk.firsts.turn(key), uploads(request, limits, query.get("name", "")) as files:
            names = [one.name for one in files]
            asked = await asyncio.to_thread(firsts.digest, [form, *names], [one.file for one in files]) if key else ""
            first = await desk.firsts.first(key, asked)
            if first is not None:
                return Response(first.content, headers={"Idempotency-Replayed": "true"}, media_type=first.type)
            content = _written(await _heard(desk, files), names, form)
            await desk.firsts.keep(key, First(asked, content_type(form), content))
    return Response(content, media_type=content_type(form))


async def _heard(desk: Desk, files: Sequence[Upload]) -> list[Answer | Refusal]:
    """What is heard in each file, in order; one request never has more workers busy than there are."""
    turn = asyncio.Semaphore(desk.house.settings.workers)

    async def one(upload: Upload) -> Answer | Refusal:
        async with turn:
            try:
                return await _answer(desk, upload)
            except Refusal as refusal:
                return refusal

    heard = await asyncio.gather(*map(one, files))
    for answer in heard:
        if isinstance(answer, Refusal) and (len(files) == 1 or answer.code == "busy"):
            raise answer
    return heard


async def _answer(desk: Desk, upload: Upload) -> Answer:
    settings, card = desk.house.settings, desk.house.card
    task = {"do": "recognise", "name": upload.name, "longest_s": settings.clip_s}
    told, _ = await done(desk.house.pool, task, upload.content, within_s=settings.clip_time_s, waits_s=WAITS_S)
    return answer_of(
        told["answer"],
        tuple(card["emotions"]),
        model=card["id"],
        source=upload.name,
        uncertain_below=card["uncertain_below"],
    )


def _written(heard: Sequence[Answer | Refusal], names: Sequence[str], form: str) -> bytes:
    """Answers and failures in a form.

    Raises:
        Refusal: there are failures, and no answer or no place for them in the form.
    """
    answers = [one for one in heard if isinstance(one, Answer)]
    failures = [
        {"number": number, "path": names[number], "code": one.code, "message": one.message}
        for number, one in enumerate(heard)
        if isinstance(one, Refusal)
    ]
    if failures and (form != "json" or not answers):
        raise Refusal("sound_refused", f"{len(failures)} of {len(heard)} files cannot be answered", failures=failures)
    if form == "json":
        return json.dumps({"answers": [as_object(answer) for answer in answers], "failures": failures}).encode()
    text = io.StringIO(newline="")
    form_named(form).write(answers, text)
    return text.getvalue().encode("utf-8", "surrogateescape")
