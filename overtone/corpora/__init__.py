"""Corpus readers: a folder on disk -> labelled utterances. A registry with one module per corpus.

To add a corpus, write a module such as `emodb.py` with

    INFO             a `CorpusInfo`: source, licence, citation, speakers, folder structure
    read(folder)     returns a `CorpusScan`: its utterances, and the other files by reason
    clips_expected() returns the names of all clips of the complete corpus; empty if they are unknown

and add its row to `CORPORA`. If the file names contain all labels, a `file_names.FileNameScheme` provides both
functions. Reading a corpus needs only the standard library, as no audio file is opened.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from overtone.corpora import ased, crema_d, emodb, emogator, emovo, manifest, nemo, ravdess, savee, tess
from overtone.corpora.file_names import FileNameScheme
from overtone.corpora.metadata import CorpusInfo, CorpusScan
from overtone.datatypes import Utterance
from overtone.errors import OptionError, suggest


class Corpus(Protocol):
    """The interface of a corpus module."""

    INFO: CorpusInfo

    def read(self, folder: Path) -> CorpusScan:
        """Return the clips of the corpus in a folder."""
        ...

    def clips_expected(self) -> frozenset[str]:
        """Return the names of all clips of the complete corpus; empty if they are unknown."""
        ...


CORPORA: dict[str, Corpus] = {
    "ravdess": ravdess,
    "crema_d": crema_d,
    "savee": savee,
    "tess": tess,
    "emodb": emodb,
    "emovo": emovo,
    "nemo": nemo,
    "ased": ased,
    "emogator": emogator,
    "manifest": manifest,
}


def get_corpus(name: str) -> Corpus:
    """Return the module of a corpus.

    Raises:
        OptionError: no such corpus; the message suggests the most similar name.
    """
    if name not in CORPORA:
        raise OptionError(f"no corpus is called '{name}'{suggest(name, CORPORA)}")
    return CORPORA[name]


def read_corpus(
    name: str,
    path: str | Path,
    *,
    only_known_labels: bool = False,
    max_invalid_share: float = 0.0,
    cache: Path | None = None,
) -> CorpusScan:
    """Return the labelled utterances of a corpus on disk.

    Args:
        name: a key of `CORPORA`.
        path: its folder; for "manifest" the table, see `overtone.corpora.manifest.read`.
        only_known_labels: whether a label of a manifest that is not a known emotion is an error; all labels of the
            other corpora are known.
        max_invalid_share: of the rows of a manifest; up to it, invalid rows are left out, see `CorpusScan.invalid`.
        cache: the cache folder for the audio that a manifest contains; None for that of the user.

    Raises:
        OptionError: no such corpus.
        CorpusError: the folder or file does not have the expected structure.
    """
    if name == manifest.INFO.name:
        return manifest.read(
            Path(path), only_known_labels=only_known_labels, max_invalid_share=max_invalid_share, cache=cache
        )
    return get_corpus(name).read(Path(path))


def clip_of_file(path: Path, names: Collection[str]) -> Utterance | None:
    """Return the clip of a corpus that a file is by its name; None if it has no such name. The file is not opened.

    Args:
        path: of the file.
        names: of the corpora.
    """
    for name in names:
        scheme = getattr(CORPORA.get(name), "SCHEME", None)
        clip = scheme.parse(path) if isinstance(scheme, FileNameScheme) else None
        if isinstance(clip, Utterance):
            return clip
    return None
