"""The data types of every corpus reader: the description of a corpus, and the result of scanning its folder."""

from dataclasses import dataclass
from pathlib import Path

from overtone.datatypes import Utterance


@dataclass(frozen=True)
class Archive:
    """A published ZIP file.

    Attributes:
        url: its address; https.
        name: its file name.
        size_bytes: its exact size.
        md5: its published checksum, 32 hexadecimal digits.
        max_members: archives with more members are refused.
        max_unpacked_bytes: archives with more bytes, unpacked, are refused.
    """

    url: str
    name: str
    size_bytes: int
    md5: str
    max_members: int = 10_000
    max_unpacked_bytes: int = 2**30


@dataclass(frozen=True)
class CorpusInfo:
    """The origin and the content of a corpus.

    Attributes:
        name: its key in commands and results.
        title: its full name.
        language: language of the speech.
        speakers: number of speakers; 0 if it differs from folder to folder.
        emotions: its classes, in the order of `overtone.emotions.EMOTIONS`; a manifest may have others too.
        licence: licence of the recordings.
        citation: the paper to cite.
        url: its home page.
        tree: short drawing of the expected folder structure.
        label: its common name in text, for messages; `name` if it is empty.
        clips: number of clips in the complete corpus; 0 if that is unknown.
        archives: the files that `overtone corpora download` fetches; empty if it cannot be downloaded.
        speech: whether the clips are speech; other sounds serve training, and are never a test.
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
    speech: bool = True

    @property
    def display_name(self) -> str:
        """The common name of the corpus in text."""
        return self.label or self.name


@dataclass(frozen=True)
class CorpusScan:
    """The content of a folder: the clips of the corpus, and all other files by reason.

    Attributes:
        utterances: the clips, sorted by name; of a manifest, in the order of the table.
        left_out: reason ("song", "video", ...) -> the files left out for it, sorted.
        hints: what a user should know about the table of a manifest, such as columns that are not used.
        invalid: position and fault of each row of a manifest that was left out because it is invalid.
    """

    utterances: tuple[Utterance, ...]
    left_out: dict[str, tuple[Path, ...]]
    hints: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()

    @property
    def ignored(self) -> dict[str, int]:
        """Reason -> number of files left out for it."""
        return {reason: len(paths) for reason, paths in self.left_out.items()}
