"""The recording that the turns in a file belong to."""

import unicodedata
from collections.abc import Iterable
from pathlib import PurePath

from overtone._internal.audio_suffixes import AUDIO_SUFFIXES
from overtone.errors import suggest

MAX_IDS = 1000  # that are searched for a similar one
MAX_LISTED = 5
NO_RECORDING = "names no recording, while other turns of the file do; name it"


def select_recording(ids: Iterable[str], recording: str) -> set[str]:
    """Return the ids that name a recording; all of them if a file has the turns of one recording only.

    An id is the name of the audio file with or without its suffix and folder, or with another suffix. An exact name
    counts before one without suffix, these before one in another case, and folders decide between equal names.

    Args:
        ids: the ids in a file; "" where a turn has none.
        recording: path of the audio.

    Returns:
        The ids; "" is one of them if the file has one recording only, which turns without an id then belong to.

    Raises:
        ValueError: there are several ids, and none of them names the recording, or several do.
    """
    named = set(ids) - {""}
    if len(named) < 2:
        return {*named, ""}
    ranks = {key: _rank(key, recording) for key in named}
    best = max(ranks.values())
    stem = PurePath(recording).stem
    if not best[0]:
        hint = suggest(stem, sorted(named)[:MAX_IDS])
        raise ValueError(f"contains several recordings, and none is called '{stem}'{hint}")
    found = sorted(key for key, rank in ranks.items() if rank == best)
    if len(found) > 1:
        raise ValueError(
            f"contains several recordings that may be '{stem}': {', '.join(found[:MAX_LISTED])}; keep the turns of one"
        )
    return set(found)


def _rank(key: str, recording: str) -> tuple[int, int]:
    """Return how exactly an id names a recording, 0 if it does not, and how many of their folders agree."""
    parts, expected = _parts(key), _parts(recording)
    if not parts or not expected:
        return 0, 0
    name, *folders = reversed(parts)
    expected_name, *expected_folders = reversed(expected)
    agreeing = 0
    for folder, other in zip(folders, expected_folders, strict=False):
        if folder != other:
            break
        agreeing += 1
    for rank, fold in ((4, str), (1, str.casefold)):
        own, other = fold(name), fold(expected_name)
        stem = PurePath(other).stem
        for lower, is_equal in enumerate((own == other, own == stem, _stem(own) == stem)):
            if is_equal:
                return rank + 2 - lower, agreeing
    return 0, 0


def _parts(path: str) -> tuple[str, ...]:
    """Return the folders and the name of a path, each letter in one coding: that of file names differs by system."""
    return PurePath(unicodedata.normalize("NFC", path).replace("\\", "/")).parts


def _stem(name: str) -> str:
    """Return a name without the suffix of audio: "a.1" has none."""
    path = PurePath(name)
    return path.stem if path.suffix.lower() in AUDIO_SUFFIXES else name
