"""The audio that a model was trained on, so that it is recognised in any folder and under any name.

    run["training_audio"] = describe_audio(utterances)        # {SHA-256 of a file: {"bytes": ..., "parts": [...]}}
    TrainedAudio(run["training_audio"]).contains(part)        # whether a part of a file was trained on

Clips of corpora have ids for this purpose; those of a manifest are named after files, and `1.wav` may be anything.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from overtone.channels import MIX, channel_number
from overtone.datatypes import Utterance

MIN_OVERLAP_S = 0.1  # below which intervals only touch, after their times were rounded


class AudioPart(NamedTuple):
    """A part of an audio file.

    Attributes:
        path: the file.
        start_s: start time; None for the start of the file.
        end_s: end time; None for the end of the file.
        channel: "left", "right" or a number from 1; "" or "mix" for the mean of all channels.
        name: name of the recording if it was copied to the file from a table; "" if it is that of the file.
    """

    path: Path
    start_s: float | None = None
    end_s: float | None = None
    channel: str = ""
    name: str = ""

    @property
    def named_path(self) -> Path:
        """The path of the recording before it was copied, which may name its corpus."""
        return Path(self.name) if self.name else self.path

    @classmethod
    def of(cls, utterance: Utterance) -> "AudioPart":
        """Return the audio of a clip."""
        u = utterance
        name = u.clip.partition("#")[0] + u.path.suffix if u.origin else ""
        return cls(u.path, u.start_s, u.end_s, u.channel, name)


def describe_audio(parts: Iterable[AudioPart]) -> dict[str, dict[str, Any]]:
    """Return SHA-256 of each file -> its size in bytes and the parts of it, as JSON values; without unreadable files.

    Args:
        parts: of any files.
    """
    digests: dict[Path, str] = {}
    found: dict[str, dict[str, Any]] = {}
    for part in parts:
        if part.path not in digests:
            digests[part.path] = _digest(part.path)
        if digests[part.path]:
            file = found.setdefault(digests[part.path], {"bytes": part.path.stat().st_size, "parts": []})
            file["parts"].append([part.start_s or 0.0, part.end_s, channel_number(part.channel or MIX)])
    return found


class TrainedAudio:
    """The audio that a model was trained on.

    Args:
        described: as `describe_audio` returns it.

    Raises:
        ValueError, KeyError, TypeError: it is something else.
    """

    def __init__(self, described: Mapping[str, Mapping[str, Any]]) -> None:
        self._parts = {
            digest: [(float(start_s), math.inf if end_s is None else float(end_s), str(channel))
                     for start_s, end_s, channel in file["parts"]]
            for digest, file in described.items()
        }  # fmt: skip
        self._sizes = {int(file["bytes"]) for file in described.values()}
        self._digests: dict[Path, str] = {}

    def contains(self, part: AudioPart) -> bool:
        """Return whether a part of a file, or some of it, was trained on; False if the file cannot be read."""
        start_s, end_s = part.start_s or 0.0, math.inf if part.end_s is None else part.end_s
        channel = channel_number(part.channel or MIX)
        return any(
            min(end_s, other_end_s) - max(start_s, other_start_s) > MIN_OVERLAP_S
            and (not channel or not other or channel == other)  # the mean contains each channel
            for other_start_s, other_end_s, other in self._parts.get(self._find_digest(part.path), ())
        )

    def _find_digest(self, path: Path) -> str:
        """Return the digest of a file that may have been trained on; "" of one with another size."""
        if path not in self._digests:
            try:
                may_be_known = path.stat().st_size in self._sizes
            except (OSError, ValueError):
                may_be_known = False
            self._digests[path] = _digest(path) if may_be_known else ""
        return self._digests[path]


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file; "" if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return ""
