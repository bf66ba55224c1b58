"""Report tests draw no figures, which would take nine tenths of their time, unless they ask for `real_figures`."""

import pytest

from overtone.evaluation import figures

DRAWN = ("confusion", "recalls", "reliability", "risk_coverage")
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def real_figures() -> None:
    """Draw the figures of the report in this test."""


@pytest.fixture(autouse=True)
def placeholder_figures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace each figure by the first bytes of an image."""
    if "real_figures" not in request.fixturenames:
        for name in DRAWN:
            monkeypatch.setattr(figures, name, lambda *_: PNG)
