"""A real headless Chromium, and a page in it that is watched."""

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
PATIENCE_S = 20
DESK, PHONE = {"width": 1100, "height": 900}, {"width": 375, "height": 700}


@contextmanager
def chromium(*flags: str) -> Iterator:
    """The browser, until the end of the block; skips the test where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install 'overtone[dev]'")
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}: apt-get install chromium, or set CHROMIUM")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS, *flags])
        yield browser
        browser.close()


class Tab:
    """A page in a browser, with all that it asked for and complained of."""

    def __init__(self, browser, address: str, **options) -> None:
        self.context = browser.new_context(**{"viewport": DESK, **options})
        self.tab = self.context.new_page()
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.tab.on("request", lambda request: self.asked.append(request.url))
        self.tab.on("console", lambda message: self.complaints.append(message.text))
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.goto(address)

    def until(self, condition: str) -> None:
        """Waits; playwright's own waiting would need the `eval` that pages forbid."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.tab.evaluate(condition):
            assert time.monotonic() < deadline, f"never: {condition}"
            self.tab.wait_for_timeout(20)

    def close(self, *own: str) -> None:
        """Closes it; nothing may have gone wrong, nor been asked of what does not begin with one of these addresses."""
        self.context.close()
        assert not self.complaints
        assert not [url for url in self.asked if not url.startswith(("blob:", "data:", *own))]
