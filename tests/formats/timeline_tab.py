"""The page of a timeline in a browser tab, for tests."""

from pathlib import Path

from chromium import Tab

SEGMENTS = "data.segments.map(({ start, end, name, decided_by }) => [start, end, name, decided_by])"


class TimelineTab(Tab):
    """A tab with the page of a timeline, which has been drawn for the first time: that happens after it has loaded."""

    def __init__(self, browser, url: str, **options) -> None:
        super().__init__(browser, url, **options)
        self.wait_until("view.width > 0 && view.width === stage.clientWidth")

    def wait_for_audio(self) -> "TimelineTab":
        """Wait until the audio can be played."""
        self.wait_until("document.querySelector('audio').readyState >= 2")
        return self


class EditorTab(TimelineTab):
    """A tab with the page of a timeline whose segments are being corrected."""

    def __init__(self, browser, path: Path, **options) -> None:
        super().__init__(browser, path.as_uri(), **options)
        self.dialogs: list[str] = []
        self.tab.on("dialog", lambda dialog: (self.dialogs.append(dialog.type), dialog.accept()))
        self.wait_until("document.querySelector('audio').readyState >= 2 || !document.getElementById('audio-data')")

    def start(self) -> "EditorTab":
        self.tab.get_by_role("button", name="Correct", exact=True).click()
        return self

    def press(self, *keys: str) -> None:
        for key in keys:
            self.tab.keyboard.press(key)

    def segments(self) -> list:
        return self.tab.evaluate(SEGMENTS)

    def save(self, format_name: str, folder: Path) -> Path:
        with self.tab.expect_download() as waiting:
            self.tab.get_by_role("button", name=f"Corrected {format_name.upper()}").click()
        path = folder / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path
