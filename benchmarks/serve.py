"""`overtone serve` under load: how fast, how patient, and what is lost when it is killed.

    python -m benchmarks.serve [--data DIR] [--output FILE] [--parts PART ...] [--seconds S] [--minutes M] ...

Starts services of its own at 127.0.0.1 and loads nothing else. Writes one JSON file whole or not at all;
`benchmarks/README.md` says what it holds. Parts that are not run keep what the file says of them.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.bench import PROJECT, clips_in, machine, median, ravdess, spread, write
from benchmarks.serving import jobs, load, malformed, pages, streams
from benchmarks.serving.service import service
from overtone.audio.decode import read
from overtone.formats.json import to_object
from overtone.inference.recogniser import load as load_model

CLIP_S = 3.5
CLIPS = 40
BATCHES = (1, 2, 4, 8)


def main(arguments: list[str] | None = None) -> int:
    """Measures and writes; returns the exit status."""
    options = parser().parse_args(arguments)
    os.environ["OMP_NUM_THREADS"] = "1"
    found = clips_in(options.data, "serve")
    if not found:
        return 1
    found = spread(found, CLIPS)
    clips = [clip_of(path) for path in found]
    speech = np.concatenate([read(path).samples for path in found])
    measured: dict[str, Any] = json.loads(options.out.read_text("utf-8")) if options.out.exists() else {}
    measured["machine"] = machine() | {"cores_used": os.cpu_count()}
    for part in options.parts or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            measured[part] = PARTS[part](Path(folder), clips, speech, options, measured)
        print(part, json.dumps(measured[part]), flush=True)
    write(options.out, measured)
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of the command line."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.serve", description=__doc__.partition("\n")[0])
    made.add_argument("--data", type=Path, default=ravdess(), help="folder of the RAVDESS clips")
    made.add_argument("--output", type=Path, default=PROJECT / "results" / "serve.json")
    made.add_argument("--parts", nargs="+", choices=PARTS, help="(default: all)")
    made.add_argument("--starts", type=int, default=5)
    made.add_argument("--clients", type=int, default=16)
    made.add_argument("--seconds", type=float, default=20.0, help="of the load")
    made.add_argument("--minutes", type=float, default=1.0, help="of the overload (30 for the whole of it)")
    made.add_argument("--max-streams", type=int, default=50)
    made.add_argument("--stream-seconds", type=float, default=20.0)
    made.add_argument("--max-jobs", type=int, default=200)
    made.add_argument("--kills", type=int, default=1)
    made.add_argument("--visits", type=int, default=5, help="of the page")
    made.add_argument("--uploads", type=int, default=1000, help="malformed ones (10000 for the whole of it)")
    return made


def clip_of(path: Path) -> load.Clip:
    """A clip of so many seconds at its own rate, as FLAC, and what the library says of it."""
    samples, rate_hz = soundfile.read(path, dtype="int16")
    samples = np.resize(samples, round(CLIP_S * rate_hz))
    content = malformed.encoded(samples, rate_hz, "FLAC", "PCM_16")
    return load.Clip(content, {**to_object(RECOGNISER.recognise(content)), "path": "clip"})


def start(folder: Path, clips: Any, speech: Any, options: argparse.Namespace, measured: Any) -> dict[str, Any]:
    """From the command to the first readiness."""
    seconds = []
    for _ in range(options.starts):
        with service(folder) as running:
            seconds.append(running.started_s)
    return {"starts": options.starts, "seconds": {"first": seconds[0], "median": median(seconds), "max": max(seconds)}}


def recognise(folder: Path, clips: Any, speech: Any, options: argparse.Namespace, measured: Any) -> dict[str, Any]:
    """As many clients as may be, each waiting for its answer."""
    with service(folder) as running:
        load.closed(running, clips, options.clients, min(2.0, options.seconds))  # warms up
        return {"clip_s": CLIP_S} | load.closed(running, clips, options.clients, options.seconds)


def overload(folder: Path, clips: Any, speech: Any, options: argparse.Namespace, measured: Any) -> dict[str, Any]:
    """Twice as many requests as it answered under `recognise`, for minutes."""
    with service(folder) as running:
        rate_hz = 2 * load.closed(running, clips, options.clients, 5.0)["right_per_second"]
        told = load.opened(running, clips, rate_hz, 60 * options.minutes)
        alive = running.process.poll() is None and running.ask("GET", "/ready")[0] == 200
        deaths = running.gauge('overtone_worker_deaths{of="clips"}')
        return {"minutes": options.minutes, **told, "alive": alive, "worker_deaths": deaths}


def real_time(folder: Path, clips: Any, speech: Any, options: argparse.Namespace, measured: Any) -> dict[str, Any]:
    """Streams as fast as somebody speaks."""
    with service(folder, "--max-streams", str(options.streams)) as running:
        streams.real_time(running, speech, 1, 6.0)  # warms up
        return streams.real_time(running, speech, options.streams, options.stream_seconds)


def kill(folder: Path, clips: Any, speech: Any, options: argparse.Namespace, measured: Any) -> dict[str, Any]:
    """kill -9 while jobs wait."""
    recording = malformed.encoded((32767 * speech[: 10 * 16_000]).astype(np.int16), 16_000, "FLAC", "PCM_16")
    return jobs.killed(folder, recording, options.jobs, options.kills)


def broken(folder: Path, clips: Any, speech: Any, options: argparse.Namespace, measured: Any) -> dict[str, Any]:
    """Malformed uploads."""
    with service(folder) as running:
        return malformed.uploads(running, speech[:32_000], 16_000, clips[0], options.uploads)


def batching(folder: Path, clips: Any, speech: Any, options: argparse.Namespace, measured: Any) -> dict[str, Any]:
    """Seconds of a core that the graph takes for a clip, alone and with others of the same length in one batch."""
    session = RECOGNISER._session
    names = [node.name for node in session._graph.get_outputs()]
    wave = speech[: round(CLIP_S * 16_000)][np.newaxis]
    known = {} if session.unknown_speaker is None else session.unknown_speaker.inputs
    alone_ms, graph_ms = [], {}
    for clip in clips:
        begin_s = time.process_time()
        RECOGNISER.recognise(clip.content)
        alone_ms.append(1000 * (time.process_time() - begin_s))
    for size in BATCHES:
        feed = {"waveform": np.repeat(wave, size, 0), **known}
        session._graph.run(names, feed)
        begin_s = time.process_time()
        runs = max(4, 40 // size)
        for _ in range(runs):
            session._graph.run(names, feed)
        graph_ms[str(size)] = 1000 * (time.process_time() - begin_s) / (runs * size)
    return {"recognise_cpu_ms": median(alone_ms), "graph_cpu_ms_by_batch": graph_ms}


def page(folder: Path, clips: Any, speech: Any, options: argparse.Namespace, measured: Any) -> dict[str, Any]:
    """The page at `/`, in a browser."""
    return pages.measure(folder, clips[0].content, options.visits)


PARTS: dict[str, Callable[..., dict[str, Any]]] = {
    "start": start,
    "recognise": recognise,
    "overload": overload,
    "streams": real_time,
    "kill": kill,
    "malformed": broken,
    "batching": batching,
    "page": page,
}
RECOGNISER = load_model()


if __name__ == "__main__":
    sys.exit(main())
