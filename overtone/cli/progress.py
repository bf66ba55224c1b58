"""Progress on stderr: a bar in a terminal; elsewhere, such as in a log file, lines or nothing."""

import os
import sys
import time
from types import TracebackType
from typing import Self

from tqdm import tqdm

from overtone.formats.table import printable

DISABLE_VARIABLE = "TQDM_DISABLE"
# Between two lines: of different steps, such as epochs, and of one step, such as clips that are read one after another.
MIN_LINE_INTERVAL_S, MIN_REPEAT_INTERVAL_S = 1.0, 15.0


class ProgressBar:
    """An `overtone._internal.progress.Progress` that draws a bar, on a new line for each new step.

    Args:
        unit: "bytes", shown as kB, MB or GB; or the name of the counted things, such as "clips".
        lines: whether to print lines where stderr is not a terminal, with the time that is left; else nothing.
    """

    def __init__(self, unit: str, *, lines: bool = False) -> None:
        self._unit = unit
        self._total = -1
        self._bar: tqdm | None = None
        is_disabled = bool(os.environ.get(DISABLE_VARIABLE))  # tqdm looks at it too
        self._lines = ProgressLines(unit) if lines and not is_disabled and not sys.stderr.isatty() else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, done: int, total: int, text: str) -> None:
        """Update the bar.

        Args:
            done: units done.
            total: units in all.
            text: the current step or item.
        """
        if self._lines is not None:
            self._lines(done, total, text)
            return
        if self._bar is None or total != self._total or done < self._bar.n:
            self.__exit__(None, None, None)
            is_bytes = self._unit == "bytes"
            self._bar = tqdm(
                total=total,
                unit="B" if is_bytes else f" {self._unit}",
                unit_scale=is_bytes,
                unit_divisor=1000,
                disable=None,
            )
            self._total = total
        self._bar.set_description_str(printable(text), refresh=False)
        self._bar.update(done - self._bar.n)


class ProgressLines:
    """Progress as lines on stderr: one per step, as far as steps take their time, and the last one of a series.

    Args:
        unit: name of the counted things, such as "clips".
    """

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._text, self._total, self._done = "", -1, 0
        self._start_s = self._line_s = -MIN_REPEAT_INTERVAL_S
        self._first = 0  # units that were done when the series began, such as by an interrupted training

    def __call__(self, done: int, total: int, text: str) -> None:
        """Print a line, unless the last one has just been printed."""
        now_s = time.monotonic()
        if total != self._total or done < self._done:
            self._start_s, self._first = now_s, done - 1
        interval_s = MIN_REPEAT_INTERVAL_S if text == self._text else MIN_LINE_INTERVAL_S
        if done == total or now_s - self._line_s >= interval_s:
            seconds_per_unit = (now_s - self._start_s) / max(1, done - self._first - 1)
            left = f", {duration(seconds_per_unit * (total - done))} left" if self._first + 1 < done < total else ""
            print(printable(f"{done} of {total} {self._unit}{left}: {text}"), file=sys.stderr, flush=True)
            self._line_s, self._text = now_s, text
        self._total, self._done = total, done


def duration(seconds: float) -> str:
    """Return a duration as people say it: "40 s", "12 min" or "3.5 h"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
