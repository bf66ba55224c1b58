"""`results/serve.json` -> what the service bears, and its page beside one made with Gradio."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overtone.evaluation.document import Block, Paragraph, Table
from overtone.evaluation.report import UNKNOWN
from tools.report.measurements import Target, at_least, below, blocks_of, target_table

REQUESTS_PER_S, WITHIN_MS, START_S, STREAM_LAG_MS = 60, 300, 2, 250
MINUTES, STREAMS, JOBS, UPLOADS = 30, 50, 200, 10_000
GROWTH_PERCENT = 10
HARMLESS = {"right", "refused with Retry-After"}  # what may become of a request under overload
HEADER = ("Page", "Ready after", "Adds", "Loads", "Usable after", "Answers after", "Asks elsewhere", "Names left")
Verdict = tuple[str, bool]  # what was measured, in words, and whether that is good enough
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
    long, many = "30 minutes at twice the capacity", "10,000 malformed uploads"
    return [
        below("Ready in less than 2 s", START_S, start and start["seconds"]["max"], "s at most"),
        at_least(f"60 requests a second {clients}", REQUESTS_PER_S, clips and clips["right_per_second"], "a second"),
        below(f"99 of 100 answered within 300 ms {clients}", WITHIN_MS, clips and clips["ms"]["p99"], "ms"),
        *(
            Target(wanted, *(judged(held[part]) if part in held else ("", False)))
            for wanted, part, judged in (
                (f"{long}: all answered rightly, or refused with Retry-After", "overload", _answered),
                (f"{long}: memory grows by 10 % at most", "overload", _grown),
                ("50 streams in real time, each answer at most 250 ms behind", "streams", _in_time),
                ("200 jobs queued, the service killed: each finished exactly once", "kill", _finished),
                (f"{many}: no 5xx but 503, no worker lost, right answers afterwards", "malformed", _unharmed),
                (f"{many}: memory back to its level, within 10 %", "malformed", _grown),
            )
        ),
    ]


def _answered(held: Mapping[str, Any]) -> Verdict:
    counts = held["answers"]
    told = f"{held['minutes']:.0f} minutes at {held['asked_per_second']:.0f} a second: " + ", ".join(
        f"{count} {what}" for what, count in sorted(counts.items())
    )
    harmless = counts.keys() <= HARMLESS and held["alive"] and held["worker_deaths"] == 0
    return told, _whole(held) and harmless


def _in_time(held: Mapping[str, Any]) -> Verdict:
    told = f"{held['streams']} streams, {held['lag_ms']['max']:.0f} ms at most, {held['cores_used']:.1f} cores"
    whole = held["streams"] >= STREAMS and held["whole_timelines"] == held["streams"]
    return told, whole and held["lag_ms"]["max"] <= STREAM_LAG_MS


def _finished(held: Mapping[str, Any]) -> Verdict:
    told = f"{held['done']} of {held['jobs']} done, {held['finished_again']} again, {held['uploads_left']} uploads left"
    wrong = held["finished_again"] or held["uploads_left"] or held["failed"]
    return told, held["jobs"] >= JOBS and held["done"] == held["jobs"] and not wrong


def _unharmed(held: Mapping[str, Any]) -> Verdict:
    told = f"{held['uploads']} uploads, {held['server_errors']} 5xx, {held['worker_deaths']:.0f} workers lost"
    good = not held["server_errors"] and not held["worker_deaths"] and held["right_afterwards"]
    return told, _whole(held) and good


def _grown(held: Mapping[str, Any]) -> Verdict:
    growth = held["memory_mb"]["growth_percent"]
    return f"{growth:.1f} %", _whole(held) and growth <= GROWTH_PERCENT


def _whole(held: Mapping[str, Any]) -> bool:
    """Whether it went on for as long, or as often, as is asked."""
    return held["minutes"] >= MINUTES if "minutes" in held else held["uploads"] >= UPLOADS


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
