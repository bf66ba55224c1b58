"""`results/bench.json` -> the tables of speed and size."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overtone.evaluation.document import Block, Paragraph, Table
from overtone.evaluation.report import UNKNOWN
from tools.report.measurements import Target, at_least, below, blocks_of, target_table

LONGER = "Times as long as Overtone"
HEADER = ("System", "One clip", "Times real time", LONGER, "Cold start", "Peak memory", "Installed")
HOUR = "One hour of sound"
OURS = ("overtone", "overtone-many")
ALONE = "overtone predict clip.wav"
Row = tuple[str, ...]


def blocks(path: Path) -> list[Block]:
    """Everybody side by side, what was aimed at, and the floor; nothing where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_of(path, _page, "make bench")


def readme_blocks(path: Path) -> list[Block]:
    """Those that were measured, side by side, and the command as a whole process; nothing where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_of(path, _short, "make bench")


def _page(held: Mapping[str, Any]) -> list[Block]:
    header = (*HEADER[:3], HOUR, *HEADER[3:])
    rows = tuple(_row(one, hour=True) for one in held["systems"].values())
    return [
        Table(header, rows, frozenset(header[1:])),
        Paragraph(f"{_measured_on(held)} {_how_to_read(held)}"),
        target_table(_targets(held)),
        Paragraph(_floor(held)),
        Paragraph(f"import overtone takes {max(0.0, held['import']['beyond_numpy_s']):.3f} s beyond Python and numpy."),
    ]


def _short(held: Mapping[str, Any]) -> list[Block]:
    rows = tuple(_row(one) for one in held["systems"].values() if "left_out" not in one)
    whole = held["process"]
    words = f"{ALONE} as a whole process, files cached: {whole['wall_s']:.2f} s and {whole['peak_mb']:.0f} MB."
    return [Table(HEADER, rows, frozenset(HEADER[1:])), Paragraph(f"{_measured_on(held)} {words}")]


def _row(one: Mapping[str, Any], hour: bool = False) -> Row:
    title = one["title"] if one["ends_with"] == "answer" else f"{one['title']} ({one['ends_with']} only)"
    if "left_out" in one:
        return (f"{title}; not measured: {one['left_out']}", *[UNKNOWN] * (len(HEADER) - 1 + hour))
    return (
        title,
        f"{_figure(one['ms'])} ms",
        _figure(one["times_real_time"]),
        *([f"{_figure(one['hour_s'])} s"] if hour else []),
        _figure(one["times_longer"]),
        f"{one['cold_s']:.2f} s",
        f"{one['peak_mb']:.0f} MB",
        f"{one['packages_mb'] + one['model_mb']:.0f} MB",
    )


def _figure(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _targets(held: Mapping[str, Any]) -> list[Target]:
    systems, whole = held["systems"], held["process"]
    return [
        at_least("Clips at 400 times real time on one core", 400, _ours(systems)["times_real_time"], "times"),
        at_least("40 times as fast as the paper's features with librosa", 40, _longer(systems, "librosa"), "times"),
        at_least("5 times as fast as eGeMAPS + SVM", 5, _longer(systems, "egemaps-svm"), "times"),
        at_least(
            "25 times as fast as wav2vec2-base, on torch or onnxruntime, whichever is faster",
            25,
            _longer(systems, "wav2vec2-base-torch", "wav2vec2-base-onnx"),
            "times",
        ),
        below(f"{ALONE} as a whole process in less than 0.5 s", 0.5, whole["wall_s"], "s"),
        below("in less than 150 MB", 150, whole["peak_mb"], "MB"),
    ]


def _ours(systems: Mapping[str, Any]) -> Mapping[str, Any]:
    """Overtone as it is faster: clip by clip, or given a list."""
    return min((systems[name] for name in OURS if "ms" in systems.get(name, {})), key=lambda one: one["times_longer"])


def _longer(systems: Mapping[str, Any], *names: str) -> float | None:
    """How many times as long as Overtone the fastest of these takes; None where none was measured."""
    measured = [systems[name]["times_longer"] for name in names if "ms" in systems.get(name, {})]
    return min(measured) / _ours(systems)["times_longer"] if measured else None


def _floor(held: Mapping[str, Any]) -> str:
    floor, own_ms = held["floor"], held["systems"]["overtone"]["ms"]
    return (
        f"The floor: decoding {floor['decode_ms']:.2f} ms, resampling {floor['resample_ms']:.2f} ms and "
        f"{floor['operations'] / 1e9:.2f} billion multiplications and additions of the network "
        f"{floor['arithmetic_ms']:.2f} ms, at {floor['gemm_per_s'] / 1e9:.0f} billion per second as in a product of "
        f"large matrices here: {floor['total_ms']:.2f} ms per clip. Overtone, clip by clip, takes "
        f"{own_ms / floor['total_ms']:.2f} times as long."
    )


def _measured_on(held: Mapping[str, Any]) -> str:
    machine, clips = held["machine"], held["clips"]
    return (
        f"{clips['count']} RAVDESS clips of {clips['median_s']:.1f} s (median), 48 kHz WAV, side by side on one core "
        f"of {machine['processor']} ({machine['system']}, Python {machine['versions']['python']})."
    )


def _how_to_read(held: Mapping[str, Any]) -> str:
    share = min(one["cpu_share"] for one in held["systems"].values() if "ms" in one)
    busy = f" Something else was using the core: some had it for only {100 * share:.0f} % of the time." * (share < 0.9)
    return (
        "From file to answer, or to features where no network follows; medians of wall times. wav2vec2 and WavLM are "
        "architectures with random weights, which cost the same. Cold start and peak memory are those of a process "
        "that answers one clip, files cached; installed is what pip brings and the model." + busy
    )
