"""The registry: every corpus has the interface of a corpus module, and importing them is cheap."""

import subprocess
import sys
from pathlib import Path

import pytest

from overtone import corpora
from overtone.emotions import EMOTIONS
from overtone.errors import CorpusError, OptionError

HEAVY = ("soundfile", "soxr", "onnxruntime", "torch", "tqdm", "urllib.request")


@pytest.mark.parametrize("name", corpora.CORPORA)
def test_every_corpus_describes_itself(name: str, tmp_path: Path) -> None:
    corpus = corpora.CORPORA[name]
    info = corpus.INFO
    assert info.name == name
    assert info.title and info.language and info.licence and info.tree
    assert [emotion for emotion in EMOTIONS if emotion in info.emotions] == list(info.emotions)
    for archive in info.archives:
        assert archive.url.startswith("https://")
        assert len(bytes.fromhex(archive.md5)) == 16
        assert archive.size_bytes > 0
    assert name == "manifest" or (info.citation and info.url and info.label and info.clips and info.speakers)
    with pytest.raises(CorpusError):
        corpus.read(tmp_path)


def test_an_unknown_name_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(OptionError, match=r"no corpus is called 'ravdes'; did you mean 'ravdess'\?"):
        corpora.read_corpus("ravdes", "anywhere")


def test_importing_corpora_imports_no_heavy_package() -> None:
    code = f"import sys, overtone.corpora; print([name for name in {HEAVY} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
