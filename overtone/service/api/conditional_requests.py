"""Conditional requests: two clients that change one resource do not overwrite each other's changes unknowingly.

A response names the state of a resource by an entity tag (`ETag`); a later request whose `If-Match` names another state
gets error 412. Dates are not supported: resources have no Last-Modified. Source: RFC 9110, sections 8.8.3 and 13.
"""

import hashlib
import re
from typing import NamedTuple

from fastapi import Request

from overtone.service.api.errors import ApiError

ENTITY_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
ENTITY_TAGS = re.compile(rf"[ \t,]*{ENTITY_TAG}(?:[ \t]*,[ \t,]*{ENTITY_TAG})*[ \t,]*")
# What Apache adds to the entity tags of responses that it compresses, and does not remove from requests.
COMPRESSED = re.compile(r'-(?:gzip|br|deflate|zstd)(?="$)')
ANY = "*"


class Conditions(NamedTuple):
    """The conditions of a request; None where it has none.

    Attributes:
        match: the entity tags of `If-Match`, or `ANY`.
        none_match: those of `If-None-Match`.
    """

    match: frozenset[str] | str | None
    none_match: frozenset[str] | str | None

    @classmethod
    def of(cls, request: Request) -> "Conditions":
        """Return the conditions of a request.

        Raises:
            ApiError: a header is not a list of entity tags.
        """
        return cls(_read(request, "if-match"), _read(request, "if-none-match"))

    def check_match(self, etag: str) -> None:
        """Check `If-Match`, by strong comparison: a weak tag is never that of the current state.

        Args:
            etag: the strong entity tag of the current state.

        Raises:
            ApiError: it names other states.
        """
        if self.match is not None and self.match != ANY and etag not in self.match:
            raise _precondition_failed(etag)

    def check_replacement(self, etag: str) -> None:
        """Check both conditions of a request that replaces the current state, which exists.

        Raises:
            ApiError: one is not met.
        """
        self.check_match(etag)
        if self.names(etag):
            raise _precondition_failed(etag)

    def names(self, etag: str) -> bool:
        """Return whether `If-None-Match` names the current state, by weak comparison."""
        if self.none_match is None:
            return False
        return self.none_match == ANY or etag in {tag.removeprefix("W/") for tag in self.none_match}


def strong_etag(content: bytes) -> str:
    """Return the strong entity tag of a representation: another one for other bytes."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _read(request: Request, name: str) -> frozenset[str] | str | None:
    """Return the entity tags in the lines of a header, which are one list; None without the header."""
    lines = request.headers.getlist(name)
    if not lines:
        return None
    text = ",".join(lines).strip()
    if text == ANY:
        return ANY
    if not ENTITY_TAGS.fullmatch(text):
        expected = f"{ANY} or entity tags in double quotes, as the header ETag has them"
        raise ApiError("malformed_request", f"{name.title()}: expected {expected}")
    return frozenset(COMPRESSED.sub("", tag) for tag in re.findall(ENTITY_TAG, text))


def _precondition_failed(etag: str) -> ApiError:
    return ApiError(
        "precondition_failed",
        "the corrections have been changed since they were read; read them again, and send them with their new ETag",
        etag=etag,
    )
