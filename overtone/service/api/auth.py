"""API keys: a file of their SHA-256 digests, one line each, which is all that the service ever knows of them.

# name  sha256
anna    2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from overtone.errors import InputError

LINE = re.compile(r"(\S{1,64})\s+([0-9a-f]{64})")
KEY_BYTES = 32


class ApiKeys:
    """Who may come in.

    Args:
        digests: name -> SHA-256 of the key in hexadecimal digits; empty where everybody may.
    """

    def __init__(self, digests: Mapping[str, str]) -> None:
        self._digests = dict(digests)

    def __bool__(self) -> bool:
        return bool(self._digests)

    def owner(self, key: str) -> str | None:
        """The name that belongs to a key; None for no key of ours. Takes as long for either."""
        digest = hash_key(key)
        found = None
        for name, known in self._digests.items():
            if hmac.compare_digest(digest, known):
                found = name
        return found


def read_keys(path: Path) -> ApiKeys:
    """The keys of a file.

    Raises:
        InputError: it cannot be read, or a line is none of a name and a digest, or a name stands there twice.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise InputError(f"{path}: the keys cannot be read: {error}") from error
    digests: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = LINE.fullmatch(line.strip())
        if match is None or match[1] in digests:
            raise InputError(f"{path}:{number}: expected a new name and a SHA-256; see: overtone serve --new-key NAME")
        digests[match[1]] = match[2]
    if not digests:
        raise InputError(f"{path}: holds no key; make one: overtone serve --new-key NAME")
    return ApiKeys(digests)


def new_key() -> str:
    """A key that nobody can guess."""
    return secrets.token_urlsafe(KEY_BYTES)


def hash_key(key: str) -> str:
    """What the file holds of a key. It is random and long, so one round of SHA-256 is enough."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
