"""A progress bar on stderr; nothing is drawn where stderr is not a terminal."""

from types import TracebackType
from typing import Self

from tqdm import tqdm

from overtone.formats.table import printable


class ProgressBar:
    """An `overtone._internal.progress.Progress` that draws a bar, on a new line for each new step.

    Args:
        unit: "bytes", shown as kB, MB or GB; or the name of the counted things, such as "clips".
    """

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._total = -1
        self._bar: tqdm | None = None

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
