"""Everything that can go wrong in Overtone, as one tree.

    OvertoneError
    ├── InputError                what the user gave cannot be used
    │   ├── AudioError            a sound file or array
    │   ├── CorpusError           a corpus folder or a manifest
    │   └── OptionError           an option, a key or a name that does not exist
    ├── ModelError                a model file that cannot be used, or an export that is not exact
    ├── TrainingError             a training that cannot start, go on or finish
    ├── DownloadError             a download that broke, or is not what was published
    ├── ServiceError              the service does not do what it is asked
    └── MissingExtraError         an optional part of the installation is not there

Every message names the file (or the key) and says what to do. Nothing here prints or exits: `ui` does.
"""

import difflib
from collections.abc import Iterable


class OvertoneError(Exception):
    """Root of all errors that Overtone raises on purpose."""


class InputError(OvertoneError):
    """What the user gave cannot be used."""


class AudioError(InputError):
    """A sound that cannot be read: missing, empty, damaged, of an unknown format, or not finite."""


class CorpusError(InputError):
    """A corpus folder or manifest that is not laid out as it should be."""


class OptionError(InputError):
    """An option, key or name that does not exist, or a value outside its range."""


class ModelError(OvertoneError):
    """A model file that is missing, damaged or of another version; or an export that is not exact."""


class TrainingError(OvertoneError):
    """A training that cannot start, go on or finish."""


class DownloadError(OvertoneError):
    """A download that broke off, or whose content is not what was published."""


class ServiceError(OvertoneError):
    """What a service was asked for and did not do: it has too much to do, refuses, or cannot be reached."""


class MissingExtraError(OvertoneError):
    """An optional part of the installation is missing; the message says how to install it."""


def suggest(name: str, known: Iterable[str]) -> str:
    """The hint `"; did you mean 'x'?"` for the known name most like `name`, or the list of all known.

    Args:
        name: what the user wrote.
        known: the names that exist.
    """
    known = sorted(known)
    close = difflib.get_close_matches(name.lower(), known, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; known are {', '.join(known)}"
