"""Services for tests: one with a tiny model, and one whose workers do as the body says."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="fastapi comes with the [serve] extra")
sys.path.insert(0, str(Path(__file__).parents[1]))  # odd workers live there

import tiny_model
from odd_service_worker import COMMAND as ODD
from serving import Served, serving

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
        clip_bytes=1_000_000,
        clip_s=20.0,
        files=3,
        recording_bytes=4_000_000,
        recording_s=100.0,
        upload_time_s=1.0,
        grace_s=5.0,
    )
    with serving(settings) as running:
        yield running


@pytest.fixture(scope="session")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service with one worker that dies, hangs and refuses as the body says."""
    settings = Settings(tmp_path_factory.mktemp("odd"), workers=1, waiting=2, clip_time_s=1.0, uploads=8, grace_s=2.0)
    with serving(settings, ODD) as running:
        yield running
