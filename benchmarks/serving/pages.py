"""The page of the service beside one made with Gradio: how it starts, what it weighs, how long it lets people wait.

Gradio needs a Python of its own, with Overtone beside it, which GRADIO_PYTHON names; without one it is left out.
"""

import contextlib
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from benchmarks.bench import PROJECT, median
from benchmarks.serving.service import memory_mb, service

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
NAME = "whom-this-is-about.flac"
SETTLES_MS = 3000  # what a page loads after it can be used
WEB = PROJECT / "overtone" / "service" / "web"


class Page(NamedTuple):
    """A page that is served.

    Attributes:
        address: where.
        started_s: from the command until it answered.
        process: that serves it.
    """

    address: str
    started_s: float
    process: subprocess.Popen[str]


def measure(folder: Path, clip: bytes, runs: int) -> dict[str, Any]:
    """Both pages, or why one is left out.

    Args:
        folder: for what they keep.
        clip: a sound file to give them.
        runs: how often each is opened; medians count.
    """
    sound = folder / NAME
    sound.write_bytes(clip)
    told: dict[str, Any] = {"overtone": {"adds_mb": folder_mb(WEB)} | opened(_ours(folder / "ours"), sound, runs)}
    interpreter = os.environ.get("GRADIO_PYTHON")
    if interpreter is None:
        return told | {"gradio": {"left_out": "GRADIO_PYTHON names no Python with it"}}
    adds_mb = float(_run(interpreter, "-m", "benchmarks.installed", "gradio", "--beyond", "overtone[serve]"))
    return told | {"gradio": {"adds_mb": adds_mb} | opened(_gradio(folder / "gradio", interpreter), sound, runs)}


def opened(served: contextlib.AbstractContextManager[Page], sound: Path, runs: int) -> dict[str, Any]:
    """What a browser sees of a page, and what the page leaves of a sound that was given to it."""
    from playwright.sync_api import sync_playwright

    with served as page, sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        seen = [_visit(browser, page.address, sound) for _ in range(runs)]
        browser.close()
        left = sum(path != sound and sound.stem in path.name for path in sound.parent.rglob("*"))
        memory = memory_mb(page.process.pid)
    middle = {name: median([one[name] for one in seen]) for name in ("loaded_kb", "requests", "usable_ms", "answer_ms")}
    elsewhere = sorted({host for one in seen for host in one["elsewhere"]})
    return {"started_s": page.started_s, **middle, "elsewhere": elsewhere, "memory_mb": memory, "names_left": left}


def _visit(browser: Any, address: str, sound: Path) -> dict[str, Any]:
    """One visit with an empty cache, from the address to the answer."""
    context = browser.new_context()
    tab = context.new_page()
    wire = context.new_cdp_session(tab)
    wire.send("Network.enable")
    loaded, asked = [0], []
    wire.on("Network.loadingFinished", lambda event: loaded.append(event["encodedDataLength"]))
    tab.on("request", lambda request: asked.append(request.url))
    begin_s = time.perf_counter()
    tab.goto(address)
    tab.locator("input[type=file]").wait_for(state="attached")
    usable_s = time.perf_counter()
    tab.wait_for_timeout(SETTLES_MS)
    weight = sum(loaded), len(asked)
    given_s = time.perf_counter()
    tab.locator("input[type=file]").set_input_files([sound])
    if tab.get_by_role("button", name="Submit").count():
        tab.locator("audio, .waveform-container, #waveform").first.wait_for(state="attached")  # the upload is done
        tab.get_by_role("button", name="Submit").click()
        tab.get_by_text("%").first.wait_for()
    else:
        tab.frame_locator("iframe").locator("#segments button").first.wait_for()
    answered_s = time.perf_counter()
    context.close()
    own = urlsplit(address).netloc
    hosts = {urlsplit(url).netloc for url in asked if url.startswith("http")} - {own}
    return {
        "loaded_kb": weight[0] / 1000,
        "requests": weight[1],
        "usable_ms": 1000 * (usable_s - begin_s),
        "answer_ms": 1000 * (answered_s - given_s),
        "elsewhere": hosts,
    }


@contextlib.contextmanager
def _ours(folder: Path) -> Iterator[Page]:
    with service(folder) as running:
        yield Page(f"http://127.0.0.1:{running.port}/", running.started_s, running.process)


@contextlib.contextmanager
def _gradio(folder: Path, interpreter: str) -> Iterator[Page]:
    begin_s = time.perf_counter()
    command = [interpreter, str(PROJECT / "benchmarks" / "serving" / "gradio_page.py")]
    environment = os.environ | {"GRADIO_TEMP_DIR": str(folder), "GRADIO_ANALYTICS_ENABLED": "False"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        address = f"http://127.0.0.1:{process.stdout.readline().split()[-1]}/"
        urllib.request.urlopen(address, timeout=60).close()
        yield Page(address, time.perf_counter() - begin_s, process)
    finally:
        process.kill()
        process.communicate()


def _run(*command: str) -> str:
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout


def folder_mb(folder: Path) -> float:
    """Megabytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
