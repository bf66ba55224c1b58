"""How the sounds of a batch are recognised, said so that any process can do it."""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from overtone.audio.read import read
from overtone.audio.search import is_special
from overtone.errors import AudioError, ModelError, OvertoneError
from overtone.tasks.numbers import numbers_of
from overtone.tasks.recognise import BUNDLED, LONGEST_S, Recogniser, load
from overtone.tasks.workers import Work

OnError = Callable[[OvertoneError], None]


class Setting(NamedTuple):
    """How sounds are recognised.

    Attributes:
        model: path of a model file; "" for the one that comes with the package.
        uncertain_below: as in `overtone.tasks.recognise.load`.
        adapt_from: clips of the one speaker of all inputs; None for speakers that are not known.
    """

    model: str = ""
    uncertain_below: float | None = None
    adapt_from: tuple[str, ...] | None = None

    def recogniser(self, on_error: OnError) -> Recogniser:
        """The model, adapted where that is asked for; `on_error` is told of clips that had to be left out."""
        recogniser = load(self.model_path, uncertain_below=self.uncertain_below)
        return recogniser if self.adapt_from is None else recogniser.adapt(self.adapt_from, on_error)

    @property
    def model_path(self) -> Path:
        """The model file."""
        return Path(self.model or BUNDLED)


def recognising(setting: Setting, model_digest: str) -> Work:
    """What a worker does with a task; made in its process."""
    if sha256(setting.model_path) != model_digest:
        raise ModelError(f"{setting.model_path}: has changed while the batch ran; put the old one back, or begin anew")
    return partial(_recognised, setting.recogniser(lambda error: None))


def _recognised(recogniser: Recogniser, task: tuple[str, float | None, float | None, str]) -> dict[str, Any]:
    """The numbers of an answer as JSON knows them, exactly; or the "error"."""
    path, start_s, end_s, error = task
    try:
        if error:
            raise AudioError(error)
        if is_special(Path(path)):
            raise AudioError(f"{path}: is not a regular file")
        answer = recogniser.recognise(read(path, start_s=start_s or 0.0, end_s=end_s, longest_s=LONGEST_S))
    except OvertoneError as refusal:
        return {"error": str(refusal)}
    return numbers_of(answer)


def sha256(*paths: Path) -> str:
    """Hexadecimal digits that change with the content of any of the files, and with which of them can be read."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        except OSError as error:
            digest.update(str(error.errno).encode())
    return digest.hexdigest()
