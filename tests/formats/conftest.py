"""Fixtures of all tests of formats."""

from collections.abc import Iterator

import pytest
from chromium import chromium


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with chromium() as running:
        yield running
