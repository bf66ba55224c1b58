"""Services for tests: one with a tiny model, and one whose worker crashes, hangs or rejects on request."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="fastapi comes with the [serve] extra")
sys.path.insert(0, str(Path(__file__).parents[1]))  # for faulty_service_worker

import soundfile
import tiny_model
from audio_files import encoded
from chromium import chromium
from faulty_service_worker import COMMAND as FAULTY_WORKER
from serving import Served, serving
from synthetic_audio import RATE_HZ, speech_like
from web_tab import WebPage

from overtone.service.settings import Settings


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file."""
    return tiny_model.write(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture(scope="session")
def served(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service with a tiny model and small limits."""
    settings = Settings(
        tmp_path_factory.mktemp("served"),
        str(tiny),
        workers=2,
        max_clip_bytes=1_000_000,
        max_clip_s=20.0,
        max_files=3,
        max_recording_bytes=4_000_000,
        max_recording_s=100.0,
        upload_timeout_s=1.0,
        shutdown_grace_s=5.0,
    )
    with serving(settings) as running:
        yield running


@pytest.fixture(scope="session")
def adapts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file with a speaker adapter."""
    return tiny_model.write(tmp_path_factory.mktemp("model") / "adapts.onnx", adapts=True)


@pytest.fixture(scope="session")
def adapting(adapts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service whose model has a speaker adapter."""
    folder = tmp_path_factory.mktemp("adapting")
    with serving(Settings(folder, str(adapts), workers=1, max_reference_files=3, shutdown_grace_s=5.0)) as running:
        yield running


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service with one worker that crashes, hangs or rejects, as the request body says."""
    settings = Settings(
        tmp_path_factory.mktemp("faulty"),
        workers=1,
        max_queue=2,
        clip_timeout_s=1.0,
        max_uploads=8,
        shutdown_grace_s=2.0,
    )
    with serving(settings, FAULTY_WORKER) as running:
        yield running


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with eight seconds of speech-like audio."""
    path = tmp_path_factory.mktemp("audio") / "talk.flac"
    path.write_bytes(encoded(speech_like(np.random.default_rng(5), 8.0), RATE_HZ, "FLAC"))
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """A browser whose microphone records speech-like audio in a loop."""
    microphone = tmp_path_factory.mktemp("microphone") / "microphone.wav"
    samples = np.resize(speech_like(np.random.default_rng(6), 8.0), 48_000 * 8 // 3)
    soundfile.write(microphone, np.repeat(samples, 3), 48_000, subtype="PCM_16")
    with chromium("--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={microphone}") as running:
        yield running


@pytest.fixture
def open_page(browser, served: Served) -> Iterator:
    """Opens pages; at the end, checks for errors and for requests to other servers."""
    pages: list[WebPage] = []

    def open_tab(service: Served = served, **options) -> WebPage:
        pages.append(WebPage(browser, service, **options))
        return pages[-1]

    yield open_tab
    for page in pages:
        address = f"127.0.0.1:{page.served.port}/"
        page.close(f"http://{address}", f"ws://{address}", "about:")
