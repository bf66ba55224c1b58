"""The pitch contour that Overtone shows, compared with Praat, and the time that it takes.

    python -m benchmarks.pitch --data CORPUS=DIR [CORPUS=DIR ...] [--clips N] [--output FILE]

Compares the contour of clips, and that of the timeline of a recording joined from clips of each of the first two
corpora. For comparison, it also measures the track of the graph, which was shown before. Writes one JSON file;
`benchmarks/README.md` explains the entries.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime

from benchmarks.harness import describe_machine, make_parser, output_argument, write_results
from overtone.audio.decode import read
from overtone.audio.discovery import find_audio_files
from overtone.audio.windows import STEP_SAMPLES, count_steps, overlap_add, split_windows
from overtone.cli.argtypes import positive_int
from overtone.datatypes import SAMPLE_RATE_HZ, Float32Array, FloatArray
from overtone.errors import OvertoneError
from overtone.inference.bundled_models import model_path
from overtone.inference.pitch_track import HIGH_HZ, HOP_SAMPLES, LOW_HZ, track_pitch
from overtone.inference.recogniser import load
from overtone.inference.streaming import median_pitch

GROSS_ERROR = 0.2  # relative, as usual in the literature on pitch tracking
OCTAVE_ERROR = 0.25  # octaves around one octave above or below
HIGH_PITCH_HZ = 450.0  # little speech is above
PAUSE_FRAMES = 32  # half a second
RECORDINGS, RECORDING_CLIPS = 2, 40
GRAPH, PATH = "graph", "path"

Contour = Callable[[Float32Array], FloatArray]


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the results, print a summary and return the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        clips = {name: read_clips(Path(folder), options.clips) for name, folder in map(split_name, options.data)}
    except OvertoneError as error:
        print(f"pitch: {error}", file=sys.stderr)
        return 1
    graph = graph_contour(model_path("lite"))
    tracks = {name: [track_clip(samples, graph) for samples in each] for name, each in clips.items()}
    everything = [track for each in tracks.values() for track in each]
    joined = {name: each[:RECORDING_CLIPS] for name, each in list(clips.items())[:RECORDINGS]}
    results: dict[str, Any] = {
        "machine": describe_machine(),
        "ms_per_second": measure_time([clip for each in clips.values() for clip in each]),
        "clips": [{"corpus": name, **compare(each)} for name, each in [*tracks.items(), ("all", everything)]],
        "recordings": [{"corpus": name, **compare_timeline(each, graph)} for name, each in joined.items()],
    }
    write_results(options.output, results)
    for row in [*results["clips"], *results["recordings"]]:
        print(row)
    print(f"{results['ms_per_second']:.2f} ms per second of audio")
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = make_parser("pitch", __doc__)
    parser.add_argument(
        "--data", required=True, nargs="+", metavar="CORPUS=DIR", help="folders of clips, each with a name"
    )
    parser.add_argument(
        "--clips", type=positive_int, default=60, metavar="N",
        help="the number of random clips per corpus, always the same ones (default: 60)",
    )  # fmt: skip
    output_argument(parser, "pitch.json")
    return parser


def split_name(argument: str) -> tuple[str, str]:
    """Return the name and the folder of `NAME=DIR`.

    Raises:
        OvertoneError: no name.
    """
    name, separator, folder = argument.partition("=")
    if not (name and separator and folder):
        raise OvertoneError(f"--data {argument}: expected CORPUS=DIR, such as ravdess=data/ravdess")
    return name, folder


def read_clips(folder: Path, count: int) -> list[Float32Array]:
    """Return the samples of random audio files of a folder, always the same ones.

    Raises:
        OvertoneError: the folder has too few, or one cannot be read.
    """
    paths = sorted(path for path in find_audio_files(str(folder)) if isinstance(path, Path))
    if len(paths) < count:
        raise OvertoneError(f"{folder}: has {len(paths)} audio files, expected {count}; see --clips")
    chosen = np.random.default_rng(0).choice(len(paths), count, replace=False)
    return [read(paths[index]).samples for index in chosen]


def path_contour(samples: Float32Array) -> FloatArray:
    """Return the contour that predictions show, in Hz per frame."""
    return track_pitch(samples, frame_count(samples))


def graph_contour(model: Path) -> Contour:
    """Return a function that returns the track of the graph of a model, in Hz per frame."""
    session = onnxruntime.InferenceSession(model.read_bytes(), providers=["CPUExecutionProvider"])
    statistics = load(model).model.statistics
    others = {} if statistics is None else statistics.inputs

    def contour(samples: Float32Array) -> FloatArray:
        (track_hz,) = session.run(["pitch_hz"], {"waveform": samples[np.newaxis], **others})
        return track_hz[0, : frame_count(samples)].astype(float)

    return contour


def praat_contour(samples: Float32Array) -> FloatArray:
    """Return Praat's pitch at our frames, 0 where unvoiced, NaN where it is not defined."""
    import parselmouth

    sound = parselmouth.Sound(samples.astype(float), SAMPLE_RATE_HZ)
    hop_s = HOP_SAMPLES / SAMPLE_RATE_HZ
    track = sound.to_pitch_ac(time_step=hop_s, pitch_floor=LOW_HZ, pitch_ceiling=HIGH_HZ)
    times_s = np.arange(frame_count(samples)) * hop_s
    values_hz = np.nan_to_num([track.get_value_at_time(time_s) for time_s in times_s])
    return np.where((times_s >= track.xs()[0]) & (times_s <= track.xs()[-1]), values_hz, np.nan)


