"""Fixtures for every room: where real speech lies, and sounds made on the spot."""

import os
from pathlib import Path

import numpy as np
import pytest

PROJECT = Path(__file__).resolve().parent.parent
pytest_plugins = ["training_fixtures"]


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder of the real corpora: $OVERTONE_DATA, else ../shared/data; skips where there is none."""
    folder = Path(os.environ.get("OVERTONE_DATA") or PROJECT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real speech at {folder}: set OVERTONE_DATA to the folder that holds ravdess/")
    return folder


@pytest.fixture(scope="session")
def ravdess_folder(data_folder: Path) -> Path:
    """The RAVDESS folder with its 24 actors."""
    folder = data_folder / "ravdess"
    if not folder.is_dir():
        pytest.skip(f"no RAVDESS at {folder}")
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator that gives the same numbers in every run."""
    return np.random.default_rng(20)
