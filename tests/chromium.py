"""Headless Chromium for tests, with a tab that records requests and errors."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
TIMEOUT_S = 20
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


class Tab:
    """A tab that records requested URLs, console messages and script errors."""

    def __init__(self, browser, url: str, **options) -> None:
        self.context = browser.new_context(**{"viewport": DESKTOP, **options})
        self.tab = self.context.new_page()
        self.requested_urls: list[str] = []
        self.errors: list[str] = []
        self.tab.on("request", lambda request: self.requested_urls.append(request.url))
        self.tab.on("console", lambda message: self.errors.append(message.text))
        self.tab.on("pageerror", lambda error: self.errors.append(str(error)))
        self.tab.goto(url)

    def wait_until(self, condition: str) -> None:
        """Wait for a JavaScript condition; playwright's own wait needs `eval`, which the pages forbid."""
        deadline = time.monotonic() + TIMEOUT_S
        while not self.tab.evaluate(condition):
            assert time.monotonic() < deadline, f"timed out: {condition}"
            self.tab.wait_for_timeout(20)

    def close(self, *allowed_prefixes: str) -> None:
        """Close the tab; fail on any recorded error, and on requests of URLs with other prefixes than the allowed."""
        self.context.close()
        assert not self.errors
        assert not [url for url in self.requested_urls if not url.startswith(("blob:", "data:", *allowed_prefixes))]
