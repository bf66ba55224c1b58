r"""Reads the interval tiers of a TextGrid, the annotation file of Praat.

All published forms are read: the long and the short text format, also with the header `ooTextFile short` of old
versions, the chronological text format and the binary format; as UTF-8, UTF-16 or ISO 8859-1. Point tiers are not read.

Source: the manual of Praat, "TextGrid file formats"; the binary format: `TextGrid_def.h` and `abcio.cpp` of Praat 6.
"""

import re
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from overtone._internal.text_encoding import decode_text
from overtone.annotations.tier_names import EMOTION, TierName, split_tier_name

# Only quoted texts, free-standing numbers and flags count; "!" starts a comment.
TOKEN = re.compile(
    r'"(?:[^"]|"")*"|(?<!\S)!.*|(?<!\S)-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?%?(?!\S)|(?<!\S)<(?:exists|absent)>(?!\S)'
)
BINARY = b"ooBinaryFile"
TRUNCATED = "truncated; export it again"
CHRONOLOGICAL = '"Praat chronological TextGrid text file"'
NOT_ASCII = 0xFFFF  # instead of the length of a text in the binary format; its length and UTF-16 follow
INTERVAL_TIER, POINT_TIER = "IntervalTier", "TextTier"


class Interval(NamedTuple):
    """An interval of a tier: its times as written, and its text."""

    start: str | float
    end: str | float
    text: str


class IntervalTier(NamedTuple):
    """An interval tier."""

    name: str
    intervals: list[Interval]


def read_tiers(content: bytes) -> list[IntervalTier]:
    """Return the interval tiers of a TextGrid.

    Raises:
        ValueError: it is none, or is incomplete.
    """
    if content.startswith(BINARY):
        return list(_read_binary(content))
    text = decode_text(content, otherwise="latin-1")  # which Praat writes, if it can, by an option
    tokens = _Tokens(text)
    header = tokens.next()
    if header == CHRONOLOGICAL:
        return _read_chronological(tokens)
    if header not in ('"ooTextFile"', '"ooTextFile short"') or tokens.next() != '"TextGrid"':
        raise ValueError("does not start with the header of a TextGrid")
    tokens.number(), tokens.number()  # start and end of the recording
    if tokens.next() != "<exists>":
        return []
    tiers = list(_read_tiers(tokens))
    if not tokens.is_at_end():
        raise ValueError("has more intervals or tiers than it says; export it again")
    return tiers


class LabelledTier(NamedTuple):
    """A tier with the intervals that have a text, and the position of each for messages."""

    name: TierName
    positions: list[str]
    intervals: list[Interval]


def emotion_tiers(tiers: Sequence[IntervalTier]) -> Iterator[LabelledTier]:
    """Yield the tiers of emotions among these."""
    for tier in tiers:
        name = split_tier_name(tier.name)
        if name.content == EMOTION:
            found = labelled_intervals(tier)
            yield LabelledTier(name, list(found), list(found.values()))


def labelled_intervals(tier: IntervalTier) -> dict[str, Interval]:
    """Return the intervals of a tier that have a text, by their position for messages."""
    numbered = enumerate(tier.intervals, start=1)
    return {f"tier '{tier.name}', interval {number}": each for number, each in numbered if each.text.strip()}


class _Tokens:
    """The quoted texts, numbers and flags of a text file, one after the other."""

    def __init__(self, text: str) -> None:
        found = (match[0] for match in TOKEN.finditer(text))
        self._tokens = (token for token in found if not token.startswith("!"))

    def next(self) -> str:
        token = next(self._tokens, None)
        if token is None:
            raise ValueError(TRUNCATED)
        return token

    def is_at_end(self) -> bool:
        return next(self._tokens, None) is None

    def number(self) -> str:
        token = self.next()
        if token.startswith(('"', "<")):
            raise ValueError(f"expected a number, got {token[:40]}")
        return token

    def count(self) -> int:
        token = self.number()
        if not token.isdecimal() or len(token) > 9:
            raise ValueError(f"expected a count, got {token[:40]}")
        return int(token)

    def text(self) -> str:
        token = self.next()
        if not token.startswith('"'):
            raise ValueError(f"expected a text in quotes, got {token[:40]}")
        return token[1:-1].replace('""', '"')


