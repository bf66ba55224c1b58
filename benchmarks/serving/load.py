"""Clients of /v1/recognise: so many at a time (closed), or so many a second whatever happens (open)."""

import asyncio
import json
import random
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks.serving.service import Service

MOST_OPEN = 512  # connections of an open load
WAIT_S = 60.0


class Clip(NamedTuple):
    """The bytes of a file, and what is right to answer."""

    content: bytes
    answer: Any


class Load:
    """What came of a load."""

    def __init__(self) -> None:
        self.ms: list[float] = []
        self.counts: Counter[str] = Counter()

    def take(self, clip: Clip, status: int, headers: dict[str, str], content: bytes, begin_s: float) -> None:
        """One more answer."""
        if status == 200:
            right = json.loads(content)["answers"] == [clip.answer]
            self.counts["right" if right else "wrong"] += 1
            self.ms.append(1000 * (time.perf_counter() - begin_s))
        elif status == 503 and "retry-after" in headers:
            self.counts["refused with Retry-After"] += 1
        else:
            self.counts[f"status {status}"] += 1

    def told(self, seconds: float) -> dict[str, Any]:
        """Rates and times."""
        quantiles = statistics.quantiles(self.ms, n=1000) if len(self.ms) > 1 else [0.0] * 999
        return {
            "seconds": seconds,
            "answers": dict(sorted(self.counts.items())),
            "right_per_second": self.counts["right"] / seconds,
            "ms": {"p50": quantiles[499], "p95": quantiles[949], "p99": quantiles[989], "max": max(self.ms, default=0)},
        }


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> tuple[int, dict[str, str], bytes]:
    """Sends a request; status, headers and content of the answer."""
    writer.write(request)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in head[1:] if line)}
    content = await reader.readexactly(int(headers.get("content-length", 0)))
    return int(head[0].split()[1]), headers, content


def request_of(content: bytes) -> bytes:
    """A request to recognise, ready to be sent."""
    head = "POST /v1/recognise?name=clip HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: audio/flac\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


def closed(service: Service, clips: Sequence[Clip], clients: int, seconds: float) -> dict[str, Any]:
    """So many clients, each of which asks again once it has its answer."""
    load, requests = Load(), [request_of(clip.content) for clip in clips]
    until_s = time.perf_counter() + seconds

    async def client(seed: int) -> None:
        chance = random.Random(seed)
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        while time.perf_counter() < until_s:
            place, begin_s = chance.randrange(len(clips)), time.perf_counter()
            load.take(clips[place], *await exchange(reader, writer, requests[place]), begin_s)
        writer.close()

    async def all_clients() -> None:
        await asyncio.gather(*map(client, range(clients)))

    before = service.cpu_s()
    asyncio.run(all_clients())
    after = service.cpu_s()
    count = max(1, sum(load.counts.values()))
    return {
        "clients": clients,
        **load.told(seconds),
        "cpu_ms_per_request": {name: 1000 * (after[name] - before[name]) / count for name in after},
    }


def opened(service: Service, clips: Sequence[Clip], rate_hz: float, seconds: float) -> dict[str, Any]:
    """So many requests a second, each on a connection of its own; memory of the service on the way."""
    load, requests = Load(), [request_of(clip.content) for clip in clips]
    memory_mb: list[float] = []
    asked = round(rate_hz * seconds)

    async def one(place: int) -> None:
        begin_s = time.perf_counter()
        try:
            async with asyncio.timeout(WAIT_S):
                reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
                load.take(clips[place], *await exchange(reader, writer, requests[place]), begin_s)
                writer.close()
        except (OSError, EOFError, TimeoutError) as error:
            load.counts[f"broken: {type(error).__name__}"] += 1

    async def all_requests() -> None:
        chance, running, begin_s = random.Random(0), set(), time.perf_counter()
        for number in range(asked):
            await asyncio.sleep(max(0.0, begin_s + number / rate_hz - time.perf_counter()))
            if number % max(1, asked // 50) == 0:
                memory_mb.append(service.memory_mb())
            while len(running) >= MOST_OPEN:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            task = asyncio.create_task(one(chance.randrange(len(clips))))
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.gather(*running)

    begin_s = time.perf_counter()
    asyncio.run(all_requests())
    fifth = max(1, len(memory_mb) // 5)
    early, late = statistics.median(memory_mb[fifth : 2 * fifth]), statistics.median(memory_mb[-fifth:])
    return {
        "asked_per_second": rate_hz,
        **load.told(time.perf_counter() - begin_s),
        "memory_mb": {"early": early, "late": late, "growth_percent": 100 * (late / early - 1)},
    }
