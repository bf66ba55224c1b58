"""The recording that the turns in a file belong to."""

from collections.abc import Iterable
from pathlib import PurePath

from overtone.errors import suggest

MAX_IDS = 1000  # that are searched for a similar one


def select_recording(ids: Iterable[str], recording: str) -> set[str]:
    """Return the ids that name a recording; all of them if a file has the turns of one recording only.

    An id is the name of the audio file with or without its suffix and folder, or with another suffix.

    Args:
        ids: the ids in a file.
        recording: path of the audio.

    Raises:
        ValueError: there are several ids, and none of them names the recording.
    """
    known = set(ids)
    if len(known) < 2:
        return known
    path = PurePath(recording)
    for name_of in (str, _name, _stem):
        for name in dict.fromkeys((path.name, path.stem)):
            found = {key for key in known if name_of(key) == name}
            if found:
                return found
    hint = suggest(path.stem, sorted(known)[:MAX_IDS])
    raise ValueError(f"contains several recordings, and none is called '{path.stem}'{hint}")


def _name(key: str) -> str:
    return PurePath(key.replace("\\", "/")).name


def _stem(key: str) -> str:
    return PurePath(_name(key)).stem
