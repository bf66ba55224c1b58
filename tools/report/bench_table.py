"""`results/bench.json` -> tables of speed, memory and size."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overtone.evaluation.document import Block, Paragraph, Table
from tools.report.measurements import Target, at_least, below, blocks_from_file, machine_name, target_table

COMMAND = "make bench"
HEADER = ("System", "One clip", "Times real time", "Relative time", "Cold start", "Peak memory", "Installed")
HOUR_COLUMN = "One hour of audio"
README_SYSTEMS = (
    *("overtone", "lite", "librosa", "egemaps-svm", "nkululeko"),
    *("wav2vec2-base-onnx", "wavlm-base-plus-onnx"),
)
PREDICT = "overtone predict clip.wav"
BUSY_BELOW = 0.9  # share of the wall time that a system had the core to itself


def blocks(path: Path) -> list[Block]:
    """Return the table of all systems and its method; an empty list where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_from_file(path, _blocks, COMMAND)


def detail_blocks(path: Path) -> list[Block]:
    """Return the targets, the lower bound and the import time; an empty list where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_from_file(path, _detail_blocks, COMMAND)


def readme_blocks(path: Path) -> list[Block]:
    """Return the short table of the README; an empty list where there is no file.

    It leaves out systems that were not measured and, of the transformers, the large one and the slower runtime.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_from_file(path, _readme_blocks, COMMAND)


def _blocks(content: Mapping[str, Any]) -> list[Block]:
    header = (*HEADER[:3], HOUR_COLUMN, *HEADER[3:])
    systems = content["systems"].values()
    rows = tuple(_row(system, with_hour=True) for system in systems if "skipped" not in system)
    skipped = "".join(f" {row['title']}: {row['skipped']}." for row in systems if "skipped" in row)
    return [
        Table(header, rows, frozenset(header[1:])),
        Paragraph(f"{_measured_on(content)} {_reading_notes(content)}{skipped and f' Not measured:{skipped}'}"),
    ]


def _detail_blocks(content: Mapping[str, Any]) -> list[Block]:
    import_s = max(0.0, content["import"]["beyond_numpy_s"])
    return [
        target_table(_targets(content)),
        Paragraph(_lower_bound(content)),
        Paragraph(f"import overtone takes {import_s:.3f} s more than Python with numpy."),
    ]


def _readme_blocks(content: Mapping[str, Any]) -> list[Block]:
    systems = [content["systems"][name] for name in README_SYSTEMS if name in content["systems"]]
    rows = tuple(_row(system) for system in systems if "skipped" not in system)
    process = content["process"]
    words = f"{PREDICT} from start to exit, files cached: {process['wall_s']:.2f} s and {process['peak_mb']:.0f} MB."
    return [Table(HEADER, rows, frozenset(HEADER[1:])), Paragraph(f"{_measured_on(content)} {words}")]


def _row(system: Mapping[str, Any], with_hour: bool = False) -> tuple[str, ...]:
    is_recogniser = system["output"] == "prediction"
    title = system["title"] if is_recogniser else f"{system['title']} ({system['output']} only)"
    return (
        title,
        f"{_three_digits(system['ms'])} ms",
        _three_digits(system["times_real_time"]),
        *([f"{_three_digits(system['seconds_per_hour'])} s"] if with_hour else []),
        _three_digits(system["relative_time"]),
        f"{system['cold_s']:.2f} s",
        f"{system['peak_mb']:.0f} MB",
        f"{system['packages_mb'] + system['model_mb']:.0f} MB",
    )


def _three_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _targets(content: Mapping[str, Any]) -> list[Target]:
    systems, process = content["systems"], content["process"]
    speed = {name: systems.get(name, {}).get("times_real_time") for name in ("overtone", "lite")}
    wav2vec2 = _speed_up(systems, "overtone", "wav2vec2-base-torch", "wav2vec2-base-onnx")
    return [
        at_least("Model overtone at 150 times real time on one core", 150, speed["overtone"], "times"),
        at_least("Model lite at 700 times real time on one core", 700, speed["lite"], "times"),
        at_least("Lite 40 times as fast as librosa's features", 40, _speed_up(systems, "lite", "librosa"), "times"),
        at_least("Lite 5 times as fast as eGeMAPS + SVM", 5, _speed_up(systems, "lite", "egemaps-svm"), "times"),
        at_least("Overtone 25 times as fast as wav2vec2-base on the faster runtime", 25, wav2vec2, "times"),
        below(f"{PREDICT} from start to exit in less than 0.6 s", 0.6, process["wall_s"], "s"),
        below(f"{PREDICT} from start to exit in less than 180 MB", 180, process["peak_mb"], "MB"),
    ]


def _speed_up(systems: Mapping[str, Any], own: str, *names: str) -> float | None:
    """Return the time of the fastest of these systems relative to that of an own one; None where one is missing."""
    measured = [systems[name]["relative_time"] for name in names if "ms" in systems.get(name, {})]
    own_time = systems.get(own, {}).get("relative_time")
    return min(measured) / own_time if measured and own_time else None


def _lower_bound(content: Mapping[str, Any]) -> str:
    bound, own_ms = content["lower_bound"], content["systems"]["overtone"]["ms"]
    return (
        f"Lower bound per clip: {bound['total_ms']:.2f} ms, the sum of decoding ({bound['decode_ms']:.2f} ms), "
        f"resampling ({bound['resample_ms']:.2f} ms) and the network's {bound['operations'] / 1e9:.2f} billion "
        f"multiplications and additions ({bound['arithmetic_ms']:.2f} ms at {bound['gemm_per_s'] / 1e9:.0f} billion "
        f"per second, the rate of a product of large matrices on this machine). Overtone, clip by clip, takes "
        f"{own_ms / bound['total_ms']:.2f} times as long."
    )


def _measured_on(content: Mapping[str, Any]) -> str:
    clips = content["clips"]
    return (
        f"{clips['count']} RAVDESS clips of {clips['median_s']:.1f} s (median), 48 kHz WAV, all systems interleaved on "
        f"one core of {machine_name(content['machine'])}."
    )


def _reading_notes(content: Mapping[str, Any]) -> str:
    share = min(system["cpu_share"] for system in content["systems"].values() if "ms" in system)
    busy = f" Other processes used the core: some systems had it for only {100 * share:.0f} % of the time."
    return (
        "From file to prediction, or to features for systems without a classifier; medians of wall times. Relative "
        "time is the time per clip divided by that of Overtone, clip by clip. wav2vec2 and WavLM are architectures "
        "with random weights, which cost the same as trained ones. Cold start and peak memory are those of a process "
        "that recognises one clip, files cached; installed is the size of the pip packages and the model."
        + busy
        * (share < BUSY_BELOW)
    )
