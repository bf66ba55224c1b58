"""Photographs the page of `overtone serve` for docs/serve.md: a talk that was heard, a voice as it comes in, a phone.

    python tools/make_screenshots.py

Needs RAVDESS and Chromium, as `tools/make_forms.py` does, whose conversation it gives to the page.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).parent))

from make_forms import FIGURES, conversation

from overtone.timeline import Segment

FLAGS = ("--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream")
DESK, PHONE = {"width": 1100, "height": 900}, {"width": 390, "height": 844}
MICROPHONE_HZ = 48_000
LIVE_MS = 11_000


def main() -> None:
    """Takes all three."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sound, turns = conversation(folder / "conversation.flac")
        rttm = folder / "conversation.rttm"
        rttm.write_text("".join(map(line_of, turns)), "utf-8")
        samples, rate_hz = soundfile.read(sound)
        heard = folder / "microphone.wav"
        soundfile.write(heard, np.repeat(samples, MICROPHONE_HZ // rate_hz), MICROPHONE_HZ, subtype="PCM_16")
        with served(folder / "data") as address:
            photograph(address, [sound, rttm], heard)


def line_of(turn: Segment) -> str:
    """A turn as a line of RTTM."""
    return f"SPEAKER - 1 {turn.start_s:.2f} {turn.duration_s:.2f} <NA> <NA> {turn.speaker} <NA> <NA>\n"


@contextmanager
def served(data: Path) -> Iterator[str]:
    """The address of a service."""
    command = [sys.executable, "-m", "overtone", "serve", "--port", "0", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def photograph(address: str, files: list[Path], heard: Path, chromium: str = "/usr/bin/chromium") -> None:
    """Pictures of the page at an address."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        flags = [*FLAGS, f"--use-file-for-fake-audio-capture={heard}"]
        browser = running.chromium.launch(executable_path=chromium, args=flags)
        for name, options in (("page", {"viewport": DESK}), ("page-phone", {"viewport": PHONE, "is_mobile": True})):
            tab = browser.new_page(**options)
            tab.goto(address)
            tab.locator("input[type=file]").set_input_files(files)
            tab.frame_locator("iframe").locator("#segments li").first.wait_for()
            tab.wait_for_timeout(1000)  # for the sound to be there
            tab.frame_locator("iframe").locator("#segments button").nth(3).click()
            if name == "page":  # as high as all of it: what lies outside the window is not drawn
                height = tab.evaluate("document.documentElement.scrollHeight")
                tab.set_viewport_size({**DESK, "height": height})
                tab.wait_for_timeout(500)
            else:
                tab.evaluate("document.getElementById('recordings').scrollIntoView()")
            tab.screenshot(path=str(FIGURES / f"{name}.png"))
        tab = browser.new_page(viewport={"width": 1100, "height": 560}, permissions=["microphone"])
        tab.goto(address)
        tab.get_by_role("button", name="Record", exact=True).click()
        tab.wait_for_timeout(LIVE_MS)
        tab.screenshot(path=str(FIGURES / "page-live.png"))
        browser.close()


if __name__ == "__main__":
    main()
