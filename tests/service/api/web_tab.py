"""The web page of a service in a browser tab, for tests."""

import re
from pathlib import Path

from chromium import Tab
from serving import Served


class WebPage(Tab):
    """The web page of a service in a browser tab."""

    def __init__(self, browser, served: Served, **options) -> None:
        super().__init__(browser, f"http://127.0.0.1:{served.port}/", **options)
        self.served = served
        self.row = self.tab.locator("#recordings li")
        self.alert = self.tab.locator("#message")

    def add_files(self, *paths: Path) -> None:
        self.tab.locator("input[type=file]").set_input_files(list(paths))

    def press(self, name: str) -> None:
        self.tab.get_by_role("button", name=name, exact=True).click()

    @property
    def frame(self):
        return self.tab.frame_locator("iframe")

    def wait_for_result(self) -> "WebPage":
        """Wait until the timeline of the selected recording is shown and its audio is loaded."""
        self.wait_until("document.querySelector('iframe')?.contentDocument?.querySelector('audio')?.readyState >= 2")
        return self

    def audio_property(self, name: str):
        return self.tab.evaluate(f"document.querySelector('iframe').contentDocument.querySelector('audio').{name}")

    def wait_until_ended(self, count: int) -> None:
        """Wait until the list has as many recordings, none of which is waiting, uploaded or processed any more."""
        self.wait_until(
            f"document.querySelectorAll('#recordings li').length === {count} "
            "&& document.querySelector('#recordings [aria-label^=\"Cancel \"]') === null"
        )

    def wait_for_page_of(self, name: str) -> None:
        """Wait until the whole timeline page of a recording is in the frame."""
        self.wait_until(
            f"((frame) => frame?.title === 'Timeline of {name}' && frame.contentDocument.readyState === 'complete' "
            "&& frame.contentDocument.querySelector('h1') !== null)(document.querySelector('iframe'))"
        )

    def job_ids(self) -> list[str]:
        return re.findall("/v1/jobs/([0-9a-f]{32})(?=$|\\n)", "\n".join(self.requested_urls))
