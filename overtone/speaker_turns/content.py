"""The text of a file of turns, and the recording that its turns belong to."""

from collections.abc import Iterable
from pathlib import PurePath

from overtone._internal.text_encoding import UTF_16, text_encoding
from overtone.errors import suggest

MAX_IDS = 1000  # that are searched for a similar one


def decode_text(content: bytes, otherwise: str = "") -> str:
    """Return the text of a file in UTF-8, or in UTF-16 with a byte order mark.

    Args:
        content: the content of the file.
        otherwise: encoding of content that is neither; "" if it is an error.

    Raises:
        ValueError: it is neither.
    """
    encoding = text_encoding(content)
    try:
        return content.decode(encoding)
    except UnicodeError as error:
        if otherwise and encoding != UTF_16:
            return content.decode(otherwise)
        raise ValueError(f"neither UTF-8 nor UTF-16 ({getattr(error, 'reason', error)}); save it as UTF-8") from error


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
