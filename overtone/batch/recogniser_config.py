"""The recogniser configuration of a batch, from which every worker process on any machine builds its recogniser."""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from overtone._internal.fingerprint import fingerprint
from overtone.audio.vad import VAD_MODEL
from overtone.batch.input_tasks import recognise_input
from overtone.batch.process_pool import TaskFunction
from overtone.channels import MIX
from overtone.each_channel import ChannelChoice
from overtone.errors import ModelError, OvertoneError
from overtone.inference.bundled_models import model_path
from overtone.inference.recogniser import Recogniser, load

OnError = Callable[[OvertoneError], None]
# All code that a batch runs, from decoding to the text of an error: parts written by two versions of any of it would
# make a table that neither version produces. Whole packages, since one restart too many costs less than a mixed table.
CODE = (
    "_internal",
    "agreement.py",
    "annotations",
    "arousal_valence.py",
    "audio",
    "batch",
    "channels.py",
    "corpora/tables",
    "datatypes.py",
    "each_channel.py",
    "emotions.py",
    "equality.py",
    "errors.py",
    "formats",
    "inference",
    "shares.py",
    "speaker_summary.py",
    "speaker_turns",
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
        channel: channel of all inputs whose row of the manifest names none, and of all reference clips, as
            `overtone.each_channel.parse_channel_or_each` returns it.
        channel_names: names of the channels of inputs with the channel "each"; none for the default names.
    """

    model: str = ""
    uncertain_below: float | None = None
    reference: tuple[str, ...] | None = None
    emotions: tuple[str, ...] | None = None
    branches: tuple[str, ...] | None = None
    channel: str = MIX
    channel_names: tuple[str, ...] = ()

    def load(self, on_error: OnError) -> Recogniser:
        """Return the recogniser, adapted to the reference clips; `on_error` gets the error of each skipped clip."""
        recogniser = load(
            self.model_path, uncertain_below=self.uncertain_below, emotions=self.emotions, branches=self.branches
        )
        if self.reference is None:
            return recogniser
        return recogniser.adapt(self.reference, on_error, channel=self.channel)

    @property
    def choice(self) -> ChannelChoice:
        """The channels of inputs whose row of the manifest names none."""
        return ChannelChoice(self.channel, self.channel_names)

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

    Raises:
        ModelError: the model cannot be loaded, or its hash is not `model_hash`.
    """
    recogniser = load_checked(config, model_hash)
    return partial(recognise_input, recogniser, choice=config.choice)


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


def hash_files(*paths: Path) -> str:
    """Return a hexadecimal SHA-256 hash of the content of the files; an unreadable file counts as its error number."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        except OSError as error:
            digest.update(str(error.errno).encode())
    return digest.hexdigest()
