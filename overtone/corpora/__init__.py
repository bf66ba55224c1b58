"""FOLDER ON DISK -> LABELLED UTTERANCES. A plug-board: one file per corpus.

To add a corpus, write one file such as `ravdess.py` with

    ABOUT            a `CorpusAbout`: source, licence, citation, speakers, folder tree
    read(folder)     -> `Reading`: its utterances, and what else lay in the folder, by reason
    clips_expected() -> names of all clips of the whole corpus; empty where that is not known

and add its row to `CORPORA`. Where a file name tells all, `files.sorted_out` does the rest. Only the standard library
is needed: no sound is opened here.
"""

from pathlib import Path
from typing import Protocol

from overtone.corpora import ased, crema_d, emodb, emovo, manifest, nemo, ravdess, savee, tess
from overtone.corpora.about import CorpusAbout, Reading
from overtone.errors import OptionError, nearest


class Corpus(Protocol):
    """The shape of a corpus module."""

    ABOUT: CorpusAbout

    def read(self, folder: Path) -> Reading:
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


def corpus_named(name: str) -> Corpus:
    """The module of a corpus.

    Raises:
        OptionError: there is no such corpus; the message names the nearest.
    """
    if name not in CORPORA:
        raise OptionError(f"no corpus is called '{name}'{nearest(name, CORPORA)}")
    return CORPORA[name]


def read(name: str, path: str | Path) -> Reading:
    """The labelled utterances of a corpus on disk.

    Args:
        name: a key of `CORPORA`.
        path: its folder; for "manifest" the CSV file.

    Raises:
        OptionError: there is no such corpus.
        CorpusError: the folder or file is not laid out as it should be.
    """
    return corpus_named(name).read(Path(path))
