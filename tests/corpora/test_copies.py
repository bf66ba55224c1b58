"""Copies of a clip count once; two files of one clip with different content are an error, in any folders."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from overtone import corpora
from overtone.errors import CorpusError

RATE_HZ = 16_000


def write(path: Path, seed: int = 1, rate_hz: int = RATE_HZ) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(seed).integers(-9_999, 9_999, 1_000, np.int16), rate_hz)
    return path


@pytest.mark.parametrize("copy", ["a/03a01Fa.wav", "z/03a01Fa.wav", "a/03a01Fa.flac", "a/03a01Fa.mp3"])
def test_copies_count_once(copy: str, tmp_path: Path) -> None:
    write(tmp_path / "wav/03a01Fa.wav")
    write(tmp_path / copy)
    scan = corpora.read_corpus("emodb", tmp_path)
    assert len(scan.utterances) == 1 and scan.ignored == {"same clip twice": 1}


def test_a_copy_with_another_header_counts_once(tmp_path: Path) -> None:
    content = write(tmp_path / "wav/03a01Fa.wav").read_bytes()
    (tmp_path / "03a01Fa.wav").write_bytes(content + b"LIST\x04\0\0\0INFO")
    assert corpora.read_corpus("emodb", tmp_path).ignored == {"same clip twice": 1}


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("emodb", "egg/03a01Fa.wav", "wav/03a01Fa.wav"),
        ("emodb", "wav/03a01Fa.wav", "x/03a01Fa.flac"),
        ("emodb", "wav/03a01Fa.mp3", "x/03a01Fa.mp3"),
        ("ravdess", "Actor_12/03-01-06-01-02-01-12.wav", "x/Actor_12/03-01-06-01-02-01-12.wav"),
    ],
)
def test_different_files_of_one_clip(name: str, first: str, second: str, tmp_path: Path) -> None:
    write(tmp_path / first)
    write(tmp_path / second, seed=2)
    with pytest.raises(CorpusError) as caught:
        corpora.read_corpus(name, tmp_path)
    message = str(caught.value)
    assert message.startswith(str(tmp_path)) and first in message and second in message and "remove" in message


def test_another_sampling_rate_is_another_content(tmp_path: Path) -> None:
    write(tmp_path / "wav/03a01Fa.wav")
    write(tmp_path / "x/03a01Fa.wav", rate_hz=8_000)
    with pytest.raises(CorpusError, match="different content"):
        corpora.read_corpus("emodb", tmp_path)
