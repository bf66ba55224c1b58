"""API keys, read from a file of their SHA-256 digests, one line each; the service never stores a key itself.

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
    """The accepted API keys.

    Args:
        digests: name -> SHA-256 of the key in hexadecimal digits; empty if no key is needed.
    """

    def __init__(self, digests: Mapping[str, str]) -> None:
        self._digests = dict(digests)

    def __bool__(self) -> bool:
        return bool(self._digests)

    def owner(self, key: str) -> str | None:
        """Return the name that a key belongs to; None for an unknown key. The time taken does not depend on the key."""
        digest = hash_key(key)
        owner = None
        for name, expected in self._digests.items():
            if hmac.compare_digest(digest, expected):
                owner = name
        return owner


def read_keys(path: Path) -> ApiKeys:
    """Return the keys of a file.

    Raises:
        InputError: the file cannot be read or has no keys, a line is not a name and a digest, or a name occurs twice.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise InputError(f"{path}: the API keys cannot be read: {error}") from error
    digests: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = LINE.fullmatch(line.strip())
        if match is None or match[1] in digests:
            raise InputError(
                f"{path}:{number}: expected a new name and a SHA-256 digest; see: overtone serve --new-key NAME"
            )
        digests[match[1]] = match[2]
    if not digests:
        raise InputError(f"{path}: contains no keys; create one with: overtone serve --new-key NAME")
    return ApiKeys(digests)


def new_key() -> str:
    """Return a new random key."""
    return secrets.token_urlsafe(KEY_BYTES)


def hash_key(key: str) -> str:
    """Return the digest of a key, as the file stores it. Keys are long and random: one round of SHA-256 is enough."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
