"""The recogniser configuration of a batch, from which every worker process on any machine builds its recogniser."""

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
from overtone.audio.vad import VAD_MODEL
from overtone.batch.object_storage import is_url, open_audio
from overtone.batch.process_pool import TaskFunction
from overtone.channels import MIX
from overtone.datatypes import Waveform
from overtone.errors import AudioError, ModelError, OvertoneError
from overtone.inference.bundled_models import model_path
from overtone.inference.inputs import MAX_DURATION_S
from overtone.inference.recogniser import Recogniser, load

OnError = Callable[[OvertoneError], None]
# The argument of the function that `make_task_function` returns: path, start and end in seconds, error, channel.
Task = tuple[str, float | None, float | None, str, str]
MAX_TASK_S = 300  # per task; the longest allowed input takes seconds
# All code that a batch runs, from decoding to the text of an error: parts written by two versions of any of it would
# make a table that neither version produces. Whole packages, since one restart too many costs less than a mixed table.
CODE = (
    "_internal",
    "arousal_valence.py",
    "audio",
    "batch",
    "channels.py",
    "corpora/tables",
    "datatypes.py",
    "emotions.py",
    "errors.py",
    "formats",
    "inference",
    "timeline.py",
)


class RecogniserConfig(NamedTuple):
    """The configuration of a recogniser.

    Attributes:
        model: path of a model file, or name of a bundled model; "" for the default one.
        uncertain_below: as in `overtone.inference.recogniser.load`.
        reference: reference clips of all inputs; None for none.
        emotions: classes of predictions, as in `load`; None for all.
        branches: branches of predictions, as in `load`; None for all.
        channel: channel of all inputs and reference clips, as `overtone.channels.parse_channel` returns it.
    """

    model: str = ""
    uncertain_below: float | None = None
    reference: tuple[str, ...] | None = None
    emotions: tuple[str, ...] | None = None
    branches: tuple[str, ...] | None = None
    channel: str = MIX

    def load(self, on_error: OnError) -> Recogniser:
        """Return the recogniser, adapted to the reference clips; `on_error` gets the error of each skipped clip."""
        recogniser = load(
            self.model_path, uncertain_below=self.uncertain_below, emotions=self.emotions, branches=self.branches
        )
        if self.reference is None:
            return recogniser
        return recogniser.adapt(self.reference, on_error, channel=self.channel)

    @property
    def model_path(self) -> Path:
        """Path of the model file."""
        return model_path(self.model or None)


def fingerprints(config: RecogniserConfig) -> dict[str, str]:
    """Return the fingerprints of the model, the reference clips and the code on this machine."""
    return {
        "model": hash_files(config.model_path),
        "reference": hash_files(*map(Path, config.reference or ())),
        "code": fingerprint(*CODE, more=hash_files(VAD_MODEL)),
    }


def make_task_function(config: RecogniserConfig, model_hash: str) -> TaskFunction:
    """Return the function that recognises one input in a worker process.

    It kills the process when an input takes more than `MAX_TASK_S`.

    Raises:
        ModelError: the model cannot be loaded, or its hash is not `model_hash`.
    """
    return partial(_run_task, load_checked(config, model_hash), config.channel)


def load_checked(config: RecogniserConfig, model_hash: str) -> Recogniser:
    """Return the recogniser of a worker process.

    Raises:
        ModelError: the model cannot be loaded, or its hash is not `model_hash`.
    """
    if hash_files(config.model_path) != model_hash:
        raise ModelError(
            f"{config.model_path}: has changed while the batch was running; restore the file, or start a new batch"
        )
    return config.load(lambda error: None)


def _run_task(recogniser: Recogniser, channel: str, task: Task) -> dict[str, Any]:
    """Return the exact values of a prediction as JSON values, or an "error"."""
    return run_on_input(lambda waveform: encode_prediction(recogniser.recognise(waveform)), task, channel)


def run_on_input(use: Callable[[Waveform], dict[str, Any]], task: Task, channel: str) -> dict[str, Any]:
    """Return the result of a function for the audio of a task, a JSON value; or an "error".

    Args:
        use: the function.
        task: as `overtone.batch.job.to_task` returns it.
        channel: the channel, unless the task names one.
    """
    path, start_s, end_s, error, own_channel = task
    try:
        if error:
            raise AudioError(error)
        with _time_limit():
            if is_special(Path(path)):
                raise AudioError(f"{path}: is not a regular file")
            source = open_audio(path) if is_url(path) else path
            start_s = start_s or 0.0
            channel = own_channel or channel
            return use(read(source, start_s=start_s, end_s=end_s, max_duration_s=MAX_DURATION_S, channel=channel))
    except OvertoneError as failure:
        return {"error": str(failure)}


@contextmanager
def _time_limit() -> Iterator[None]:
    """End the process by SIGALRM after `MAX_TASK_S`, since no exception can interrupt a decoder that hangs."""
    if not hasattr(signal, "alarm"):  # Windows
        yield
        return
    signal.alarm(MAX_TASK_S)
    try:
        yield
    finally:
        signal.alarm(0)


def hash_files(*paths: Path) -> str:
    """Return a hexadecimal SHA-256 hash of the content of the files; an unreadable file counts as its error number."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        except OSError as error:
            digest.update(str(error.errno).encode())
    return digest.hexdigest()
