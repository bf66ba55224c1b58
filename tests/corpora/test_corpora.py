"""The plug-board: every row has its shape, and it is light to plug in."""

import subprocess
import sys
from pathlib import Path

import pytest

from overtone import corpora
from overtone.emotions import EMOTIONS
from overtone.errors import CorpusError, OptionError

HEAVY = ("soundfile", "soxr", "onnxruntime", "torch", "tqdm", "urllib.request")


@pytest.mark.parametrize("name", corpora.CORPORA)
def test_every_corpus_tells_about_itself(name: str, tmp_path: Path) -> None:
    corpus = corpora.CORPORA[name]
    about = corpus.ABOUT
    assert about.name == name
    assert about.title and about.language and about.licence and about.tree
    assert [emotion for emotion in EMOTIONS if emotion in about.emotions] == list(about.emotions)
    for archive in about.archives:
        assert archive.url.startswith("https://")
        assert len(bytes.fromhex(archive.md5)) == 16
        assert archive.size_bytes > 0
    assert name == "manifest" or (about.citation and about.url and about.label and about.clips and about.speakers)
    with pytest.raises(CorpusError):
        corpus.read(tmp_path)


def test_an_unknown_name_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(OptionError, match=r"no corpus is called 'ravdes'; did you mean 'ravdess'\?"):
        corpora.read_corpus("ravdes", "anywhere")


def test_importing_the_room_opens_no_heavy_package() -> None:
    code = f"import sys, overtone.corpora; print([name for name in {HEAVY} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
