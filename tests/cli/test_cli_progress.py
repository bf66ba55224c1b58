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


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the current time in seconds, which tests set."""
    now_s = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now_s[0])
    return now_s


def printed(
    steps: list[tuple[float, int, int, str]], clock: list[float], capfd: pytest.CaptureFixture[str]
) -> list[str]:
    """Return the lines on stderr after steps of a duration in seconds, with the arguments of the progress."""
    with ProgressBar("steps", lines=True) as bar:
        for duration_s, done, total, text in steps:
            clock[0] += duration_s
            bar(done, total, text)
    out, err = capfd.readouterr()
    assert not out
    return err.splitlines()


def test_each_epoch_has_a_line_with_the_time_that_is_left(clock, capfd) -> None:
    lines = printed(
        [(60, 1, 4, "loss 3"), (60, 2, 4, "loss 2"), (120, 3, 4, "loss 1"), (90, 4, 4, "loss 0")], clock, capfd
    )
    assert [line.partition(":")[2] for line in lines] == [" loss 3", " loss 2", " loss 1", " loss 0"]
    assert [line.startswith(f"{k} of 4 steps") for k, line in enumerate(lines, start=1)] == [True] * 4
    assert "left" not in lines[0] and "2 min left" in lines[1] and "2 min left" in lines[2] and "left" not in lines[3]


def test_quick_steps_share_a_line(clock, capfd) -> None:
    lines = printed([(0.01, k, 1000, "reading") for k in range(1, 1001)], clock, capfd)
    assert [line.split()[0] for line in lines] == ["1", "1000"]
    slow = printed([(1, k, 100, "reading") for k in range(1, 101)], clock, capfd)
    assert 6 <= len(slow) <= 9


def test_a_resumed_training_is_not_taken_for_a_fast_one(clock, capfd) -> None:
    lines = printed([(60, 31, 34, "loss 3"), (60, 32, 34, "loss 2")], clock, capfd)
    assert "2 min left" in lines[1]


def test_no_lines_where_progress_is_disabled(clock, capfd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TQDM_DISABLE", "1")
    assert printed([(60, 1, 2, "loss")], clock, capfd) == []