def _read_tiers(tokens: _Tokens) -> Iterator[IntervalTier]:
    for _ in range(tokens.count()):
        kind, name = tokens.text(), tokens.text()
        tokens.number(), tokens.number()  # start and end of the tier
        count = tokens.count()
        if kind == INTERVAL_TIER:
            intervals = [Interval(tokens.number(), tokens.number(), tokens.text()) for _ in range(count)]
            yield IntervalTier(name, intervals)
        elif kind == POINT_TIER:
            for _ in range(count):
                tokens.number(), tokens.text()
        else:
            raise ValueError(f"expected a tier of class IntervalTier or TextTier, got '{kind[:40]}'")


def _read_chronological(tokens: _Tokens) -> list[IntervalTier]:
    """Read the format in which the intervals of all tiers are in the order of time."""
    tokens.number(), tokens.number()
    kinds, tiers = [], []
    for _ in range(tokens.count()):
        kinds.append(tokens.text())
        tiers.append(IntervalTier(tokens.text(), []))
        tokens.number(), tokens.number()
    while True:
        try:
            index = tokens.count() - 1
        except ValueError as error:
            if str(error) != TRUNCATED:
                raise
            return [tier for kind, tier in zip(kinds, tiers, strict=True) if kind == INTERVAL_TIER]
        if not 0 <= index < len(tiers):
            raise ValueError(f"there is no tier {index + 1}")
        if kinds[index] == INTERVAL_TIER:
            tiers[index].intervals.append(Interval(tokens.number(), tokens.number(), tokens.text()))
        else:
            tokens.number(), tokens.text()


def _read_binary(content: bytes) -> Iterator[IntervalTier]:
    """Read the binary format: big-endian numbers, and texts that start with their length."""
    data = _Binary(content, len(BINARY))
    if data.short_text() != "TextGrid":
        raise ValueError("does not start with the header of a TextGrid")
    data.values(">dd")
    if data.values(">b") != (1,):
        return
    for _ in range(data.count()):
        kind, name = data.short_text(), data.text()
        data.values(">dd")
        count = data.count()
        if kind == INTERVAL_TIER:
            yield IntervalTier(name, [data.interval() for _ in range(count)])
        elif kind == POINT_TIER:
            for _ in range(count):
                data.values(">d"), data.text()
        else:
            raise ValueError(f"expected a tier of class IntervalTier or TextTier, got '{kind[:40]}'")


class _Binary:
    """The values of a binary file, one after the other."""

    def __init__(self, content: bytes, position: int) -> None:
        self._content, self._position = content, position

    def values(self, layout: str) -> tuple[float, ...]:
        try:
            found = struct.unpack_from(layout, self._content, self._position)
        except struct.error as error:
            raise ValueError(TRUNCATED) from error
        self._position += struct.calcsize(layout)
        return found

    def count(self) -> int:
        return int(self.values(">i")[0])

    def interval(self) -> Interval:
        start_s, end_s = self.values(">dd")
        return Interval(start_s, end_s, self.text())

    def short_text(self) -> str:
        (size,) = self.values(">B")
        return self._take(int(size)).decode("latin-1")

    def text(self) -> str:
        (size,) = self.values(">H")
        if size < NOT_ASCII:
            return self._take(int(size)).decode("latin-1")
        (characters,) = self.values(">H")
        units = b""
        for _ in range(int(characters)):
            unit = self._take(2)
            units += unit + (self._take(2) if 0xD8 <= unit[0] < 0xDC else b"")  # a surrogate pair is one character
        return units.decode("utf-16-be", "replace")

    def _take(self, size: int) -> bytes:
        part = self._content[self._position : self._position + size]
        if len(part) < size:
            raise ValueError(TRUNCATED)
        self._position += size
        return part
