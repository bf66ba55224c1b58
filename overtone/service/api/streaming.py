"""WebSocket /v1/stream: sound while it comes in -> an answer every 1.5 s, and the timeline at its end.

    client  {"rate_hz": 16000, "encoding": "pcm16"}     or "float32"; and "channels", "name", "key" where needed
    server  {"type": "ready", "model": ..., "emotions": [...]}
    client  binary chunks of samples, little-endian, channels interleaved
    server  {"type": "segment", "start_s": 0.0, "end_s": 3.0, "speech": true, "emotion": "happy", ...}
    client  {"type": "end"}
    server  {"type": "timeline", "timeline": {...}}     and closes with 1000

What goes wrong is told as `{"type": "error", "error": {...}}` before the connection is closed. A chunk is read only
when the one before has been heard: who sends too fast is slowed down by TCP.
"""

import asyncio
import json
from contextlib import suppress
from typing import Any, TypeVar

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from overtone.service.api.errors import ApiError
from overtone.service.api.state import AppState, get_state, run_task
from overtone.service.job_store import new_id
from overtone.service.worker_pool import OverloadedError, WorkerPool

CLOSED_WELL, CLOSED_POLICY, CLOSED_BUSY = 1000, 1008, 1013
MOST_CHANNELS = 8

Model = TypeVar("Model", bound=BaseModel)

router = APIRouter()


class StreamStart(BaseModel):
    """The first message of a client."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rate_hz: float = Field(ge=8_000, le=192_000, allow_inf_nan=False)
    encoding: str = Field(pattern="^(pcm16|float32)$")
    channels: int = Field(default=1, ge=1, le=MOST_CHANNELS)
    name: str = Field(default="stream", min_length=1, max_length=255)
    key: str = ""


class StreamEnd(BaseModel):
    """The last one."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: str = Field(pattern="^end$")


@router.websocket("/v1/stream")
async def stream(websocket: WebSocket) -> None:
    """One stream from its hello to its end."""
    desk = get_state(websocket)
    try:
        desk.check_stream()
        await websocket.accept()
        await _talk(websocket, desk)
    except ApiError as refusal:  # before it was accepted
        await websocket.send_denial_response(refusal.response())
    except WebSocketDisconnect:
        pass


async def _talk(websocket: WebSocket, desk: AppState) -> None:
    """All of it, and a word of goodbye where something is wrong. Who says no hello takes nobody's place."""
    try:
        hello = await _greeted(websocket, desk)
        with desk.stream() as listener:
            await _hear(websocket, hello, _StreamSession(desk, listener), desk.house.settings.stream_idle_s)
        await websocket.close(CLOSED_WELL)
    except ApiError as refusal:
        await websocket.send_text(json.dumps({"type": "error", **refusal.content}))
        await websocket.close(CLOSED_BUSY if refusal.code == "busy" else CLOSED_POLICY)


async def _greeted(websocket: WebSocket, desk: AppState) -> StreamStart:
    """The hello of who may come in."""
    hello = _read(StreamStart, await _received(websocket, desk.house.settings.head_s))
    keys = websocket.scope.get("overtone.keys")
    if keys and keys.owner(hello.key) is None:
        raise ApiError("unauthorized", "an API key is needed: as 'key' of the hello, or Authorization: Bearer KEY")
    return hello


async def _hear(websocket: WebSocket, hello: StreamStart, heard: "_StreamSession", idle_s: float) -> None:
    try:
        told = await heard.open(hello)
        await websocket.send_text(json.dumps({"type": "ready", **told}))
        while True:
            content = await _received(websocket, idle_s)
            if isinstance(content, str):
                _read(StreamEnd, content)
                timeline = await heard.finish()
                await websocket.send_text(f'{{"type": "timeline", "timeline": {timeline}}}')
                return
            for segment in await heard.push(content):
                await websocket.send_text(json.dumps({"type": "segment", **segment}))
    finally:
        heard.close()


async def _received(websocket: WebSocket, within_s: float) -> str | bytes:
    """The next message, text or bytes; an empty one says nothing, and does not count.

    Raises:
        Refusal: none comes.
        WebSocketDisconnect: the client has gone.
    """
    try:
        async with asyncio.timeout(within_s):
            while True:
                message = await websocket.receive()
                if message["type"] == "websocket.disconnect":
                    raise WebSocketDisconnect(message.get("code", CLOSED_WELL))
                text: str | None = message.get("text")
                content: bytes = message.get("bytes") or b""
                if text is not None or content:
                    return content if text is None else text
    except TimeoutError as error:
        raise ApiError("upload_timeout", f"nothing has come for {within_s:.0f} s; begin another stream") from error


def _read(kind: type[Model], content: str | bytes) -> Model:
    if isinstance(content, bytes):
        raise ApiError("malformed", "expected a hello as JSON text before the first chunk")
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or kind.__name__.lower()
        raise ApiError("invalid_parameter", f"{where}: {first['msg']}") from error


class _StreamSession:
    """A stream as a worker hears it."""

    def __init__(self, desk: AppState, listener: WorkerPool) -> None:
        self._settings = desk.house.settings
        self._listener = listener
        self._id = new_id()
        self._open = False

    async def open(self, hello: StreamStart) -> dict[str, Any]:
        """What the worker says of itself."""
        self._open = True
        told, _ = await self._asked(
            {
                "do": "open",
                "longest_s": self._settings.recording_s,
                **hello.model_dump(exclude={"key"}),
            }
        )
        return told

    async def push(self, content: bytes) -> list[dict[str, Any]]:
        """The segments that a chunk completes."""
        told, _ = await self._asked({"do": "push"}, content)
        segments: list[dict[str, Any]] = told["segments"]
        return segments

    async def finish(self) -> str:
        """The timeline as JSON."""
        _, content = await self._asked({"do": "finish"})
        self._open = False
        return content.decode()

    def close(self) -> None:
        """Lets the worker forget the stream."""
        if self._open:
            with suppress(OverloadedError):  # the service ends, and the worker with it
                self._listener.submit({"do": "close", "stream": self._id}, within_s=self._settings.clip_time_s)

    async def _asked(self, task: dict[str, Any], content: bytes = b"") -> tuple[dict[str, Any], bytes]:
        whole = {**task, "stream": self._id}
        within_s = self._settings.recording_time_s if task["do"] == "finish" else self._settings.clip_time_s
        return await run_task(self._listener, whole, lambda: content, within_s=within_s)
