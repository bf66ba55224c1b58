"""What every corpus module tells: about the corpus, and what was found in a folder."""

from dataclasses import dataclass
from pathlib import Path

from overtone.datatypes import Utterance


@dataclass(frozen=True)
class Archive:
    """One published ZIP file.

    Attributes:
        url: where it lies; https.
        name: its file name.
        size_bytes: its exact size.
        md5: its checksum as published, 32 hexadecimal digits.
        most_members: more members than this are refused.
        most_unpacked_bytes: more than this, unpacked, is refused.
    """

    url: str
    name: str
    size_bytes: int
    md5: str
    most_members: int = 10_000
    most_unpacked_bytes: int = 2**30


@dataclass(frozen=True)
class CorpusInfo:
    """Where a corpus comes from and what it holds.

    Attributes:
        name: how it is called in commands and results.
        title: its full name.
        language: of the speech.
        speakers: how many; 0 where it differs from folder to folder.
        emotions: its classes, in the order of `overtone.emotions.EMOTIONS`.
        licence: of the recordings.
        citation: the paper to cite.
        url: its home page.
        tree: short drawing of the folder that `read` expects.
        label: how people call it, for messages; `name` where it is empty.
        clips: how many there are in the whole corpus; 0 where that is not known.
        archives: what `tasks.fetching.download` fetches; empty where it cannot be fetched.
    """

    name: str
    title: str
    language: str
    speakers: int
    emotions: tuple[str, ...]
    licence: str
    citation: str
    url: str
    tree: str
    label: str = ""
    clips: int = 0
    archives: tuple[Archive, ...] = ()


@dataclass(frozen=True)
class CorpusScan:
    """What was found in a folder: clips of the corpus, and all the rest by reason.

    Attributes:
        utterances: the clips, sorted by name.
        left_out: reason ("song", "video", ...) -> the files that were left out for it, sorted.
    """

    utterances: tuple[Utterance, ...]
    left_out: dict[str, tuple[Path, ...]]

    @property
    def ignored(self) -> dict[str, int]:
        """Reason -> number of files left out for it."""
        return {reason: len(paths) for reason, paths in self.left_out.items()}
