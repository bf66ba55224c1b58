"""Concurrent streams at real-time speed: the time from the end of a segment to its prediction."""

import asyncio
import json
import statistics
import time
from typing import Any

import numpy as np
from websockets.asyncio.client import connect

from benchmarks.serving.service import Service

RATE_HZ = 16_000
CHUNK_S = 0.1
MAX_START_DELAY_S = 3.0  # clients do not all start at the same moment
MAX_DURATION_ERROR_S = 0.01


def run_streams(service: Service, speech: np.ndarray, count: int, seconds: float) -> dict[str, Any]:
    """Return the latency of the predictions of all streams.

    Args:
        service: a running service.
        speech: float `(samples,)` at 16 kHz; each stream starts at another position in it.
        count: number of concurrent streams.
        seconds: duration of the audio in each stream.
    """
    lags_ms: list[float] = []
    client_lags_ms: list[float] = []
    complete_timelines = 0
    pcm = (32767 * np.clip(speech, -1, 1)).astype("<i2")
    chunk = round(CHUNK_S * RATE_HZ)

    async def run_stream(number: int) -> None:
        nonlocal complete_timelines
        await asyncio.sleep(MAX_START_DELAY_S * number / count)
        samples = np.resize(np.roll(pcm, -number * RATE_HZ), round(seconds * RATE_HZ))
        async with connect(f"ws://127.0.0.1:{service.port}/v1/stream", compression=None, max_size=None) as connection:
            await connection.send(json.dumps({"rate_hz": RATE_HZ, "encoding": "pcm16"}))
            assert json.loads(await connection.recv())["type"] == "ready"
            begin_s = time.perf_counter()

            async def send_audio() -> None:
                for begin in range(0, len(samples), chunk):
                    due_s = begin_s + min(len(samples), begin + chunk) / RATE_HZ
                    await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
                    await connection.send(samples[begin : begin + chunk].tobytes())
                    client_lags_ms.append(1000 * (time.perf_counter() - due_s))
                await connection.send('{"type": "end"}')

            sender = asyncio.create_task(send_audio())
            async for text in connection:
                message = json.loads(text)
                if message["type"] == "segment":
                    lags_ms.append(1000 * (time.perf_counter() - begin_s - message["end_s"]))
                elif message["type"] == "timeline":
                    error_s = abs(message["timeline"]["duration_s"] - seconds)
                    complete_timelines += error_s < MAX_DURATION_ERROR_S
            await sender

    async def run_all() -> None:
        await asyncio.gather(*map(run_stream, range(count)))

    before = service.cpu_s()
    asyncio.run(run_all())
    after = service.cpu_s()
    cpu_s = sum(after.values()) - sum(before.values())
    quantiles = statistics.quantiles(lags_ms, n=100)
    return {
        "streams": count,
        "seconds": seconds,
        "predictions": len(lags_ms),
        "complete_timelines": complete_timelines,
        "lag_ms": {"p50": quantiles[49], "p99": quantiles[98], "max": max(lags_ms)},
        "client_lag_ms_max": max(client_lags_ms),
        "cores_used": cpu_s / seconds,
    }
