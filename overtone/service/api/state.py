"""Shared state of an app, and what all routes need: the API key's owner, parameter checks, task execution."""

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from fastapi import Request
from starlette.requests import HTTPConnection

from overtone.errors import suggest
from overtone.service.api.errors import ApiError, overloaded
from overtone.service.api.idempotency import IdempotencyCache
from overtone.service.backend import ServiceBackend
from overtone.service.ipc import Message
from overtone.service.worker_pool import OverloadedError, TaskFailedError, WorkerPool, no_payload

MAX_CLIP_WAIT_S = 10.0  # of a clip in the queue; after that a retry is better for the client
EXPLANATION_RETRY_S = 3.0  # estimated time that one takes
STREAM_RETRY_S = 5.0  # estimated time until a stream ends

Item = TypeVar("Item")
Result = TypeVar("Result")


class AppState:
    """State of one app; only its event loop may use it.

    Args:
        backend: the service behind the API.

    Attributes:
        idempotency: stored responses by idempotency key.
        uploads: number of requests whose body is being received.
        explanations: number of explanations that workers run.
    """

    def __init__(self, backend: ServiceBackend) -> None:
        self.backend = backend
        self.idempotency = IdempotencyCache(backend.store)
        self.uploads = 0
        self.explanations = 0
        self._stream_counts: Counter[int] = Counter()  # by the index of the pool

    @property
    def streams(self) -> int:
        """The number of open streams."""
        return self._stream_counts.total()

    @contextmanager
    def upload(self) -> Iterator[None]:
        """Count an upload while its body is received.

        Raises:
            ApiError: the limit of uploads is reached, or the service is shutting down.
        """
        if self.uploads >= self.backend.settings.max_uploads or self.backend.closing:
            raise overloaded()
        self.uploads += 1
        try:
            yield
        finally:
            self.uploads -= 1

    def check_explanation_limit(self) -> None:
        """Check that another prediction may be explained: half of the workers stay free for clips.

        Raises:
            ApiError: the limit is reached.
        """
        if self.explanations >= max(1, self.backend.settings.workers // 2):
            raise overloaded("other predictions are being explained; try again later", EXPLANATION_RETRY_S)

    @contextmanager
    def explanation(self) -> Iterator[None]:
        """Count an explanation while a worker runs it.

        Raises:
            ApiError: as `check_explanation_limit`.
        """
        self.check_explanation_limit()
        self.explanations += 1
        try:
            yield
        finally:
            self.explanations -= 1

    def check_stream_limit(self) -> None:
        """Check that another stream may be opened.

        Raises:
            ApiError: the limit of streams is reached, or the service is shutting down.
        """
        if self.streams >= self.backend.settings.max_streams or self.backend.closing:
            raise overloaded("the limit of open streams is reached; try again later", STREAM_RETRY_S)

    @contextmanager
    def stream(self) -> Iterator[WorkerPool]:
        """Count a stream while it is open; return the pool with the fewest streams.

        Raises:
            ApiError: as `check_stream_limit`.
        """
        self.check_stream_limit()
        pools = self.backend.stream_pools()
        index = min(range(len(pools)), key=self._stream_counts.__getitem__)
        self._stream_counts[index] += 1
        try:
            yield pools[index]
        finally:
            self._stream_counts[index] -= 1


def get_state(connection: HTTPConnection) -> AppState:
    """Return the state of the app that received a request."""
    state: AppState = connection.app.state.overtone
    return state


def get_owner(connection: HTTPConnection) -> str:
    """Return the name of the API key of a request; "" without keys."""
    owner: str = connection.scope.get("overtone.owner", "")
    return owner


def check_query_parameters(request: Request, known: Iterable[str]) -> None:
    """Check that every query parameter is known and occurs once.

    Raises:
        ApiError: a parameter is unknown (the message names the nearest known one) or repeated.
    """
    known = tuple(known)
    names = [name for name, _ in request.query_params.multi_items()]
    for name in names:
        if name not in known:
            hint = suggest(name, known) if known else "; this path has none"
            raise ApiError("invalid_parameter", f"unknown parameter {name!r}{hint}")
        if names.count(name) > 1:
            raise ApiError("invalid_parameter", f"{name}: given {names.count(name)} times; give it once")


def parse_flag(request: Request, name: str, *, default: bool) -> bool:
    """Return the value of a query parameter that is `true` or `false`.

    Raises:
        ApiError: it has another value.
    """
    text = request.query_params.get(name, str(default).lower())
    if text not in ("true", "false"):
        raise ApiError("invalid_parameter", f"{name}: expected true or false, got {text!r}")
    return text == "true"


async def run_for_each(
    state: AppState, items: Sequence[Item], run: Callable[[Item], Awaitable[Result]]
) -> list[Result | ApiError]:
    """Return the result or error of each item, in order; a request uses at most as many tasks as workers.

    Raises:
        ApiError: the service is overloaded.
    """
    slots = asyncio.Semaphore(state.backend.settings.workers)

    async def run_one(item: Item) -> Result | ApiError:
        async with slots:
            try:
                return await run(item)
            except ApiError as error:
                return error

    results = await asyncio.gather(*map(run_one, items))
    for result in results:
        if isinstance(result, ApiError) and result.code == "overloaded":
            raise result
    return results


async def run_task(
    pool: WorkerPool,
    message: Message,
    payload: Callable[[], bytes] = no_payload,
    *,
    timeout_s: float,
    max_wait_s: float = math.inf,
) -> tuple[Message, bytes]:
    """Run a task in a worker; return its result: a message and bytes.

    Args:
        pool: pool of workers.
        message: the task.
        payload: returns the binary data of the task.
        timeout_s: time limit of the task.
        max_wait_s: time limit of its wait in the queue.

    Raises:
        ApiError: no worker is free in time; or the client's data is invalid, or crashes the worker.
    """
    try:
        future = pool.submit(message, payload, timeout_s=timeout_s, max_wait_s=max_wait_s)
        result, content = await asyncio.wrap_future(future)
    except OverloadedError as error:
        raise overloaded(str(error)) from error
    except TaskFailedError as error:
        raise ApiError("invalid_audio", f"{message.get('name', 'audio')}: {error}") from error
    if "rejected" in result:
        raise ApiError("invalid_audio", result["rejected"])
    return result, content
