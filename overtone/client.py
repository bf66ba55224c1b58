"""What a running `overtone serve` answers, for programs in Python; needs nothing that Overtone does not need anyway.

    client = Client("http://127.0.0.1:8080")
    answer = client.recognise("clip.wav")         # an `Answer`, as of `overtone.load().recognise`
    table = client.timeline("talk.flac", "csv")   # bytes in any form; without one, what its JSON says

A request that the service refuses because it has too much to do, or whose connection breaks, is sent again; no job is
ever done twice.
"""

import contextlib
import functools
import http.client
import io
import json
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import quote, urlsplit

import numpy as np

from overtone.datatypes import Prediction
from overtone.errors import InputError, OvertoneError, ServiceError

BUSY = (429, 503)
BREAK_S = 1.0

Source = str | os.PathLike[str] | bytes | BinaryIO


class _Reply(NamedTuple):
    status: int
    after_s: float
    content: bytes


class Client:
    """A service, seen from another program; threads may use one at the same time.

    Args:
        url: where it is.
        key: API key, where it asks for one.
        timeout_s: for one exchange.
        patience_s: how long to go on trying while it is busy or cannot be reached.

    Raises:
        InputError: the URL is none.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        key: str | None = None,
        *,
        timeout_s: float = 60.0,
        patience_s: float = 60.0,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"{url}: expected an address such as http://127.0.0.1:8080")
        self._url, self._host, self._root = url, parts.netloc.rpartition("@")[2], parts.path.rstrip("/")
        self._kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._timeout_s, self._patience_s = timeout_s, patience_s

    @functools.cached_property
    def models(self) -> list[dict[str, Any]]:
        """The cards of the models that answer there; the first one is used."""
        cards: list[dict[str, Any]] = json.loads(self._asked("GET", "/v1/models"))["models"]
        return cards

    def recognise(self, source: Source) -> Prediction:
        """What is heard in one sound.

        Args:
            source: path, bytes or file object.

        Raises:
            InputError: the file cannot be read here, or not be judged there.
            ServiceError: the service cannot be reached, is busy for too long, or refuses.
        """
        with _opened(source) as (name, body):
            told = json.loads(self._asked("POST", f"/v1/recognise?name={_quoted(name)}", body))["answers"][0]
        return Prediction(
            emotions=tuple(told["probabilities"]),
            probabilities=np.array(list(told["probabilities"].values())),
            branches={branch: np.array(list(values.values())) for branch, values in told["branches"].items()},
            duration_s=told["duration_s"],
            prosody=told["prosody"],
            model=told["model"],
            source=told["path"],
            uncertain_below=self.models[0].get("uncertain_below", 0.0),
        )

    def recognise_many(self, sources: Iterable[Source]) -> Iterator[Prediction | OvertoneError]:
        """One answer per source, in order; where one cannot be recognised, the error in its place."""
        for source in sources:
            try:
                yield self.recognise(source)
            except OvertoneError as error:
                yield error

    def timeline(self, source: Source, form: str | None = None) -> Any:
        """What is heard when in a recording of any length; waits until it is done, and leaves nothing behind.

        Args:
            source: path, bytes or file object.
            form: as `overtone timeline --format` takes it, which gives bytes; None for what form `json` says.

        Raises:
            InputError: the file cannot be read here, or not be heard there.
            ServiceError: the service cannot be reached, is busy for too long, or refuses.
        """
        job = self.begin_timeline(source)
        try:
            while job["state"] in ("queued", "running"):
                time.sleep(BREAK_S / 2)
                job = self.job(job["id"])
            content = self._asked("GET", f"{job['timeline']}?format={quote(form or 'json')}")
        finally:
            with contextlib.suppress(ServiceError):  # what was heard is worth more than tidiness
                self._asked("DELETE", f"/v1/jobs/{job['id']}")
        return json.loads(content) if form is None else content

    def begin_timeline(self, source: Source) -> dict[str, Any]:
        """The job that makes a timeline, which goes on by itself; errors as of `timeline`."""
        with _opened(source) as (name, body):
            job: dict[str, Any] = json.loads(self._asked("POST", f"/v1/timeline?name={_quoted(name)}", body))
        return job

    def job(self, job_id: str) -> dict[str, Any]:
        """How far a job is: its `state`, and `processed_s` of `duration_s`; errors as of `timeline`."""
        job: dict[str, Any] = json.loads(self._asked("GET", f"/v1/jobs/{job_id}"))
        return job

    def _asked(self, method: str, path: str, body: BinaryIO | None = None) -> bytes:
        """What the service answers, after as many attempts as patience allows."""
        headers = dict(self._headers)
        if body is not None:
            size = str(body.seek(0, io.SEEK_END))
            headers |= {"Content-Type": "application/octet-stream", "Content-Length": size}
        if path.startswith("/v1/timeline"):  # an answer to a clip is the same each time, and needs no key
            headers |= {"Idempotency-Key": uuid.uuid4().hex}
        until_s = time.monotonic() + self._patience_s
        while True:
            try:
                reply = self._exchanged(method, path, body, headers)
            except (OSError, http.client.HTTPException) as error:
                if time.monotonic() + BREAK_S > until_s:
                    raise ServiceError(f"{self._url}: cannot be reached: {error}; is the service running?") from error
                time.sleep(BREAK_S)
                continue
            if reply.status not in BUSY or time.monotonic() + reply.after_s > until_s:
                return self._expected(reply)
            time.sleep(reply.after_s)

    def _exchanged(self, method: str, path: str, body: BinaryIO | None, headers: dict[str, str]) -> _Reply:
        connection = self._kind(self._host, timeout=self._timeout_s)
        try:
            if body is not None:
                body.seek(0)
            connection.request(method, self._root + path, body, headers)
            response = connection.getresponse()
            after = response.headers.get("Retry-After", "")
            return _Reply(response.status, float(after) if after.isdigit() else BREAK_S, response.read())
        finally:
            connection.close()

    def _expected(self, reply: _Reply) -> bytes:
        """The content of a reply that is none of an error."""
        if reply.status < 400:
            return reply.content
        try:
            message = json.loads(reply.content)["error"]["message"]
        except (ValueError, KeyError, TypeError):
            message = "answers what no service of Overtone answers"
        if reply.status == 422:
            raise InputError(message)
        raise ServiceError(f"{self._url}: {reply.status}: {message}")


def _quoted(name: str) -> str:
    """A name in a query; of bytes that are no UTF-8 there is a question mark."""
    return quote(name, errors="replace")


@contextlib.contextmanager
def _opened(source: Source) -> Iterator[tuple[str, BinaryIO]]:
    """Name and content of a source."""
    if isinstance(source, bytes | bytearray | memoryview):
        yield "sound in memory", io.BytesIO(source)
    elif isinstance(source, str | os.PathLike):
        try:
            file = Path(source).open("rb")  # noqa: SIM115
        except OSError as error:
            raise InputError(f"{source}: cannot be read: {error.strerror or error}") from error
        with file:
            yield Path(source).name, file
    else:
        yield str(getattr(source, "name", "sound")), io.BytesIO(source.read())
