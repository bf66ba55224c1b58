"""How the sounds of a batch are recognised, said so that any process can do it."""

import hashlib
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from overtone._internal.fingerprint import fingerprint
from overtone._internal.prediction_codec import encode_prediction
from overtone.audio.decode import read
from overtone.audio.discovery import is_special
from overtone.batch.object_storage import is_address, sound_at
from overtone.batch.process_pool import Work
from overtone.errors import AudioError, ModelError, OvertoneError
from overtone.inference.recogniser import BUNDLED, MAX_DURATION_S, Recogniser, load

OnError = Callable[[OvertoneError], None]
MAX_TASK_S = 300  # on one sound; the longest one takes seconds


class RecogniserConfig(NamedTuple):
    """How sounds are recognised.

    Attributes:
        model: path of a model file; "" for the one that comes with the package.
        uncertain_below: as in `overtone.inference.recogniser.load`.
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


def fingerprints(setting: RecogniserConfig) -> dict[str, str]:
    """Fingerprints of the model, the clips it is adapted to and the code, as this machine has them."""
    return {
        "model": sha256(setting.model_path),
        "adaptation": sha256(*map(Path, setting.adapt_from or ())),
        "code": fingerprint("audio", "tasks"),
    }


def make_work(setting: RecogniserConfig, model_digest: str) -> Work:
    """What a worker does with a task; made in its process, which ends where a task takes over `MAX_TASK_S`."""
    if sha256(setting.model_path) != model_digest:
        raise ModelError(f"{setting.model_path}: has changed while the batch ran; put the old one back, or begin anew")
    return partial(_recognised, setting.recogniser(lambda error: None))


def _recognised(recogniser: Recogniser, task: tuple[str, float | None, float | None, str]) -> dict[str, Any]:
    """The numbers of an answer as JSON knows them, exactly; or the "error"."""
    path, start_s, end_s, error = task
    try:
        if error:
            raise AudioError(error)
        with _limited():
            if is_special(Path(path)):
                raise AudioError(f"{path}: is not a regular file")
            sound = sound_at(path) if is_address(path) else path
            answer = recogniser.recognise(read(sound, start_s=start_s or 0.0, end_s=end_s, longest_s=MAX_DURATION_S))
    except OvertoneError as refusal:
        return {"error": str(refusal)}
    return encode_prediction(answer)


@contextmanager
def _limited() -> Iterator[None]:
    """Ends the process with SIGALRM where this takes too long: a decoder that hangs hears nothing else."""
    if not hasattr(signal, "alarm"):  # Windows
        yield
        return
    signal.alarm(MAX_TASK_S)
    try:
        yield
    finally:
        signal.alarm(0)


def sha256(*paths: Path) -> str:
    """Hexadecimal digits that change with the content of any of the files, and with which of them can be read."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        except OSError as error:
            digest.update(str(error.errno).encode())
    return digest.hexdigest()
