"""The progress callback of long-running functions; the command line draws a progress bar with it."""

from collections.abc import Callable

Progress = Callable[[int, int, str], None]
"""Called with the number of completed steps, the total number of steps, and a short text."""


def silent_progress(done: int, total: int, text: str) -> None:
    """Ignore progress."""
