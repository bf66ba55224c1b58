"""Decides which of several files of one clip is read, and refuses to choose between different recordings."""

import filecmp
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from overtone.datatypes import Utterance
from overtone.errors import CorpusError, format_errors

LOSSLESS_SUFFIXES = (".wav", ".flac")


def preference(path: Path) -> tuple[bool, Path]:
    """Return the sort key of the files of one clip: lossless ones first, then in alphabetical order."""
    return not _is_lossless(path), path


def check_copies(folder: Path, files: Mapping[str, Sequence[Utterance]]) -> None:
    """Check that several files of a clip are copies: of equal bytes, or lossless ones of equal samples.

    A compressed file next to a lossless one counts as made from it.

    Args:
        folder: of the corpus, for messages.
        files: clip -> the utterances of its files, in the order of `preference`.

    Raises:
        CorpusError: two files of a clip contain different recordings.
    """
    faults = [fault for clip, utterances in files.items() for fault in _find_differences(folder, clip, utterances)]
    if faults:
        raise CorpusError(
            f"{format_errors(str(folder), faults, 'clips')}; remove or rename the files that are not of this corpus"
        )


def _find_differences(folder: Path, clip: str, utterances: Sequence[Utterance]) -> Iterator[str]:
    """Yield a fault for a clip of which a file differs from the preferred one."""
    first = utterances[0].path
    for other in (utterance.path for utterance in utterances[1:]):
        is_compressed_copy = _is_lossless(first) and not _is_lossless(other)
        if not is_compressed_copy and not _have_same_audio(first, other):
            names = " and ".join(path.relative_to(folder).as_posix() for path in (first, other))
            yield f"{clip}: {names} have different content"
            return


def _is_lossless(path: Path) -> bool:
    return path.suffix.lower() in LOSSLESS_SUFFIXES


def _have_same_audio(first: Path, second: Path) -> bool:
    try:
        if filecmp.cmp(first, second, shallow=False):
            return True
        return _is_lossless(first) and _is_lossless(second) and _have_same_samples(first, second)
    except OSError as error:
        raise CorpusError(f"{error.filename}: cannot be read: {error.strerror}; see: chmod +r") from error


def _have_same_samples(first: Path, second: Path) -> bool:
    import soundfile  # here, as copies that differ are rare

    try:
        with first.open("rb") as file, second.open("rb") as other:  # libsndfile then ignores the suffixes
            (samples, rate_hz), (others, other_rate_hz) = (soundfile.read(f, dtype="int32") for f in (file, other))
    except soundfile.SoundFileError:
        return False
    return bool(rate_hz == other_rate_hz and np.array_equal(samples, others))
