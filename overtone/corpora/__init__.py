"""FOLDER ON DISK -> LABELLED UTTERANCES. A plug-board: one file per corpus.

To add a corpus, write one file such as `ravdess.py` with

    ABOUT            a `CorpusInfo`: source, licence, citation, speakers, folder tree
    read(folder)     -> `CorpusScan`: its utterances, and what else lay in the folder, by reason
    clips_expected() -> names of all clips of the whole corpus; empty where that is not known

and add its row to `CORPORA`. Where a file name tells all, `files.scan_folder` does the rest. Only the standard library
is needed: no sound is opened here.
"""

from pathlib import Path
from typing import Protocol

from overtone.corpora import ased, crema_d, emodb, emovo, manifest, nemo, ravdess, savee, tess
from overtone.corpora.metadata import CorpusInfo, CorpusScan
from overtone.errors import OptionError, suggest


class Corpus(Protocol):
    """The shape of a corpus module."""

    ABOUT: CorpusInfo

    def read(self, folder: Path) -> CorpusScan:
        """The clips of the corpus below a folder."""
        ...

    def clips_expected(self) -> frozenset[str]:
        """Names of all clips of the whole corpus."""
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
    "manifest": manifest,
}


def get_corpus(name: str) -> Corpus:
    """The module of a corpus.

    Raises:
        OptionError: there is no such corpus; the message names the nearest.
    """
    if name not in CORPORA:
        raise OptionError(f"no corpus is called '{name}'{suggest(name, CORPORA)}")
    return CORPORA[name]


def read_corpus(name: str, path: str | Path) -> CorpusScan:
    """The labelled utterances of a corpus on disk.

    Args:
        name: a key of `CORPORA`.
        path: its folder; for "manifest" the CSV file.

    Raises:
        OptionError: there is no such corpus.
        CorpusError: the folder or file is not laid out as it should be.
    """
    return get_corpus(name).read(Path(path))
