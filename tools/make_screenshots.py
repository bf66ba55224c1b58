"""Take the screenshots of the web page in docs/serve.md: a finished timeline, a live recording, and a phone.

    python tools/make_screenshots.py

Needs RAVDESS and Chromium, as `tools/make_format_examples.py` does; the page gets the conversation of that script.
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

from make_format_examples import FIGURES, conversation

from overtone.timeline import Segment

FLAGS = ("--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream")
DESKTOP, PHONE = (1100, 900), (390, 844)  # width and height in pixels
MICROPHONE_HZ = 48_000
LIVE_MS = 11_000  # duration of the live recording


def main() -> None:
    """Take all screenshots."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        audio, turns = conversation(folder / "conversation.flac")
        rttm = folder / "conversation.rttm"
        rttm.write_text("".join(map(rttm_line, turns)), "utf-8")
        samples, rate_hz = soundfile.read(audio)
        microphone = folder / "microphone.wav"
        soundfile.write(microphone, np.repeat(samples, MICROPHONE_HZ // rate_hz), MICROPHONE_HZ, subtype="PCM_16")
        with service(folder / "state") as url:
            take_screenshots(url, [audio, rttm], microphone)


def rttm_line(turn: Segment) -> str:
    """Return a speaker turn as a line of an RTTM file."""
    return f"SPEAKER - 1 {turn.start_s:.2f} {turn.duration_s:.2f} <NA> <NA> {turn.speaker} <NA> <NA>\n"


@contextmanager
def service(state_folder: Path) -> Iterator[str]:
    """Run a service until the end of the block; return its URL."""
    command = [sys.executable, "-m", "overtone", "serve", "--port", "0", "--state-dir", str(state_folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def take_screenshots(url: str, files: list[Path], microphone: Path, chromium: str = "/usr/bin/chromium") -> None:
    """Write the screenshots of the page to docs/figures.

    Args:
        url: of the service.
        files: the recording and its speaker turns.
        microphone: WAV file that the browser uses as its microphone.
        chromium: path of the browser.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        flags = [*FLAGS, f"--use-file-for-fake-audio-capture={microphone}"]
        browser = running.chromium.launch(executable_path=chromium, args=flags)
        for name, (width, height) in (("page", DESKTOP), ("page-phone", PHONE)):
            tab = browser.new_page(viewport={"width": width, "height": height}, is_mobile=name == "page-phone")
            tab.goto(url)
            tab.locator("input[type=file]").set_input_files(files)
            tab.get_by_role("button", name="Upload", exact=True).click()
            tab.frame_locator("iframe").locator("#segments li").first.wait_for()
            tab.wait_for_timeout(1000)  # until the audio is loaded
            tab.frame_locator("iframe").locator("#segments button").nth(3).click()
            if name == "page":  # the window must be as high as the page: the browser does not draw frames outside it
                height = tab.evaluate("document.documentElement.scrollHeight")
                tab.set_viewport_size({"width": width, "height": height})
                tab.wait_for_timeout(500)
            else:
                tab.evaluate("document.getElementById('recordings').scrollIntoView()")
            tab.screenshot(path=str(FIGURES / f"{name}.png"))
        tab = browser.new_page(viewport={"width": 1100, "height": 560}, permissions=["microphone"])
        tab.goto(url)
        tab.get_by_role("button", name="Record", exact=True).click()
        tab.wait_for_timeout(LIVE_MS)
        tab.screenshot(path=str(FIGURES / "page-live.png"))
        browser.close()


if __name__ == "__main__":
    main()
