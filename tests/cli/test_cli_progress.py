import io

import pytest
import tqdm

from overtone.cli import progress
from overtone.cli.progress import ProgressBar


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()

    def visible_tqdm(**options):
        return tqdm.tqdm(**{**options, "disable": False, "file": stream, "mininterval": 0, "ascii": True})

    monkeypatch.setattr(progress, "tqdm", visible_tqdm)
    return stream


def test_each_step_has_its_own_bar_that_is_closed(screen: io.StringIO) -> None:
    with ProgressBar("bytes") as bar:
        bar(1_000_000, 4_000_000, "fetching a\nzip")
        bar(4_000_000, 4_000_000, "fetching a\nzip")
        bar(1_000_000, 4_000_000, "checking")
    lines = screen.getvalue().replace("\r", "\n").splitlines()
    assert any(line.startswith("fetching a\\nzip: 100%") and "4.00M/4.00M" in line for line in lines)
    assert any(line.startswith("checking:  25%") for line in lines)
    assert screen.getvalue().count("\n") == 2


def test_nothing_is_drawn_if_stderr_is_not_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with ProgressBar("clips") as bar:
        bar(1, 2, "clip")
        bar(2, 2, "clip")
    assert capfd.readouterr() == ("", "")
