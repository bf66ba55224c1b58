"""The exceptions of Overtone, as one tree.

    OvertoneError
    ├── InputError                input that cannot be used
    │   ├── AudioError            an audio file or array
    │   ├── CorpusError           a corpus folder or a manifest
    │   └── OptionError           an option, a key or a name that does not exist
    ├── ModelError                a model file that cannot be used, or an export that is not exact
    ├── TrainingError             a training run that cannot start, resume or finish
    ├── DownloadError             an interrupted download, or one with unexpected content
    ├── ServiceError              a request that the service did not fulfil
    │   └── PreconditionFailedError  one that would have overwritten another change
    └── MissingExtraError         an optional dependency that is not installed

Every message names the file or key and the remedy. This module neither prints nor exits; `cli` does.
"""

import difflib
from collections.abc import Iterable, Sequence

MAX_SHOWN_ERRORS = 10
MAX_LISTED = 40  # names in the list of all known ones: a model may have hundreds of classes


class OvertoneError(Exception):
    """Base class of all errors that Overtone raises deliberately."""


class InputError(OvertoneError):
    """Input from the user that cannot be used."""


class AudioError(InputError):
    """Audio that cannot be read: missing, empty, damaged, of an unknown format, or not finite."""


class CorpusError(InputError):
    """A corpus folder or manifest without the expected structure."""


class OptionError(InputError):
    """An option, key or name that does not exist, or a value outside its range."""


class ModelError(OvertoneError):
    """A model file that is missing, damaged or of another version; or an export that is not exact."""


class TrainingError(OvertoneError):
    """A training run that cannot start, resume or finish."""


class DownloadError(OvertoneError):
    """A download that was interrupted, or whose content differs from the published one."""


class ServiceError(OvertoneError):
    """A request that the service did not fulfil: it is overloaded, refuses the request, or cannot be reached."""


class PreconditionFailedError(ServiceError):
    """A change that the service did not make, since another client has changed the same thing meanwhile."""


class MissingExtraError(OvertoneError):
    """An optional dependency is not installed; the message says how to install it."""


def suggest(name: str, known: Iterable[str], min_similarity: float = 0.6) -> str:
    """Return the hint `"; did you mean 'x'?"` with the most similar known name, or a list of the known names.

    Args:
        name: what the user wrote.
        known: the names that exist.
        min_similarity: of the name to a suggested one, in [0, 1].
    """
    names = sorted(known)
    close = difflib.get_close_matches(name.lower(), names, n=1, cutoff=min_similarity)
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return f"; did you mean '{close[0]}'?" if close else f"; known are {', '.join(names[:MAX_LISTED])}{more}"


def check_texts(option: str, names: object) -> tuple[str, ...]:
    """Return the names that an option has, after checking that they are several texts.

    Raises:
        OptionError: they are one text, or anything else.
    """
    is_one = isinstance(names, str | bytes) or hasattr(names, "read")  # a file yields its lines
    texts = tuple(names) if isinstance(names, Iterable) and not is_one else (names,)
    if is_one or not all(isinstance(text, str) for text in texts):
        raise OptionError(f"{option}: expected several names, such as a tuple of texts, got {_excerpt(names)}")
    return tuple(map(str, texts))


def _excerpt(value: object) -> str:
    return " ".join(repr(value).split())[:80]


def first_line(error: Exception) -> str:
    """Return the first line of an error message, or the name of the error's class if it has no message."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def format_errors(file: str, errors: Sequence[str], what: str = "lines") -> str:
    """Return all errors of a file, each "line N: ...", as one message with the first ten of them.

    Args:
        file: the file.
        errors: at least one.
        what: what is invalid, in the plural.
    """
    if len(errors) == 1:
        return f"{file}, {errors[0]}"
    more = len(errors) - MAX_SHOWN_ERRORS
    shown = [*errors[:MAX_SHOWN_ERRORS], *([f"... and {more} more"] if more > 0 else [])]
    return f"{file}: {len(errors)} invalid {what}:\n" + "\n".join(f"  {line}" for line in shown)
