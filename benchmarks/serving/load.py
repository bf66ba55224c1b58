"""Clients of /v1/recognise: a closed loop with a number of clients, or an open loop with a rate of requests."""

import asyncio
import json
import random
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks.serving.service import Service

HOST = "127.0.0.1"
MAX_CONNECTIONS = 512  # of an open loop
TIMEOUT_S = 60.0
MEMORY_SAMPLES = 50


class Clip(NamedTuple):
    """The content of an audio file, and the prediction of the library for it as JSON values."""

    content: bytes
    prediction: Any


class LoadStatistics:
    """The responses to a load.

    Attributes:
        latencies_ms: of all responses with status 200.
        counts: number of responses by outcome.
    """

    def __init__(self) -> None:
        self.latencies_ms: list[float] = []
        self.counts: Counter[str] = Counter()

    def record(self, clip: Clip, status: int, headers: dict[str, str], content: bytes, begin_s: float) -> None:
        """Record a response to the request that was sent at `begin_s` on the clock of `time.perf_counter`."""
        if status == 200:
            is_correct = json.loads(content)["predictions"] == [clip.prediction]
            self.counts["correct" if is_correct else "wrong"] += 1
            self.latencies_ms.append(1000 * (time.perf_counter() - begin_s))
        elif status == 503 and "retry-after" in headers:
            self.counts["rejected with Retry-After"] += 1
        else:
            self.counts[f"status {status}"] += 1

    def summary(self, seconds: float) -> dict[str, Any]:
        """Return counts, rate and latencies of a load of this duration."""
        latencies_ms = self.latencies_ms
        quantiles = statistics.quantiles(latencies_ms, n=1000) if len(latencies_ms) > 1 else [0.0] * 999
        maximum = max(latencies_ms, default=0)
        return {
            "seconds": seconds,
            "responses": dict(sorted(self.counts.items())),
            "correct_per_second": self.counts["correct"] / seconds,
            "ms": {"p50": quantiles[499], "p95": quantiles[949], "p99": quantiles[989], "max": maximum},
        }


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> tuple[int, dict[str, str], bytes]:
    """Send a request and return status, headers and content of the response."""
    writer.write(request)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in head[1:] if line)}
    content = await reader.readexactly(int(headers.get("content-length", 0)))
    return int(head[0].split()[1]), headers, content


def build_request(content: bytes) -> bytes:
    """Return the bytes of a request to recognise a FLAC file."""
    head = f"POST /v1/recognise?name=clip HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: audio/flac\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


def run_closed_loop(service: Service, clips: Sequence[Clip], clients: int, seconds: float) -> dict[str, Any]:
    """Return the results of `clients` clients, each of which sends a request as soon as it has the last response."""
    load, requests = LoadStatistics(), [build_request(clip.content) for clip in clips]
    end_s = time.perf_counter() + seconds

    async def client(seed: int) -> None:
        rng = random.Random(seed)
        reader, writer = await asyncio.open_connection(HOST, service.port)
        while time.perf_counter() < end_s:
            index, begin_s = rng.randrange(len(clips)), time.perf_counter()
            load.record(clips[index], *await exchange(reader, writer, requests[index]), begin_s)
        writer.close()

    async def all_clients() -> None:
        await asyncio.gather(*map(client, range(clients)))

    before = service.cpu_s()
    asyncio.run(all_clients())
    after = service.cpu_s()
    count = max(1, sum(load.counts.values()))
    return {
        "clients": clients,
        **load.summary(seconds),
        "cpu_ms_per_request": {name: 1000 * (after[name] - before[name]) / count for name in after},
    }


def run_open_loop(service: Service, clips: Sequence[Clip], rate_hz: float, seconds: float) -> dict[str, Any]:
    """Return the results of a rate of requests, each on a connection of its own, and the memory of the service."""
    load, requests = LoadStatistics(), [build_request(clip.content) for clip in clips]
    memory_mb: list[float] = []
    count = round(rate_hz * seconds)

    async def send(index: int) -> None:
        begin_s = time.perf_counter()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                reader, writer = await asyncio.open_connection(HOST, service.port)
                load.record(clips[index], *await exchange(reader, writer, requests[index]), begin_s)
                writer.close()
        except (OSError, EOFError, TimeoutError) as error:
            load.counts[f"broken: {type(error).__name__}"] += 1

    async def all_requests() -> None:
        rng, begin_s = random.Random(0), time.perf_counter()
        running: set[asyncio.Task[None]] = set()
        for number in range(count):
            await asyncio.sleep(max(0.0, begin_s + number / rate_hz - time.perf_counter()))
            if number % max(1, count // MEMORY_SAMPLES) == 0:
                memory_mb.append(service.memory_mb())
            while len(running) >= MAX_CONNECTIONS:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            task = asyncio.create_task(send(rng.randrange(len(clips))))
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.gather(*running)

    begin_s = time.perf_counter()
    asyncio.run(all_requests())
    fifth = max(1, len(memory_mb) // 5)
    early, late = statistics.median(memory_mb[fifth : 2 * fifth]), statistics.median(memory_mb[-fifth:])
    return {
        "requests_per_second": rate_hz,
        **load.summary(time.perf_counter() - begin_s),
        "memory_mb": {"early": early, "late": late, "growth_percent": 100 * (late / early - 1)},
    }
