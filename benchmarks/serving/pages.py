"""The web page of the service next to a minimal Gradio page: start, size, loading time and time to a result.

Gradio needs a separate Python interpreter that also has Overtone, the value of the environment variable GRADIO_PYTHON;
without it, Gradio is skipped.
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

from benchmarks.harness import PROJECT, median
from benchmarks.serving.service import memory_mb, service

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
CLIP_NAME = "private-name.flac"  # must not remain in the name of any file
SETTLE_MS = 3000  # for requests that a page sends after it is usable
WEB_FOLDER = PROJECT / "overtone" / "service" / "web"
MEDIANS = ("loaded_kb", "requests", "usable_ms", "result_ms")


class Page(NamedTuple):
    """A page that is being served.

    Attributes:
        url: its address.
        started_s: seconds from the command to the first response.
        process: the server.
    """

    url: str
    started_s: float
    process: subprocess.Popen[str]


def measure(folder: Path, clip: bytes, visits: int) -> dict[str, Any]:
    """Return the results of both pages, or the reason why Gradio was skipped.

    Args:
        folder: for the state of both servers.
        clip: content of the audio file that is uploaded.
        visits: number of visits of each page; results are medians.
    """
    clip_path = folder / CLIP_NAME
    clip_path.write_bytes(clip)
    own = {"added_mb": folder_mb(WEB_FOLDER)} | visit_page(_serve_own(folder / "ours"), clip_path, visits)
    return {"overtone": own, "gradio": _measure_gradio(folder / "gradio", clip_path, visits)}


def _measure_gradio(folder: Path, clip: Path, visits: int) -> dict[str, Any]:
    interpreter = os.environ.get("GRADIO_PYTHON")
    if interpreter is None:
        return {"skipped": "GRADIO_PYTHON is not set to a Python interpreter with Gradio"}
    added_mb = float(_run(interpreter, "-m", "benchmarks.installed", "gradio", "--beyond", "overtone[serve]"))
    return {"added_mb": added_mb} | visit_page(_serve_gradio(folder, interpreter), clip, visits)


def visit_page(server: contextlib.AbstractContextManager[Page], clip: Path, visits: int) -> dict[str, Any]:
    """Return what a browser measures, the memory of the server, and the number of files named after the clip."""
    from playwright.sync_api import sync_playwright

    with server as page, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        results = [_visit(browser, page.url, clip) for _ in range(visits)]
        browser.close()
        leftover_files = sum(path != clip and clip.stem in path.name for path in clip.parent.rglob("*"))
        server_mb = memory_mb(page.process.pid)
    return {
        "started_s": page.started_s,
        **{name: median([result[name] for result in results]) for name in MEDIANS},
        "external_hosts": sorted({host for result in results for host in result["external_hosts"]}),
        "memory_mb": server_mb,
        "leftover_files": leftover_files,
    }


def _visit(browser: Any, url: str, clip: Path) -> dict[str, Any]:
    """Return the measurements of one visit with an empty cache, from the address to the result."""
    context = browser.new_context()
    tab = context.new_page()
    devtools = context.new_cdp_session(tab)
    devtools.send("Network.enable")
    loaded, requested = [0], []
    devtools.on("Network.loadingFinished", lambda event: loaded.append(event["encodedDataLength"]))
    tab.on("request", lambda request: requested.append(request.url))
    begin_s = time.perf_counter()
    tab.goto(url)
    tab.locator("input[type=file]").wait_for(state="attached")
    usable_s = time.perf_counter()
    tab.wait_for_timeout(SETTLE_MS)
    loaded_bytes, requests = sum(loaded), len(requested)
    upload_s = time.perf_counter()
    tab.locator("input[type=file]").set_input_files([clip])
    if tab.get_by_role("button", name="Submit").count():  # Gradio
        tab.locator("audio, .waveform-container, #waveform").first.wait_for(state="attached")  # the upload is complete
        tab.get_by_role("button", name="Submit").click()
        tab.get_by_text("%").first.wait_for()
    else:
        tab.frame_locator("iframe").locator("#segments button").first.wait_for()
    result_s = time.perf_counter()
    context.close()
    hosts = {urlsplit(address).netloc for address in requested if address.startswith("http")} - {urlsplit(url).netloc}
    return {
        "loaded_kb": loaded_bytes / 1000,
        "requests": requests,
        "usable_ms": 1000 * (usable_s - begin_s),
        "result_ms": 1000 * (result_s - upload_s),
        "external_hosts": hosts,
    }


@contextlib.contextmanager
def _serve_own(folder: Path) -> Iterator[Page]:
    with service(folder) as running:
        yield Page(f"http://127.0.0.1:{running.port}/", running.started_s, running.process)


@contextlib.contextmanager
def _serve_gradio(folder: Path, interpreter: str) -> Iterator[Page]:
    begin_s = time.perf_counter()
    command = [interpreter, str(PROJECT / "benchmarks" / "serving" / "gradio_page.py")]
    environment = os.environ | {"GRADIO_TEMP_DIR": str(folder), "GRADIO_ANALYTICS_ENABLED": "False"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{process.stdout.readline().split()[-1]}/"
        urllib.request.urlopen(url, timeout=60).close()
        yield Page(url, time.perf_counter() - begin_s, process)
    finally:
        process.kill()
        process.communicate()


def _run(*command: str) -> str:
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout


def folder_mb(folder: Path) -> float:
    """Return the megabytes of all files in a folder and its subfolders."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
