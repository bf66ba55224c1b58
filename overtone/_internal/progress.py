"""How a task tells how far it is: it calls; `ui` draws."""

from collections.abc import Callable

Progress = Callable[[int, int, str], None]
"""Called with steps done, steps in all, and a short text."""


def silent_progress(done: int, total: int, text: str) -> None:
    """A progress that shows nothing."""
