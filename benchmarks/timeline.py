"""Time and memory of `overtone timeline` on long recordings, and the latency of a stream of live audio.

    python -m benchmarks.timeline [--data DIR] [--output FILE] [--hours N ...] [--stream-s N]

Recordings are RAVDESS clips joined with pauses. Writes one JSON file atomically; `benchmarks/README.md` explains the
entries.
"""

import argparse
import csv
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

import overtone
from benchmarks import process
from benchmarks.harness import (
    PROJECT,
    bind_to_cores,
    data_argument,
    describe_machine,
    find_clips,
    make_parser,
    median,
    output_argument,
    select_evenly,
    write_results,
)

RATE_HZ = 48_000
FORMAT = "FLAC"
CLIPS = 240  # different ones, repeated in random order
PAUSE_S = (0.2, 2.0)
NOISE_LEVEL = 1e-4  # of full scale, in the pauses
THREADS = 2
PUSH_MS = 100
MAX_DURATION_ERROR_S = 0.01


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the results and return the exit status."""
    options = build_parser().parse_args(arguments)
    corpus_clips = find_clips(options.data, "timeline")
    if not corpus_clips:
        return 1
    clips = select_evenly(corpus_clips, CLIPS)
    bind_to_cores(THREADS)
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder, f"recording.{FORMAT.lower()}")
        results: dict[str, Any] = {
            "machine": describe_machine() | {"cores_used": THREADS},
            "stream": measure_stream(join_clips(clips, options.stream_s)),
            "recordings": [],
        }
        for hours in options.hours:
            write_recording(clips, 3600 * hours, recording)
            results["recordings"].append(measure_recording(recording, hours, Path(folder)))
    write_results(options.output, results)
    print(f"{len(results['recordings'])} recordings and a stream: see {options.output}")
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = make_parser("timeline", __doc__)
    data_argument(parser)
    output_argument(parser, "timeline.json")
    parser.add_argument(
        "--hours", type=float, nargs="+", default=[1.0], metavar="N", help="lengths of the recordings (default: 1)"
    )
    parser.add_argument(
        "--stream-s", type=float, default=300.0, metavar="N", help="seconds of live audio (default: 300)"
    )
    return parser


def join_clips(clips: Sequence[Path], duration_s: float) -> Iterator[np.ndarray]:
    """Yield clips in random order, each with a pause after it, up to the duration; float32 `(samples,)` each.

    Args:
        clips: mono audio files at 48 kHz.
        duration_s: total duration; the last clip is truncated to match it exactly.
    """
    rng = np.random.default_rng(0)
    remaining = round(duration_s * RATE_HZ)
    while remaining > 0:
        for index in rng.permutation(len(clips)):
            samples, rate_hz = soundfile.read(clips[index], dtype="float32", always_2d=True)
            if rate_hz != RATE_HZ:
                raise SystemExit(f"timeline: {clips[index]}: expected {RATE_HZ} Hz, found {rate_hz}")
            pause = rng.normal(0, NOISE_LEVEL, round(rng.uniform(*PAUSE_S) * RATE_HZ)).astype(np.float32)
            part = np.concatenate([samples[:, 0], pause])[:remaining]
            remaining -= len(part)
            yield part
            if not remaining:
                return


def write_recording(clips: Sequence[Path], duration_s: float, path: Path) -> None:
    """Write a recording of exactly this duration."""
    with soundfile.SoundFile(path, "w", RATE_HZ, 1, "PCM_16", format=FORMAT) as file:
        for part in join_clips(clips, duration_s):
            file.write(part)


def measure_recording(recording: Path, hours: float, folder: Path) -> dict[str, Any]:
    """Return wall and CPU seconds and peak memory of `overtone timeline` as a whole process with CSV output.

    Raises:
        SystemExit: it failed, or its segments do not cover the recording, so that its time is meaningless.
    """
    table = folder / "segments.csv"
    command = [sys.executable, "-m", "overtone", "timeline", str(recording), "--threads", str(THREADS)]
    run = process.measure([*command, "--format", "csv", "--output", str(table)], cwd=PROJECT)
    if run.pop("status"):
        raise SystemExit("timeline: 'overtone timeline' failed: nothing written")
    with table.open(encoding="utf-8", newline="") as file:
        segments = [
            (float(row["start_s"]), float(row["end_s"]), row["speech"] == "true") for row in csv.DictReader(file)
        ]
    ends_s = [0.0, *(end_s for _, end_s, _ in segments)]
    has_gaps = [start_s for start_s, _, _ in segments] != ends_s[:-1]
    if has_gaps or abs(ends_s[-1] - 3600 * hours) > MAX_DURATION_ERROR_S:
        raise SystemExit("timeline: the segments do not cover the recording: nothing written")
    speech_s = sum(end_s - start_s for start_s, end_s, is_speech in segments if is_speech)
    return {
        "hours": hours,
        "format": FORMAT,
        "rate_hz": RATE_HZ,
        "segments": len(segments),
        "speech_share": speech_s / ends_s[-1],
        **run,
    }


def measure_stream(parts: Iterator[np.ndarray]) -> dict[str, Any]:
    """Return the CPU load of live audio and the latency of its predictions.

    The audio is pushed without waiting for real time. The latency of a prediction is the duration of the audio after
    the end of its segment up to the end of the same push, plus the time of that push.

    Args:
        parts: audio at 48 kHz, float32 `(samples,)` each.
    """
    stream = overtone.load(threads=1).stream(RATE_HZ)
    chunk = RATE_HZ * PUSH_MS // 1000
    samples = np.concatenate(list(parts))
    pushed_s, max_push_ms, latencies_ms, computing_ms = 0.0, 0.0, [], []
    begin_cpu_s = time.process_time()
    for begin in range(0, len(samples), chunk):
        begin_s = time.perf_counter()
        segments = stream.push(samples[begin : begin + chunk])
        push_ms = 1000 * (time.perf_counter() - begin_s)
        max_push_ms = max(max_push_ms, push_ms)
        pushed_s = min(begin + chunk, len(samples)) / RATE_HZ
        for segment in segments:
            if segment.prediction is not None:
                computing_ms.append(push_ms)
                latencies_ms.append(push_ms + 1000 * (pushed_s - segment.end_s))
    cpu_s = time.process_time() - begin_cpu_s
    stream.finish()
    if not latencies_ms:
        raise SystemExit("timeline: the stream returned no prediction; give it more audio with --stream-s")
    return {
        "audio_s": pushed_s,
        "rate_hz": RATE_HZ,
        "push_ms": PUSH_MS,
        "predictions": len(latencies_ms),
        "core_share": cpu_s / pushed_s,
        "latency_ms_median": median(latencies_ms),
        "latency_ms_max": max(latencies_ms),
        "computing_ms_median": median(computing_ms),
        "push_ms_max": max_push_ms,
    }


if __name__ == "__main__":
    sys.exit(main())
