"""`overtone serve` under load: throughput, latency, memory, malformed uploads, and recovery after it is killed.

    python -m benchmarks.serve [--data DIR] [--output FILE] [--parts PART ...] [--seconds S] [--minutes M] ...

Starts its own services at 127.0.0.1 and sends requests to no other. Writes one JSON file atomically;
`benchmarks/README.md` explains the entries. The entries of parts that are not run stay as they are in the file.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile

from benchmarks.harness import (
    data_argument,
    describe_machine,
    find_clips,
    make_parser,
    median,
    output_argument,
    read_stored,
    select_evenly,
    write_results,
)
from benchmarks.serving import jobs, load, malformed, pages, streams
from benchmarks.serving.service import service
from overtone._internal.tensor_names import WAVEFORM
from overtone.audio.decode import read
from overtone.errors import OvertoneError
from overtone.formats.json import to_object
from overtone.inference.recogniser import Recogniser
from overtone.inference.recogniser import load as load_model

CLIP_S = 3.5
CLIPS = 40
RATE_HZ = 16_000
RECORDING_S = 10
WARM_UP_S = 2.0
CAPACITY_S = 5.0
BATCH_SIZES = (1, 2, 4, 8)


class Context(NamedTuple):
    """What every part of the benchmark works with.

    Attributes:
        folder: an empty folder for the state of services.
        clips: clips of `CLIP_S` with their predictions.
        speech: float32 `(samples,)` at 16 kHz.
        recogniser: the bundled model.
        options: of the command line.
    """

    folder: Path
    clips: list[load.Clip]
    speech: np.ndarray
    recogniser: Recogniser
    options: argparse.Namespace


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the results and return the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        results: dict[str, Any] = dict(read_stored(options.output, lambda content: content.items()))
    except OvertoneError as error:
        print(f"serve: {error}", file=sys.stderr)
        return 1
    os.environ["OMP_NUM_THREADS"] = "1"
    corpus_clips = find_clips(options.data, "serve")
    if not corpus_clips:
        return 1
    paths = select_evenly(corpus_clips, CLIPS)
    recogniser = load_model()
    clips = [make_clip(path, recogniser) for path in paths]
    speech = np.concatenate([read(path).samples for path in paths])
    results["machine"] = describe_machine() | {"cores_used": os.cpu_count()}
    for part in options.parts or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            results[part] = PARTS[part](Context(Path(folder), clips, speech, recogniser, options))
        print(part, json.dumps(results[part]), flush=True)
    write_results(options.output, results)
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = make_parser("serve", __doc__)
    data_argument(parser)
    output_argument(parser, "serve.json")
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, metavar="PART", help=f"the parts to run (default: all): {', '.join(PARTS)}"
    )
    numbers: dict[str, tuple[int | float, str]] = {
        "starts": (5, "part start: number of starts"),
        "clients": (16, "parts recognise and overload: number of clients"),
        "seconds": (20.0, "part recognise: duration of the load"),
        "minutes": (1.0, "part overload: duration of the load; 30 for published results"),
        "streams": (50, "part streams: number of concurrent streams"),
        "stream-seconds": (20.0, "part streams: seconds of audio per stream"),
        "jobs": (200, "part kill: number of jobs"),
        "kills": (1, "part kill: number of times that the service is killed"),
        "visits": (5, "part page: number of visits of each page"),
        "uploads": (1000, "part malformed: number of uploads; 10000 for published results"),
    }
    for name, (default, text) in numbers.items():
        parser.add_argument(
            f"--{name}", type=type(default), default=default, metavar="N", help=f"{text} (default: {default:g})"
        )
    return parser


def make_clip(path: Path, recogniser: Recogniser) -> load.Clip:
    """Return the start of a file as a FLAC clip of `CLIP_S` at its own rate, with the prediction of the library."""
    samples, rate_hz = soundfile.read(path, dtype="int16")
    samples = np.resize(samples, round(CLIP_S * rate_hz))
    content = malformed.encode_audio(samples, rate_hz, "FLAC", "PCM_16")
    return load.Clip(content, {**to_object(recogniser.recognise(content)), "path": "clip"})


def start(context: Context) -> dict[str, Any]:
    """Return the seconds from the command to the first `/ready` with status 200."""
    seconds = []
    for _ in range(context.options.starts):
        with service(context.folder) as running:
            seconds.append(running.started_s)
    summary = {"first": seconds[0], "median": median(seconds), "max": max(seconds)}
    return {"starts": context.options.starts, "seconds": summary}


def recognise(context: Context) -> dict[str, Any]:
    """Return throughput and latency with several clients, each of which waits for its response."""
    options = context.options
    with service(context.folder) as running:
        load.run_closed_loop(running, context.clips, options.clients, min(WARM_UP_S, options.seconds))
        return {"clip_s": CLIP_S} | load.run_closed_loop(running, context.clips, options.clients, options.seconds)


def overload(context: Context) -> dict[str, Any]:
    """Return the responses at twice the rate of correct responses in a closed loop."""
    options = context.options
    with service(context.folder) as running:
        capacity = load.run_closed_loop(running, context.clips, options.clients, CAPACITY_S)["correct_per_second"]
        results = load.run_open_loop(running, context.clips, 2 * capacity, 60 * options.minutes)
        alive = running.process.poll() is None and running.request("GET", "/ready")[0] == 200
        deaths = running.metric('overtone_worker_deaths_total{pool="clips"}')
        return {"minutes": options.minutes, **results, "alive": alive, "worker_deaths": deaths}


def real_time_streams(context: Context) -> dict[str, Any]:
    """Return the latency of concurrent streams at real-time speed."""
    options = context.options
    with service(context.folder, "--max-streams", str(options.streams)) as running:
        streams.run_streams(running, context.speech, 1, 6.0)  # warms up
        return streams.run_streams(running, context.speech, options.streams, options.stream_seconds)


def kill(context: Context) -> dict[str, Any]:
    """Return the states of jobs after the service was killed with SIGKILL and restarted."""
    samples = (32767 * context.speech[: RECORDING_S * RATE_HZ]).astype(np.int16)
    recording = malformed.encode_audio(samples, RATE_HZ, "FLAC", "PCM_16")
    return jobs.run_jobs_with_kills(context.folder, recording, context.options.jobs, context.options.kills)


def malformed_uploads(context: Context) -> dict[str, Any]:
    """Return the responses to malformed uploads."""
    with service(context.folder) as running:
        speech = context.speech[: 2 * RATE_HZ]
        return malformed.send_uploads(running, speech, RATE_HZ, context.clips[0], context.options.uploads)


def batching(context: Context) -> dict[str, Any]:
    """Return CPU milliseconds per clip: of `recognise`, and of the graph alone with several equal clips in a batch."""
    model = context.recogniser.model
    graph = model._graph.session
    outputs = [node.name for node in graph.get_outputs()]
    wave = context.speech[: round(CLIP_S * RATE_HZ)][np.newaxis]
    speaker_inputs = {} if model.statistics is None else model.statistics.inputs
    recognise_ms, graph_ms = [], {}
    for clip in context.clips:
        begin_s = time.process_time()
        context.recogniser.recognise(clip.content)
        recognise_ms.append(1000 * (time.process_time() - begin_s))
    for size in BATCH_SIZES:
        inputs = {WAVEFORM: np.repeat(wave, size, 0), **speaker_inputs}
        graph.run(outputs, inputs)
        begin_s = time.process_time()
        runs = max(4, 40 // size)
        for _ in range(runs):
            graph.run(outputs, inputs)
        graph_ms[str(size)] = 1000 * (time.process_time() - begin_s) / (runs * size)
    return {"recognise_cpu_ms": median(recognise_ms), "graph_cpu_ms_by_batch": graph_ms}


def page(context: Context) -> dict[str, Any]:
    """Return the measurements of the web page at `/` in a browser."""
    return pages.measure(context.folder, context.clips[0].content, context.options.visits)


PARTS: dict[str, Callable[[Context], dict[str, Any]]] = {
    "start": start,
    "recognise": recognise,
    "overload": overload,
    "streams": real_time_streams,
    "kill": kill,
    "malformed": malformed_uploads,
    "batching": batching,
    "page": page,
}


if __name__ == "__main__":
    sys.exit(main())
