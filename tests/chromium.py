"""Headless Chromium for tests, with a tab that records requests and errors."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
TIMEOUT_S = 60  # of a wait for a condition: machines that run many tests at once are slow
SLOWDOWN = float(os.environ.get("CHROMIUM_SLOWDOWN", "1"))  # of the scripts: shows what depends on a fast machine
DESKTOP, PHONE = {"width": 1100, "height": 900}, {"width": 360, "height": 700}


@contextmanager
def chromium(*flags: str) -> Iterator:
    """Run the browser for the duration of the block; skip the test if it is not installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install 'overtone[dev]'")
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}: apt-get install chromium, or set CHROMIUM")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS, *flags])
        yield browser
        browser.close()


RECORD_TEXTS = """() => {
  window.texts = [];
  const record = () => window.texts.push(document.body.innerText);
  new MutationObserver(record).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


class Tab:
    """A tab that records requested URLs, console messages and script errors.

    Pages change by themselves: they decode audio, wait for the service, move the focus after drawing. What may still
    change is awaited (`wait_until`, or `wait_for` of a locator), not read once; what stays for a short time only is
    recorded from before (`record_texts`). `CHROMIUM_SLOWDOWN=6` runs the scripts as on a machine that is six times as
    slow.
    """

    def __init__(self, browser, url: str, **options) -> None:
        self.context = browser.new_context(**{"viewport": DESKTOP, **options})
        self.tab = self.context.new_page()
        self.requested_urls: list[str] = []
        self.errors: list[str] = []
        self.expected_errors: list[str] = []
        self.tab.on("request", lambda request: self.requested_urls.append(request.url))
        self.tab.on("console", lambda message: self.errors.append(message.text))
        self.tab.on("pageerror", lambda error: self.errors.append(str(error)))
        if SLOWDOWN > 1:
            session = self.context.new_cdp_session(self.tab)
            session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
        self.tab.goto(url)

    def wait_until(self, condition: str) -> None:
        """Wait for a JavaScript condition; playwright's own wait needs `eval`, which the pages forbid."""
        deadline = time.monotonic() + TIMEOUT_S
        while not self.tab.evaluate(condition):
            assert time.monotonic() < deadline, f"timed out: {condition}"
            self.tab.wait_for_timeout(20)

    def wait_while(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition no longer holds; the tab goes on meanwhile."""
        deadline = time.monotonic() + TIMEOUT_S
        while condition():
            assert time.monotonic() < deadline
            self.tab.wait_for_timeout(20)

    def record_texts(self) -> None:
        """From now on, record the visible text of the page after each change."""
        self.tab.evaluate(RECORD_TEXTS)

    def has_shown(self, text: str) -> bool:
        """Return whether the page has shown a text since `record_texts`."""
        return self.tab.evaluate("text => window.texts.some((shown) => shown.includes(text))", text)

    def expect_errors(self, *parts: str) -> None:
        """Allow messages with one of these texts, whenever they come; by default those of the browser on requests."""
        self.expected_errors += parts or ["Failed to load resource"]

    def close(self, *allowed_prefixes: str) -> None:
        """Close the tab; fail on any recorded error, and on requests of URLs with other prefixes than the allowed."""
        self.context.close()
        errors = [error for error in self.errors if not any(part in error for part in self.expected_errors)]
        assert not errors, errors
        urls = [url for url in self.requested_urls if not url.startswith(("blob:", "data:", *allowed_prefixes))]
        assert not urls, urls
