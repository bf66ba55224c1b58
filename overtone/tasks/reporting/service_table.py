"""`results/serve.json` -> what the service bears, and its page beside one made with Gradio."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overtone.outputs.document import Block, Paragraph, Table
from overtone.outputs.report import UNKNOWN
from overtone.tasks.reporting.measurements import Target, at_least, below, blocks_of, target_table

REQUESTS_PER_S, WITHIN_MS, START_S, STREAM_LAG_MS = 60, 300, 2, 250
MINUTES, STREAMS, JOBS, UPLOADS = 30, 50, 200, 10_000
GROWTH_PERCENT = 10
HARMLESS = {"right", "refused with Retry-After"}  # what may become of a request under overload
HEADER = ("Page", "Ready after", "Adds", "Loads", "Usable after", "Answers after", "Asks elsewhere", "Names left")
TITLES = {"overtone": "Overtone: a timeline", "gradio": "Gradio: one answer"}


def blocks(path: Path) -> list[Block]:
    """What was aimed at, and the page; nothing where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_of(path, _blocks, "python -m benchmarks.serve")


def _blocks(held: Mapping[str, Any]) -> list[Block]:
    machine = held["machine"]
    told = Paragraph(
        f"overtone serve and its clients on one machine, {machine['cores']} cores of {machine['processor']} "
        f"({machine['system']}, Python {machine['versions']['python']}). Every answer was compared with that of the "
        "library; what each figure means is told in benchmarks/README.md."
    )
    return [told, target_table(_targets(held)), *_page(held.get("page"))]


def _targets(held: Mapping[str, Any]) -> list[Target]:
    clips, start = held.get("recognise"), held.get("start")
    clients = "at 16 clients, clips of 3.5 s"
    return [
        below("Ready in less than 2 s", START_S, start and start["seconds"]["max"], "s at most"),
        at_least(f"60 requests a second {clients}", REQUESTS_PER_S, clips and clips["right_per_second"], "a second"),
        below(f"99 of 100 answered within 300 ms {clients}", WITHIN_MS, clips and clips["ms"]["p99"], "ms"),
        *_overload(held.get("overload")),
        _streams(held.get("streams")),
        _killed(held.get("kill")),
        *_malformed(held.get("malformed")),
    ]


def _overload(held: Mapping[str, Any] | None) -> list[Target]:
    wanted = "30 minutes at twice the capacity: all answered rightly, or refused with Retry-After"
    grown = "30 minutes at twice the capacity: memory grows by 10 % at most"
    if held is None:
        return [Target(wanted, "", False), Target(grown, "", False)]
    counts, long = held["answers"], held["minutes"] >= MINUTES
    told = f"{held['minutes']:.0f} minutes at {held['asked_per_second']:.0f} a second: " + ", ".join(
        f"{count} {what}" for what, count in sorted(counts.items())
    )
    harmless = counts.keys() <= HARMLESS and held["alive"] and held["worker_deaths"] == 0
    growth = held["memory_mb"]["growth_percent"]
    return [
        Target(wanted, told, long and harmless),
        Target(grown, f"{growth:.1f} %", long and growth <= GROWTH_PERCENT),
    ]


def _streams(held: Mapping[str, Any] | None) -> Target:
    wanted = "50 streams in real time, each answer at most 250 ms behind"
    if held is None:
        return Target(wanted, "", False)
    whole = held["streams"] >= STREAMS and held["whole_timelines"] == held["streams"]
    told = f"{held['streams']} streams, {held['lag_ms']['max']:.0f} ms at most, {held['cores_used']:.1f} cores"
    return Target(wanted, told, whole and held["lag_ms"]["max"] <= STREAM_LAG_MS)


def _killed(held: Mapping[str, Any] | None) -> Target:
    wanted = "200 jobs queued, the service killed: each finished exactly once"
    if held is None:
        return Target(wanted, "", False)
    told = f"{held['done']} of {held['jobs']} done, {held['finished_again']} again, {held['uploads_left']} uploads left"
    wrong = held["finished_again"] or held["uploads_left"] or held["failed"]
    return Target(wanted, told, held["jobs"] >= JOBS and held["done"] == held["jobs"] and not wrong)


def _malformed(held: Mapping[str, Any] | None) -> list[Target]:
    wanted = "10,000 malformed uploads: no 5xx but 503, no worker lost, right answers afterwards"
    grown = "10,000 malformed uploads: memory back to its level, within 10 %"
    if held is None:
        return [Target(wanted, "", False), Target(grown, "", False)]
    many, growth = held["uploads"] >= UPLOADS, held["memory_mb"]["growth_percent"]
    told = f"{held['uploads']} uploads, {held['server_errors']} 5xx, {held['worker_deaths']:.0f} workers lost"
    good = not held["server_errors"] and not held["worker_deaths"] and held["right_afterwards"]
    return [
        Target(wanted, told, many and good),
        Target(grown, f"{growth:.1f} %", many and growth <= GROWTH_PERCENT),
    ]


def _page(held: Mapping[str, Any] | None) -> list[Block]:
    """Both pages in a table."""
    if held is None:
        return []
    rows = tuple((TITLES[name], *_visited(one)) for name, one in held.items())
    told = Paragraph(
        "The page, in headless Chromium with an empty cache, beside the smallest one that Gradio makes of the library, "
        "mounted into an app: seconds until the service can be asked; what it adds to the packages of the extra "
        "serve; what a browser loads; from the address until a file can be given; from a clip of 3.5 s to what is "
        "heard; hosts that it asks beside its own; files that lie about afterwards under the name that the client gave."
    )
    return [told, Table(HEADER, rows, frozenset(HEADER[1:]))]


def _visited(one: Mapping[str, Any]) -> tuple[str, ...]:
    if "left_out" in one:
        return (str(one["left_out"]), *[UNKNOWN] * (len(HEADER) - 2))
    return (
        f"{one['started_s']:.2f} s",
        f"{one['adds_mb']:.1f} MB",
        f"{one['loaded_kb']:.0f} kB, {one['requests']:.0f} requests",
        f"{one['usable_ms']:.0f} ms",
        f"{one['answer_ms']:.0f} ms",
        str(len(one["elsewhere"])),
        str(one["names_left"]),
    )
