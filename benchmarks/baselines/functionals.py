"""UTTERANCES -> OPENSMILE FUNCTIONALS: one row of features per clip, with a cache on disk.

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
from overtone.audio.decode import read_utterance
from overtone.datatypes import SAMPLE_RATE_HZ, Utterance
from overtone.errors import CorpusError, MissingExtraError


def import_opensmile() -> ModuleType:
    """Return the package opensmile.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import opensmile
    except ImportError as error:
        raise MissingExtraError("the baselines need opensmile: pip install 'overtone[baselines]'") from error
    return opensmile


def extract_functionals(
    utterances: Sequence[Utterance], feature_set: str, cache: Path, progress: Progress = silent_progress
) -> np.ndarray:
    """Return openSMILE's functionals of every clip, read as Overtone reads it: mono at 16 kHz.

    Args:
        utterances: the clips.
        feature_set: openSMILE's name of it, such as "eGeMAPSv02".
        cache: folder with a file per clip, named after a hash of the audio, the code that reads it and the feature set.
        progress: called after each clip.

    Returns:
        float32 `(clips, features)`, finite, each feature in its own unit.

    Raises:
        MissingExtraError: opensmile is not installed.
        CorpusError: a clip is missing, or too short for the features.
        AudioError: a clip cannot be read.
    """
    opensmile = import_opensmile()
    smile = opensmile.Smile(feature_set=opensmile.FeatureSet[feature_set])
    rows = []
    for done, utterance in enumerate(utterances, start=1):
        path = cache / f"{_cache_key(utterance, feature_set, opensmile.__version__)}.npz"
        row = _load_row(path)
        if row is None:
            row = _extract_row(utterance, smile)
            _store_row(row, path)
        rows.append(row)
        progress(done, len(utterances), feature_set)
    return np.stack(rows)


def _cache_key(utterance: Utterance, *settings: str) -> str:
    try:
        audio_hash = hashlib.sha256(utterance.path.read_bytes()).hexdigest()
    except OSError as error:
        raise CorpusError(f"{utterance.path}: cannot be read: {error.strerror}") from error
    channel = (utterance.channel,) if utterance.channel else ()
    return fingerprint("audio", more=repr((*settings, audio_hash, utterance.start_s, utterance.end_s, *channel)))


def _extract_row(utterance: Utterance, smile: Any) -> np.ndarray:
    waveform = read_utterance(utterance)
    row = np.asarray(smile.process_signal(waveform.samples, SAMPLE_RATE_HZ), dtype=np.float32)[0]
    if not np.isfinite(row).all():
        raise CorpusError(
            f"{utterance.path}: openSMILE returns no finite functionals; the clip may be too short: remove it"
        )
    return row


def _load_row(path: Path) -> np.ndarray | None:
    """Return the row in a file of the cache; None if the file is missing or damaged."""
    try:
        return np.load(io.BytesIO(path.read_bytes()))["functionals"]
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None


def _store_row(row: np.ndarray, path: Path) -> None:
    content = io.BytesIO()
    np.savez(content, functionals=row)
    write_bytes(path, content.getvalue())