def frame_count(samples: Float32Array) -> int:
    """Return the number of whole frames."""
    return max(1, len(samples) // HOP_SAMPLES)


def measure_time(clips: Sequence[Float32Array]) -> float:
    """Return the CPU time of the contour in milliseconds per second of audio, the fastest of three rounds."""
    times_s = []
    for _ in range(3):
        start_s = time.process_time()
        for samples in clips:
            path_contour(samples)
        times_s.append(time.process_time() - start_s)
    return 1000 * min(times_s) * SAMPLE_RATE_HZ / sum(map(len, clips))


class Tracks(NamedTuple):
    """The contours of one clip in Hz, where Praat's is defined, each `(frames,)`; 0 where unvoiced."""

    praat: FloatArray
    graph: FloatArray
    path: FloatArray


def track_clip(samples: Float32Array, graph: Contour) -> Tracks:
    """Return all contours of one clip."""
    praat_hz = praat_contour(samples)
    defined = ~np.isnan(praat_hz)
    return Tracks(praat_hz[defined], graph(samples)[defined], path_contour(samples)[defined])


def compare(clips: Sequence[Tracks]) -> dict[str, Any]:
    """Return the number of clips and the scores of both contours."""
    praat_hz, graph_hz, path_hz = map(np.concatenate, zip(*clips, strict=True))
    return {
        "n": len(clips),
        "praat_high": share_of_high(praat_hz),
        GRAPH: score(graph_hz, praat_hz),
        PATH: score(path_hz, praat_hz),
    }


def score(track_hz: FloatArray, expected_hz: FloatArray) -> dict[str, float]:
    """Return the scores of a contour; both are 0 where unvoiced, and have the same frames or steps.

    Returns:
        `gross` and `octave` error rates among the frames that are voiced in both, `high`, and agreement on `voicing`.
    """
    both = (track_hz > 0) & (expected_hz > 0)
    octaves = np.abs(np.log2(track_hz[both] / expected_hz[both]))
    return {
        "gross": float((np.abs(track_hz[both] / expected_hz[both] - 1) > GROSS_ERROR).mean()),
        "octave": float((np.abs(octaves - 1) < OCTAVE_ERROR).mean()),
        "high": share_of_high(track_hz),
        "voicing": float(((track_hz > 0) == (expected_hz > 0)).mean()),
    }


def share_of_high(track_hz: FloatArray) -> float:
    """Return the share of voiced frames above `HIGH_PITCH_HZ`."""
    return float((track_hz[track_hz > 0] > HIGH_PITCH_HZ).mean())


def pad(samples: Float32Array) -> Float32Array:
    """Return a clip with a pause of digital silence after it, a whole number of frames long."""
    return np.pad(samples, (0, -len(samples) % HOP_SAMPLES + PAUSE_FRAMES * HOP_SAMPLES))


def compare_timeline(clips: Sequence[Float32Array], graph: Contour) -> dict[str, Any]:
    """Return the scores of the timeline of joined clips, per step of 0.1 s, and those of the graph.

    Praat tracks each clip alone: it takes what is much quieter than the loudest sound of a recording for silence.

    Returns:
        `duration_s`, `praat_high` and the scores of both.
    """
    padded = [pad(samples) for samples in clips]
    samples, praat_hz = np.concatenate(padded), np.concatenate([praat_contour(clip) for clip in padded])
    steps = count_steps(len(samples))
    timeline = load("lite").timeline(samples, SAMPLE_RATE_HZ, adapt=False)
    expected_hz = median_pitch(np.nan_to_num(praat_hz), HOP_SAMPLES, steps)
    return {
        "duration_s": len(samples) / SAMPLE_RATE_HZ,
        "praat_high": share_of_high(expected_hz),
        GRAPH: score(window_means(samples, graph, steps), expected_hz),
        PATH: score(timeline.tracks.pitch_hz.astype(float), expected_hz),
    }


def window_means(samples: Float32Array, contour: Contour, steps: int) -> FloatArray:
    """Return the pitch per step as timelines had it before: the mean of overlapping windows, each tracked alone."""
    windows = list(split_windows(0, steps))
    clips = [samples[first * STEP_SAMPLES : end * STEP_SAMPLES] for first, end in windows]
    tracks = [
        median_pitch(contour(clip), HOP_SAMPLES, end - first) for clip, (first, end) in zip(clips, windows, strict=True)
    ]
    means, _ = overlap_add(windows, [track[:, np.newaxis] for track in tracks], steps, [track > 0 for track in tracks])
    return np.nan_to_num(means[:, 0])


if __name__ == "__main__":
    sys.exit(main())
