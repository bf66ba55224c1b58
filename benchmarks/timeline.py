"""Long recordings and live sound: time and memory of `overtone timeline`, and how far behind a stream answers.

    python -m benchmarks.timeline [--data DIR] [--output FILE] [--hours N ...] [--stream-s N]

Recordings are RAVDESS clips joined with pauses. Writes one JSON file whole or not at all; `benchmarks/README.md` says
what it holds.
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
from benchmarks.bench import PROJECT, bind, clips_in, machine, median, ravdess, spread, write

RATE_HZ = 48_000
FORM = "FLAC"
CLIPS = 240  # different ones, again and again in another order
PAUSE_S = (0.2, 2.0)
NOISE = 1e-4  # of full scale, in the pauses
THREADS = 2
PUSH_MS = 100


def main(arguments: list[str] | None = None) -> int:
    """Measures and writes; returns the exit status."""
    options = parser().parse_args(arguments)
    found = clips_in(options.data, "timeline")
    if not found:
        return 1
    clips = spread(found, CLIPS)
    bind(THREADS)
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder, f"recording.{FORM.lower()}")
        measured: dict[str, Any] = {
            "machine": machine() | {"cores_used": THREADS},
            "stream": stream(joined(clips, options.stream_s)),
            "recordings": [],
        }
        for hours in options.hours:
            join(clips, 3600 * hours, recording)
            measured["recordings"].append(long_recording(recording, hours, Path(folder)))
    write(options.out, measured)
    print(f"{len(measured['recordings'])} recordings and a stream: see {options.out}")
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of the command line."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.timeline", description=__doc__.partition("\n")[0])
    made.add_argument("--data", type=Path, default=ravdess(), help="folder of the RAVDESS clips")
    made.add_argument("--output", type=Path, default=PROJECT / "results" / "timeline.json")
    made.add_argument("--hours", type=float, nargs="+", default=[1.0], help="lengths of the recordings (1)")
    made.add_argument("--stream-s", type=float, default=300.0, help="seconds of live sound (300)")
    return made


def joined(clips: Sequence[Path], duration_s: float) -> Iterator[np.ndarray]:
    """Clips in an order drawn by chance, each with a pause after it, until there is enough, float32 `(samples,)` each.

    Args:
        clips: mono sound files at 48 kHz.
        duration_s: of all together, cut off exactly.
    """
    rng = np.random.default_rng(0)
    left = round(duration_s * RATE_HZ)
    while left > 0:
        for place in rng.permutation(len(clips)):
            samples, rate_hz = soundfile.read(clips[place], dtype="float32", always_2d=True)
            if rate_hz != RATE_HZ:
                raise SystemExit(f"timeline: {clips[place]}: expected {RATE_HZ} Hz, found {rate_hz}")
            pause = rng.normal(0, NOISE, round(rng.uniform(*PAUSE_S) * RATE_HZ)).astype(np.float32)
            part = np.concatenate([samples[:, 0], pause])[:left]
            left -= len(part)
            yield part
            if not left:
                return


def join(clips: Sequence[Path], duration_s: float, path: Path) -> None:
    """Writes a recording of exactly this length."""
    with soundfile.SoundFile(path, "w", RATE_HZ, 1, "PCM_16", format=FORM) as file:
        for part in joined(clips, duration_s):
            file.write(part)


def long_recording(recording: Path, hours: float, folder: Path) -> dict[str, Any]:
    """Wall and processor seconds and peak memory of `overtone timeline` as a whole process, as CSV.

    Raises:
        SystemExit: it failed, or its segments do not cover the recording, so that its time means nothing.
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
    if [start_s for start_s, _, _ in segments] != ends_s[:-1] or abs(ends_s[-1] - 3600 * hours) > 0.01:
        raise SystemExit("timeline: the segments do not cover the recording: nothing written")
    speech_s = sum(end_s - start_s for start_s, end_s, speech in segments if speech)
    return {
        "hours": hours,
        "form": FORM,
        "rate_hz": RATE_HZ,
        "segments": len(segments),
        "speech_share": speech_s / ends_s[-1],
        **run,
    }


def stream(parts: Iterator[np.ndarray]) -> dict[str, Any]:
    """What live sound costs, and how far behind the sound it needs an answer comes.

    The sound is pushed as fast as it is taken; an answer is behind by the sound that has come in since the last it
    needs, and by the time that the push took which brought it.

    Args:
        parts: sound at 48 kHz, float32 `(samples,)` each.
    """
    live = overtone.load(threads=1).stream(RATE_HZ)
    chunk = RATE_HZ * PUSH_MS // 1000
    sound = np.concatenate(list(parts))
    pushed_s, longest_ms, behind_ms, computing_ms = 0.0, 0.0, [], []
    begin_cpu_s = time.process_time()
    for begin in range(0, len(sound), chunk):
        begin_s = time.perf_counter()
        segments = live.push(sound[begin : begin + chunk])
        took_ms = 1000 * (time.perf_counter() - begin_s)
        longest_ms = max(longest_ms, took_ms)
        pushed_s = min(begin + chunk, len(sound)) / RATE_HZ
        for segment in segments:
            if segment.prediction is not None:
                computing_ms.append(took_ms)
                behind_ms.append(took_ms + 1000 * (pushed_s - segment.end_s))
    cpu_s = time.process_time() - begin_cpu_s
    live.finish()
    if not behind_ms:
        raise SystemExit("timeline: the stream gave no answer: give it more sound with --stream-s")
    return {
        "sound_s": pushed_s,
        "rate_hz": RATE_HZ,
        "push_ms": PUSH_MS,
        "answers": len(behind_ms),
        "core_share": cpu_s / pushed_s,
        "behind_ms": median(behind_ms),
        "behind_most_ms": max(behind_ms),
        "computing_ms": median(computing_ms),
        "longest_push_ms": longest_ms,
    }


if __name__ == "__main__":
    sys.exit(main())
