"""WebSocket /v1/stream: live audio -> a segment every 1.5 s, and the timeline at the end.

    client  {"rate_hz": 16000, "encoding": "pcm16"}     or "float32"; optionally "channels", "name", "adapt", "key"
    server  {"type": "ready", "model": ..., "emotions": [...]}
    client  binary chunks of samples, little-endian, channels interleaved
    server  {"type": "segment", "start_s": 0.0, "end_s": 3.0, "speech": true, "emotion": "happy", ...}
    client  {"type": "end"}
    server  {"type": "timeline", "timeline": {...}}     and closes with 1000

An error is sent as `{"type": "error", "error": {...}}` before the connection is closed. The service reads a chunk only
after it has processed the previous one: TCP flow control slows down a client that sends faster.
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

CLOSE_NORMAL, CLOSE_POLICY_VIOLATION, CLOSE_TRY_AGAIN_LATER = 1000, 1008, 1013
MAX_CHANNELS = 8

ClientMessage = TypeVar("ClientMessage", bound=BaseModel)

router = APIRouter()


class StreamStart(BaseModel):
    """The first message of a client."""

    model_config = ConfigDict(extra="forbid", strict=True, title="start message")

    rate_hz: float = Field(ge=8_000, le=192_000, allow_inf_nan=False)
    encoding: str = Field(pattern="^(pcm16|float32)$")
    channels: int = Field(default=1, ge=1, le=MAX_CHANNELS)
    name: str = Field(default="stream", min_length=1, max_length=255)
    adapt: bool = True
    key: str = ""


class StreamEnd(BaseModel):
    """The last message of a client."""

    model_config = ConfigDict(extra="forbid", strict=True, title="end message")

    type: str = Field(pattern="^end$")


@router.websocket("/v1/stream")
async def stream(websocket: WebSocket) -> None:
    """Process one stream, from its start message to its end."""
    state = get_state(websocket)
    try:
        state.check_stream_limit()
        await websocket.accept()
        await _serve(websocket, state)
    except ApiError as error:  # before the connection was accepted
        await websocket.send_denial_response(error.response())
    except WebSocketDisconnect:
        pass


async def _serve(websocket: WebSocket, state: AppState) -> None:
    """Process a stream; report an error to the client. A client counts as a stream only after its start message."""
    try:
        start = await _receive_start(websocket, state)
        with state.stream() as pool:
            await _process(websocket, start, _StreamSession(state, pool), state.backend.settings.stream_idle_timeout_s)
        await websocket.close(CLOSE_NORMAL)
    except ApiError as error:
        await websocket.send_text(json.dumps({"type": "error", **error.content}))
        await websocket.close(CLOSE_TRY_AGAIN_LATER if error.code == "overloaded" else CLOSE_POLICY_VIOLATION)


async def _receive_start(websocket: WebSocket, state: AppState) -> StreamStart:
    """Return the start message.

    Raises:
        ApiError: it is not valid, or its API key is missing or wrong.
    """
    start = _parse(StreamStart, await _receive(websocket, state.backend.settings.header_timeout_s))
    keys = websocket.scope.get("overtone.keys")
    if keys and keys.owner(start.key) is None:
        message = "an API key is needed: 'key' in the start message, or Authorization: Bearer KEY"
        raise ApiError("unauthorized", message)
    return start


async def _process(websocket: WebSocket, start: StreamStart, session: "_StreamSession", idle_timeout_s: float) -> None:
    try:
        model = await session.open(start)
        await websocket.send_text(json.dumps({"type": "ready", **model}))
        while True:
            content = await _receive(websocket, idle_timeout_s)
            if isinstance(content, str):
                _parse(StreamEnd, content)
                timeline = await session.finish()
                await websocket.send_text(f'{{"type": "timeline", "timeline": {timeline}}}')
                return
            for segment in await session.push(content):
                await websocket.send_text(json.dumps({"type": "segment", **segment}))
    finally:
        session.close()


async def _receive(websocket: WebSocket, timeout_s: float) -> str | bytes:
    """Return the next message, text or bytes; empty ones are skipped and do not extend the timeout.

    Raises:
        ApiError: no message arrived in time.
        WebSocketDisconnect: the client closed the connection.
    """
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                message = await websocket.receive()
                if message["type"] == "websocket.disconnect":
                    raise WebSocketDisconnect(message.get("code", CLOSE_NORMAL))
                text: str | None = message.get("text")
                content: bytes = message.get("bytes") or b""
                if text is not None or content:
                    return content if text is None else text
    except TimeoutError as error:
        raise ApiError("upload_timeout", f"no message arrived for {timeout_s:.0f} s; open another stream") from error


def _parse(model: type[ClientMessage], content: str | bytes) -> ClientMessage:
    if isinstance(content, bytes):
        raise ApiError("malformed_request", "expected a start message as JSON text before the first chunk")
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        location = ".".join(map(str, first["loc"])) or model.model_config.get("title")
        raise ApiError("invalid_parameter", f"{location}: {first['msg']}") from error


class _StreamSession:
    """A stream in a worker."""

    def __init__(self, state: AppState, pool: WorkerPool) -> None:
        self._settings = state.backend.settings
        self._pool = pool
        self._id = new_id()
        self._open = False

    async def open(self, start: StreamStart) -> dict[str, Any]:
        """Open the stream; return the model id and its emotions."""
        self._open = True
        options = start.model_dump(exclude={"key"})
        model, _ = await self._run({"task": "stream_open", "max_duration_s": self._settings.max_recording_s, **options})
        return model

    async def push(self, content: bytes) -> list[dict[str, Any]]:
        """Return the segments that a chunk completes."""
        result, _ = await self._run({"task": "stream_push"}, content)
        segments: list[dict[str, Any]] = result["segments"]
        return segments

    async def finish(self) -> str:
        """End the stream; return its timeline as JSON."""
        _, content = await self._run({"task": "stream_finish"})
        self._open = False
        return content.decode()

    def close(self) -> None:
        """Make the worker release the stream, if it is still open."""
        if self._open:
            with suppress(OverloadedError):  # during shutdown the worker ends anyway
                task = {"task": "stream_close", "stream": self._id}
                self._pool.submit(task, timeout_s=self._settings.clip_timeout_s)

    async def _run(self, task: dict[str, Any], content: bytes = b"") -> tuple[dict[str, Any], bytes]:
        finishes = task["task"] == "stream_finish"
        timeout_s = self._settings.recording_timeout_s if finishes else self._settings.clip_timeout_s
        return await run_task(self._pool, {**task, "stream": self._id}, lambda: content, timeout_s=timeout_s)
