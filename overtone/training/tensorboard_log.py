"""Writes the progress of a training run for TensorBoard: the scores of each epoch, and the confusion at the end."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from overtone.errors import MissingExtraError
from overtone.evaluation import figures
from overtone.evaluation.report import ScoreRow

FOLDER = "tensorboard"  # in the run folder
SCORES = ("train_loss", "val_loss", "train_accuracy", "val_accuracy", "val_uar")


def check_installed() -> None:
    """Raise MissingExtraError unless tensorboard is installed."""
    TensorBoardLog(Path())


class TensorBoardLog:
    """Event files in `RUN/tensorboard`: a subfolder per network, such as `member-0`, and `test` for the test set.

    A context manager; leaving it closes the files. A resumed training adds files to those of before.

    Args:
        folder: the run folder; nothing is written into it before the first epoch.

    Raises:
        MissingExtraError: tensorboard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise MissingExtraError("--tensorboard needs tensorboard: pip install 'overtone[tensorboard]'") from error
        self._folder, self._new_writer = folder / FOLDER, SummaryWriter
        self._writers: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.close()

    def epoch(self, network: str, step: int, rows: Sequence[Mapping[str, Any]], learning_rate: float) -> None:
        """Write the scores of one epoch of a network, at once.

        Args:
            network: its name, such as "member-0".
            step: number of epochs of all phases so far.
            rows: a row per part that was trained, as in the history.
            learning_rate: of the last training step.
        """
        writer = self._writer(network)
        for row in rows:
            for name in SCORES:
                writer.add_scalar(f"{row['part']}/{name}", row[name], step)
        writer.add_scalar("learning_rate", learning_rate, step)
        writer.flush()

    def confusions(self, rows: Mapping[str, ScoreRow]) -> None:
        """Write the confusion matrix and the UAR of each part on the test set.

        Args:
            rows: part -> its scores; empty without a test set.
        """
        for part, row in rows.items():
            picture = _pixels(figures.confusion(row.scores, f"{part}, {row.protocol}"))
            self._writer("test").add_image(f"{part}/confusion", picture, dataformats="HWC")
            self._writer("test").add_scalar(f"{part}/test_uar", row.scores.uar.value)

    def _writer(self, name: str) -> Any:
        if name not in self._writers:
            self._writers[name] = self._new_writer(str(self._folder / name))
        return self._writers[name]


def _pixels(png: bytes) -> np.ndarray:
    """The picture in a PNG file, uint8 `(height, width, 3)`."""
    from matplotlib.image import imread

    return np.round(255 * imread(io.BytesIO(png), format="png")[..., :3]).astype(np.uint8)
