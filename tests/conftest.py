"""Fixtures shared by all tests: folders of real speech, and a seeded random generator."""

import os
from pathlib import Path

import numpy as np
import pytest

PROJECT = Path(__file__).resolve().parent.parent
pytest_plugins = ["training_fixtures"]
SLOW_FIXTURES = {"reproduced", "finetuned"}  # that take long: every test that uses one is slow


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use a slow fixture."""
    for item in items:
        if SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Return the folder of the corpora: $OVERTONE_DATA, else ../shared/data; skip the test if it does not exist."""
    folder = Path(os.environ.get("OVERTONE_DATA") or PROJECT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real speech in {folder}: set OVERTONE_DATA to the folder that contains ravdess/")
    return folder


@pytest.fixture(scope="session")
def ravdess_folder(data_folder: Path) -> Path:
    """Return the RAVDESS folder with its 24 actors; skip the test if it does not exist."""
    folder = data_folder / "ravdess"
    if not folder.is_dir():
        pytest.skip(f"no RAVDESS in {folder}")
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a random generator with a fixed seed."""
    return np.random.default_rng(20)
