"""Idempotency-Key: whoever asks the same again under the same key gets the first answer, and no second work is done.

Source: IETF draft, "The Idempotency-Key HTTP Header Field".
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import IO

from fastapi import Request

from overtone.service.api.errors import ApiError
from overtone.service.job_store import JobStore, StoredResponse

HEADER = "idempotency-key"
LONGEST_KEY = 255
BLOCK_BYTES = 2**20


class IdempotencyCache:
    """First answers, in the store.

    Args:
        store: that keeps them.
    """

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._turns: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """Nobody else is at work under this key meanwhile; without a key there is nothing to wait for."""
        if not key:
            yield
            return
        lock, users = self._turns.get(key, (asyncio.Lock(), 0))
        self._turns[key] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._turns.pop(key)
            if users > 1:
                self._turns[key] = (lock, users - 1)

    async def first(self, key: str, asked: str) -> StoredResponse | None:
        """The first answer under a key.

        Raises:
            Refusal: it was the answer to something else.
        """
        first = await asyncio.to_thread(self._store.stored_response, key) if key else None
        if first is not None and first.asked != asked:
            raise ApiError("idempotency_key_reused", "Idempotency-Key: was used for something else; take a new one")
        return first

    async def keep(self, key: str, first: StoredResponse) -> None:
        """Keeps the first answer under a key."""
        if key:
            await asyncio.to_thread(self._store.store_response, key, first)


def scoped_key(request: Request, owner: str) -> str:
    """What an answer is kept under: owner, path and key of the client, as a digest; "" where there is no key.

    Raises:
        Refusal: the key is empty or too long.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return ""
    if not 0 < len(key) <= LONGEST_KEY:
        raise ApiError("invalid_parameter", f"Idempotency-Key: expected 1 to {LONGEST_KEY} characters, got {len(key)}")
    return hashlib.sha256("\0".join((owner, request.url.path, key)).encode()).hexdigest()


def digest(told: Iterable[str], files: Iterable[IO[bytes]]) -> str:
    """A digest of what is asked: some words, and the content of files."""
    whole = hashlib.sha256("\0".join(told).encode())
    for file in files:
        file.seek(0)
        part = hashlib.sha256()
        while block := file.read(BLOCK_BYTES):
            part.update(block)
        whole.update(part.digest())
    return whole.hexdigest()
