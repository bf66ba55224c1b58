"""The page of a timeline in a browser tab, for tests."""

from chromium import Tab


class TimelineTab(Tab):
    """A tab with the page of a timeline, which has been drawn for the first time: that happens after it has loaded."""

    def __init__(self, browser, url: str, **options) -> None:
        super().__init__(browser, url, **options)
        self.wait_until("view.width > 0 && view.width === stage.clientWidth")

    def wait_for_audio(self) -> "TimelineTab":
        """Wait until the audio can be played."""
        self.wait_until("document.querySelector('audio').readyState >= 2")
        return self
