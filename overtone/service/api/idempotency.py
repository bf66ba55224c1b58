"""Idempotency-Key: a retry with the same key gets the stored response of the first request, and no work is repeated.

Source: IETF draft, "The Idempotency-Key HTTP Header Field".
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import IO

from fastapi import Request

from overtone.service.api.errors import ApiError
from overtone.service.job_records import StoredResponse
from overtone.service.job_store import JobStore

HEADER = "idempotency-key"
MAX_KEY_LENGTH = 255
BLOCK_BYTES = 2**20


class IdempotencyCache:
    """Responses by idempotency key, with one lock per key.

    Args:
        store: the database of the responses.
    """

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}  # each with the number of requests that use it

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """Allow one request at a time per key; an empty key is not locked."""
        if not key:
            yield
            return
        lock, users = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks.pop(key)
            if users > 1:
                self._locks[key] = (lock, users - 1)

    async def get(self, key: str, digest: str) -> StoredResponse | None:
        """Return the stored response of a key; None if there is none, or no key.

        Args:
            key: as `scoped_key` returns it.
            digest: of the request, as `request_digest` returns it.

        Raises:
            ApiError: the stored response belongs to a different request.
        """
        response = await asyncio.to_thread(self._store.stored_response, key) if key else None
        if response is not None and response.request_digest != digest:
            raise ApiError(
                "idempotency_key_reused", "Idempotency-Key: already used for a different request; use a new key"
            )
        return response

    async def store(self, key: str, response: StoredResponse) -> None:
        """Store the response under a key; do nothing without a key."""
        if key:
            await asyncio.to_thread(self._store.store_response, key, response)


def scoped_key(request: Request, owner: str) -> str:
    """Return the key of a stored response: a digest of owner, path and the client's key; "" if the client sent none.

    Raises:
        ApiError: the client's key is empty or too long.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return ""
    if not 0 < len(key) <= MAX_KEY_LENGTH:
        raise ApiError(
            "invalid_parameter", f"Idempotency-Key: expected 1 to {MAX_KEY_LENGTH} characters, got {len(key)}"
        )
    return hashlib.sha256("\0".join((owner, request.url.path, key)).encode()).hexdigest()


def request_digest(texts: Iterable[str], files: Iterable[IO[bytes]]) -> str:
    """Return a digest of a request: some texts, and the content of files."""
    digest = hashlib.sha256("\0".join(texts).encode())
    for file in files:
        file.seek(0)
        file_digest = hashlib.sha256()
        while block := file.read(BLOCK_BYTES):
            file_digest.update(block)
        digest.update(file_digest.digest())
    return digest.hexdigest()
