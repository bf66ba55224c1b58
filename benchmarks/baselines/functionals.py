"""UTTERANCES -> OPENSMILE FUNCTIONALS: one row of features per clip, measured once and kept on disk.

Source: Eyben, Wöllmer and Schuller (2010), "openSMILE", doi 10.1145/1873951.1874246; Eyben et al. (2016), "The Geneva
minimalistic acoustic parameter set", doi 10.1109/TAFFC.2015.2457417; Schuller et al. (2016), "The Interspeech 2016
computational paralinguistics challenge", doi 10.21437/Interspeech.2016-129.
"""

import hashlib
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from overtone._internal.atomic_write import write_bytes
from overtone._internal.fingerprint import fingerprint
from overtone._internal.progress import Progress, silent_progress
from overtone.audio.decode import read
from overtone.datatypes import SAMPLE_RATE_HZ, Utterance
from overtone.errors import CorpusError, MissingExtraError


def opensmile() -> ModuleType:
    """The package of that name.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import opensmile
    except ImportError as error:
        raise MissingExtraError("the baselines need opensmile: pip install 'overtone[baselines]'") from error
    return opensmile


def functionals(
    utterances: Sequence[Utterance], feature_set: str, cache: Path, progress: Progress = silent_progress
) -> np.ndarray:
    """What openSMILE finds in every clip, as Overtone hears it: mono at 16 kHz.

    Args:
        utterances: the clips.
        feature_set: openSMILE's name of it, such as "eGeMAPSv02".
        cache: folder with a file per clip, named after what it was made from: sound, how it is read, feature set.
        progress: told about each clip.

    Returns:
        float32 `(clips, features)`, finite, each feature in its own unit.

    Raises:
        MissingExtraError: opensmile is not installed.
        CorpusError: a clip is missing, or too short for the features.
        AudioError: a clip cannot be read.
    """
    package = opensmile()
    smile = package.Smile(feature_set=package.FeatureSet[feature_set])
    rows = []
    for done, utterance in enumerate(utterances, start=1):
        path = cache / f"{_name(utterance, feature_set, package.__version__)}.npz"
        row = _kept(path)
        if row is None:
            row = _measured(utterance, smile)
            _keep(row, path)
        rows.append(row)
        progress(done, len(utterances), feature_set)
    return np.stack(rows)


def _name(utterance: Utterance, *made_with: str) -> str:
    try:
        sound = hashlib.sha256(utterance.path.read_bytes()).hexdigest()
    except OSError as error:
        raise CorpusError(f"{utterance.path}: cannot be read: {error.strerror}") from error
    return fingerprint("audio", more=repr((*made_with, sound, utterance.start_s, utterance.end_s)))


def _measured(utterance: Utterance, smile: Any) -> np.ndarray:
    waveform = read(utterance.path, start_s=utterance.start_s, end_s=utterance.end_s)
    row = np.asarray(smile.process_signal(waveform.samples, SAMPLE_RATE_HZ), dtype=np.float32)[0]
    if not np.isfinite(row).all():
        raise CorpusError(f"{utterance.path}: openSMILE finds no functionals in it, it may be too short; take it out")
    return row


def _kept(path: Path) -> np.ndarray | None:
    """The row in this file; None where it is missing or damaged, so that it is measured again."""
    try:
        return np.load(io.BytesIO(path.read_bytes()))["functionals"]
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None


def _keep(row: np.ndarray, path: Path) -> None:
    content = io.BytesIO()
    np.savez(content, functionals=row)
    write_bytes(path, content.getvalue())
