"""What every door needs: the house behind it, how many are at it, and who it is that asks."""

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from fastapi import Request
from starlette.requests import HTTPConnection

from overtone.errors import suggest
from overtone.service.api.errors import ApiError, busy
from overtone.service.api.idempotency import IdempotencyCache
from overtone.service.backend import ServiceBackend
from overtone.service.ipc import Message
from overtone.service.worker_pool import OverloadedError, TaskFailedError, WorkerPool, nothing


class AppState:
    """One for all doors of an app; used by its event loop alone.

    Args:
        house: the service.

    Attributes:
        uploads: bodies that are on their way.
    """

    def __init__(self, house: ServiceBackend) -> None:
        self.house = house
        self.firsts = IdempotencyCache(house.store)
        self.uploads = 0
        self._listening: Counter[int] = Counter()

    @property
    def streams(self) -> int:
        """How many are open."""
        return self._listening.total()

    @contextmanager
    def upload(self) -> Iterator[None]:
        """A body may be read.

        Raises:
            Refusal: too many are on their way, or the service ends.
        """
        if self.uploads >= self.house.settings.uploads or self.house.closing:
            raise busy()
        self.uploads += 1
        try:
            yield
        finally:
            self.uploads -= 1

    def check_stream(self) -> None:
        """One more stream may be opened.

        Raises:
            Refusal: too many are open, or the service ends.
        """
        if self.streams >= self.house.settings.streams or self.house.closing:
            raise busy("as many streams are open as may be; try again later", 5)

    @contextmanager
    def stream(self) -> Iterator[WorkerPool]:
        """A stream may be opened; who hears it. Refused as of `check_stream`."""
        self.check_stream()
        listeners = self.house.stream_pools()
        place = min(range(len(listeners)), key=self._listening.__getitem__)
        self._listening[place] += 1
        try:
            yield listeners[place]
        finally:
            self._listening[place] -= 1


def get_state(connection: HTTPConnection) -> AppState:
    """The desk of the app that was asked."""
    desk: AppState = connection.app.state.desk
    return desk


def get_owner(connection: HTTPConnection) -> str:
    """Name of the API key that was given; "" without keys."""
    owner: str = connection.scope.get("overtone.owner", "")
    return owner


def check_query_parameters(request: Request, known: Iterable[str]) -> None:
    """Nothing, where all parameters of the query are known and given once.

    Raises:
        Refusal: one is not; the message names the nearest.
    """
    known = tuple(known)
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in known:
            hint = suggest(name, known) if known else "; there are none"
            raise ApiError("invalid_parameter", f"no parameter is called {name!r}{hint}")
        if given.count(name) > 1:
            raise ApiError("invalid_parameter", f"{name}: given {given.count(name)} times; once is enough")


async def run_task(
    pool: WorkerPool,
    message: Message,
    payload: Callable[[], bytes] = nothing,
    *,
    within_s: float,
    waits_s: float = math.inf,
) -> tuple[Message, bytes]:
    """What a pool makes of a task.

    Args:
        pool: that does it.
        message: says what.
        payload: gives the bytes beside it.
        within_s: how long it may take.
        waits_s: how long it may wait before.

    Raises:
        Refusal: nobody has time for it; or what the client sent cannot be used, or kills who works on it.
    """
    try:
        told, content = await asyncio.wrap_future(pool.submit(message, payload, within_s=within_s, waits_s=waits_s))
    except OverloadedError as error:
        raise busy(str(error)) from error
    except TaskFailedError as error:
        raise ApiError("invalid_audio", f"{message.get('name', 'sound')}: {error}") from error
    if "refused" in told:
        raise ApiError("invalid_audio", told["refused"])
    return told, content
