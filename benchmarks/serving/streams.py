"""Many streams at once, each as fast as somebody speaks: how long after its sound does an answer come?"""

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
BEGIN_WITHIN_S = 3.0  # people do not begin to speak in the same moment


def real_time(service: Service, speech: np.ndarray, streams: int, seconds: float) -> dict[str, Any]:
    """Lags of answers.

    Args:
        service: that hears.
        speech: float `(samples,)` at 16 kHz; each stream begins elsewhere in it.
        streams: at the same time.
        seconds: of sound in each.
    """
    lags_ms: list[float] = []
    behind_ms: list[float] = []
    timelines = 0
    pcm = (32767 * np.clip(speech, -1, 1)).astype("<i2")
    chunk = round(CHUNK_S * RATE_HZ)

    async def one(number: int) -> None:
        nonlocal timelines
        await asyncio.sleep(BEGIN_WITHIN_S * number / streams)
        sound = np.roll(pcm, -number * RATE_HZ)
        sound = np.resize(sound, round(seconds * RATE_HZ))
        async with connect(f"ws://127.0.0.1:{service.port}/v1/stream", compression=None, max_size=None) as wire:
            await wire.send(json.dumps({"rate_hz": RATE_HZ, "encoding": "pcm16"}))
            assert json.loads(await wire.recv())["type"] == "ready"
            begin_s = time.perf_counter()

            async def speak() -> None:
                for place in range(0, len(sound), chunk):
                    said_s = begin_s + min(len(sound), place + chunk) / RATE_HZ
                    await asyncio.sleep(max(0.0, said_s - time.perf_counter()))
                    await wire.send(sound[place : place + chunk].tobytes())
                    behind_ms.append(1000 * (time.perf_counter() - said_s))
                await wire.send('{"type": "end"}')

            speaker = asyncio.create_task(speak())
            async for text in wire:
                message = json.loads(text)
                if message["type"] == "segment":
                    lags_ms.append(1000 * (time.perf_counter() - begin_s - message["end_s"]))
                elif message["type"] == "timeline":
                    timelines += abs(message["timeline"]["duration_s"] - seconds) < 0.01
            await speaker

    async def all_streams() -> None:
        await asyncio.gather(*map(one, range(streams)))

    before = service.cpu_s()
    asyncio.run(all_streams())
    after = service.cpu_s()
    cpu_s = sum(after.values()) - sum(before.values())
    quantiles = statistics.quantiles(lags_ms, n=100)
    return {
        "streams": streams,
        "seconds": seconds,
        "answers": len(lags_ms),
        "whole_timelines": timelines,
        "lag_ms": {"p50": quantiles[49], "p99": quantiles[98], "max": max(lags_ms)},
        "client_behind_ms_max": max(behind_ms),
        "cores_used": cpu_s / seconds,
    }
