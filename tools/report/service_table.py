"""`results/serve.json` -> throughput, latency and robustness of the service, and its web page next to a Gradio page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overtone.evaluation.document import Block, Paragraph, Table
from overtone.evaluation.report import UNKNOWN
from tools.report.measurements import Target, at_least, below, blocks_from_file, machine_name, target_table

COMMAND = "python -m benchmarks.serve"
MIN_REQUESTS_PER_S, MAX_P99_MS, MAX_START_S, MAX_STREAM_LAG_MS = 60, 300, 2, 250
MIN_MINUTES, MIN_STREAMS, MIN_JOBS, MIN_UPLOADS = 30, 50, 200, 10_000
MAX_GROWTH_PERCENT = 10
ACCEPTABLE_RESPONSES = {"correct", "rejected with Retry-After"}  # under overload
HEADER = ("Measurement", "Value")
PAGE_HEADER = ("Page", "Ready after", "Adds", "Loads", "Usable after", "Result after", "External hosts", "Files left")
PAGE_TITLES = {"overtone": "Overtone: a timeline", "gradio": "Gradio: one prediction"}
PAGE_METHOD = (
    "The web page, in headless Chromium with an empty cache, next to a minimal Gradio page for the library, mounted "
    "into an app. Ready after: until the service responds. Adds: size on top of the packages of the extra serve. "
    "Loads: by the browser. Usable after: from the address until a file can be chosen. Result after: from a clip of "
    "3.5 s to its result. Files left: files named after the upload that remain afterwards."
)


def blocks(path: Path) -> list[Block]:
    """Return the main measurements and their method; an empty list where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_from_file(path, _blocks, COMMAND)


def detail_blocks(path: Path) -> list[Block]:
    """Return the targets and the measurements of the web page; an empty list where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_from_file(path, _detail_blocks, COMMAND)


def _blocks(content: Mapping[str, Any]) -> list[Block]:
    method = (
        f"overtone serve and its clients on one machine, {content['machine']['cores']} cores of "
        f"{machine_name(content['machine'])}. Every response was compared with the prediction of the library. "
        "benchmarks/README.md explains the measurements."
    )
    rows: list[tuple[str, str]] = []
    if start := content.get("start"):
        rows.append(("Start until ready, at most", f"{start['seconds']['max']:.2f} s"))
    if load := content.get("recognise"):
        clients = f"{load['clients']} clients, clips of {load['clip_s']:.1f} s"
        rows.append((f"Correct responses per second, {clients}", f"{load['correct_per_second']:.0f}"))
        rows.append(
            ("Response time, median / 99th percentile", f"{load['ms']['p50']:.0f} / {load['ms']['p99']:.0f} ms")
        )
    if streams := content.get("streams"):
        rows.append(("Concurrent real-time streams", str(streams["streams"])))
        rows.append(("Latency of their predictions, at most", f"{streams['lag_ms']['max']:.0f} ms"))
    return [*([Table(HEADER, tuple(rows), frozenset({"Value"}))] if rows else []), Paragraph(method)]


def _detail_blocks(content: Mapping[str, Any]) -> list[Block]:
    return [target_table(_targets(content)), *_page_blocks(content.get("page"))]


def _targets(content: Mapping[str, Any]) -> list[Target]:
    load, start = content.get("recognise"), content.get("start")
    clients = "with 16 clients, clips of 3.5 s"
    overload, uploads = "30 minutes at twice the capacity", "10,000 malformed uploads"
    checks = (
        (f"{overload}: every response correct or rejected with Retry-After", "overload", _responses),
        (f"{overload}: memory grows by at most 10 %", "overload", _memory_growth),
        ("50 real-time streams, latency at most 250 ms", "streams", _stream_latency),
        ("200 queued jobs, service killed: each job finished exactly once", "kill", _jobs),
        (f"{uploads}: no 5xx other than 503, no worker lost, correct responses afterwards", "malformed", _uploads),
        (f"{uploads}: memory grows by at most 10 %", "malformed", _memory_growth),
    )
    return [
        below("Ready in less than 2 s", MAX_START_S, start and start["seconds"]["max"], "s at most"),
        at_least(
            f"60 requests per second {clients}", MIN_REQUESTS_PER_S, load and load["correct_per_second"], "per second"
        ),
        below(f"99th percentile below 300 ms {clients}", MAX_P99_MS, load and load["ms"]["p99"], "ms"),
        *(
            Target(description, *(check(content[part]) if part in content else ("", False)))
            for description, part, check in checks
        ),
    ]


def _responses(part: Mapping[str, Any]) -> tuple[str, bool]:
    counts = part["responses"]
    text = f"{part['minutes']:.0f} minutes at {part['requests_per_second']:.0f} per second: " + ", ".join(
        f"{count} {kind}" for kind, count in sorted(counts.items())
    )
    acceptable = counts.keys() <= ACCEPTABLE_RESPONSES and part["alive"] and part["worker_deaths"] == 0
    return text, _is_full_run(part) and acceptable


def _stream_latency(part: Mapping[str, Any]) -> tuple[str, bool]:
    text = f"{part['streams']} streams, {part['lag_ms']['max']:.0f} ms at most, {part['cores_used']:.1f} cores"
    complete = part["streams"] >= MIN_STREAMS and part["complete_timelines"] == part["streams"]
    return text, complete and part["lag_ms"]["max"] <= MAX_STREAM_LAG_MS


def _jobs(part: Mapping[str, Any]) -> tuple[str, bool]:
    text = (
        f"{part['done']} of {part['jobs']} done, {part['finished_twice']} twice, "
        f"{part['uploads_left']} uploads left behind"
    )
    failed = part["finished_twice"] or part["uploads_left"] or part["failed"]
    return text, part["jobs"] >= MIN_JOBS and part["done"] == part["jobs"] and not failed


def _uploads(part: Mapping[str, Any]) -> tuple[str, bool]:
    text = f"{part['uploads']} uploads, {part['server_errors']} 5xx, {part['worker_deaths']:.0f} workers lost"
    unharmed = not part["server_errors"] and not part["worker_deaths"] and part["correct_afterwards"]
    return text, _is_full_run(part) and unharmed


def _memory_growth(part: Mapping[str, Any]) -> tuple[str, bool]:
    growth = part["memory_mb"]["growth_percent"]
    return f"{growth:.1f} %", _is_full_run(part) and growth <= MAX_GROWTH_PERCENT


def _is_full_run(part: Mapping[str, Any]) -> bool:
    """Whether the measurement ran for the minutes, or the uploads, that the target names."""
    return part["minutes"] >= MIN_MINUTES if "minutes" in part else part["uploads"] >= MIN_UPLOADS


def _page_blocks(pages: Mapping[str, Any] | None) -> list[Block]:
    if pages is None:
        return []
    rows = tuple((PAGE_TITLES[name], *_page_cells(page)) for name, page in pages.items())
    return [Paragraph(PAGE_METHOD), Table(PAGE_HEADER, rows, frozenset(PAGE_HEADER[1:]))]


def _page_cells(page: Mapping[str, Any]) -> tuple[str, ...]:
    if "skipped" in page:
        return (str(page["skipped"]), *[UNKNOWN] * (len(PAGE_HEADER) - 2))
    return (
        f"{page['started_s']:.2f} s",
        f"{page['added_mb']:.1f} MB",
        f"{page['loaded_kb']:.0f} kB, {page['requests']:.0f} requests",
        f"{page['usable_ms']:.0f} ms",
        f"{page['result_ms']:.0f} ms",
        str(len(page["external_hosts"])),
        str(page["leftover_files"]),
    )
