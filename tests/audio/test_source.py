"""Unusual sources of audio: each is read, or refused with an error of Overtone; none blocks."""

import gzip
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from audio_files import encoded, tone

from overtone.audio import source
from overtone.audio.decode import from_array, read
from overtone.errors import AudioError


def test_a_named_pipe_without_a_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "PIPE_TIMEOUT_S", 0.1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(AudioError, match="no program has written to this pipe"):
        read(tmp_path / "pipe")


def test_an_address_is_not_a_missing_file() -> None:
    for address in ("https://example.com/a.wav", "s3://calls/a.wav", "file:///a.wav"):
        with pytest.raises(AudioError, match=rf"^{address}: is an address, not a file; download it"):
            read(address)


def test_a_link_to_nothing(tmp_path: Path) -> None:
    link = tmp_path / "clip.wav"
    link.symlink_to(tmp_path / "moved.wav")
    with pytest.raises(AudioError, match="is a link to a file that does not exist"):
        read(link)


class BytesPath:
    """A path of the operating system that is not text."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> bytes:
        return os.fsencode(self.path)


def test_unusual_paths_and_buffers(tmp_path: Path) -> None:
    content = encoded(tone(16_000), 16_000)
    expected = read(content).samples
    path = tmp_path / "clip.wav"
    path.write_bytes(content)
    every_second = memoryview(bytes(byte for byte in content for _ in range(2)))[::2]
    for unusual in (BytesPath(path), every_second, memoryview(content).cast("h"), Returning(bytearray(content))):
        np.testing.assert_array_equal(read(unusual).samples, expected)  # type: ignore[arg-type]


class Returning:
    """A file object with a given content."""

    def __init__(self, content: object) -> None:
        self.content = content

    def read(self) -> object:
        if isinstance(self.content, Exception):
            raise self.content
        return self.content


def test_file_objects_that_cannot_be_read() -> None:
    content = gzip.compress(encoded(tone(16_000), 16_000))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("clip.wav", content)
    damaged = bytearray(archive.getvalue())
    damaged[60] ^= 1
    with zipfile.ZipFile(io.BytesIO(damaged)) as file:
        for unusual in (
            gzip.GzipFile(fileobj=io.BytesIO(content[:-40])),
            file.open("clip.wav"),
            file,
            *map(Returning, ("text", None, np.zeros(9), RuntimeError("encrypted"), EOFError())),
        ):
            with pytest.raises(AudioError):
                read(unusual)  # type: ignore[arg-type]


def test_masked_samples_and_floats_of_8_bit_are_refused() -> None:
    samples = tone(16_000)
    with pytest.raises(AudioError, match="masked"):
        from_array(np.ma.masked_greater(samples, 0.4), 16_000)
    assert len(from_array(np.ma.masked_greater(samples, 2), 16_000).samples) == len(samples)
    for scale, offset in ((127, 0), (127, 128), (32_767, 0)):
        with pytest.raises(AudioError, match="where 1 is full scale"):
            from_array(scale * samples + offset, 16_000)
