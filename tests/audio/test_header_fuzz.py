"""Changed headers of every container give audio or an `AudioError`, within 10 s and 1 GB."""

import resource
import signal
from collections.abc import Iterator
from types import FrameType

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from test_consecutive import CONTAINERS, encoded, noise
from video_files import FORMATS as VIDEO_FORMATS
from video_files import encode_video

from overtone.audio.decode import read
from overtone.errors import AudioError

EXAMPLES = 15  # per container
TIME_LIMIT_S = 10
MEMORY_LIMIT_BYTES = 2**30
HEADER_BYTES = 400
PIECES = (
    *(b"\0" * 4, b"\xff" * 4, b"\xff" * 8, b"\x7f\xff\xff\xff", b"\0\0\0\x80", b"\1", b"\x80", b"data", b"RIFF"),
    *(b"fLaC", b"OggS\0\2", b"ID3\x04\0\x10\x7f\x7f\x7f\x7f", b"\x1aE\xdf\xa3", b"moov", b"\0\0\1\xba", b"LIST"),
)


def make_files() -> dict[str, bytes]:
    """Return a short file in every container."""
    files = {f"{name} {subtype} {endian}": encoded(name, subtype, endian, 0.2) for name, subtype, endian in CONTAINERS}
    files |= {f"{name} {codec}": encode_video(name, codec, [noise(0.2, 48_000)]) for name, codec, _ in VIDEO_FORMATS}
    files["live webm"] = encode_video("webm", "libopus", [noise(0.2, 48_000)], options={"live": "1"})
    files["mp2"] = encode_video("mp2", "mp2", [noise(0.2, 48_000)])
    files["amr"] = b"#!AMR\n" + b"".join(b"\x3c" + bytes(range(n, n + 31)) for n in range(20))
    return files


FILES = make_files()


@pytest.fixture(autouse=True)
def limits() -> Iterator[None]:
    """Raise an error for a file that takes too long; fail if the memory of the process grew too much."""

    def stop(_: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"more than {TIME_LIMIT_S} s at {frame}")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    previous = signal.signal(signal.SIGALRM, stop)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)
    assert 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) < MEMORY_LIMIT_BYTES


@st.composite
def changed(draw: st.DrawFn, content: bytes) -> bytes:
    """A file of which bytes at its start, or anywhere, are replaced, inserted or missing."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, min(len(content), HEADER_BYTES)) | st.integers(0, len(content)))
        piece = draw(st.sampled_from(PIECES) | st.binary(min_size=1, max_size=4))
        removed = draw(st.sampled_from((len(piece), len(piece), 0, 1)))
        content = content[:start] + piece + content[start + removed :]
    return content[: draw(st.just(len(content)) | st.integers(0, len(content)))]


def check(content: bytes) -> None:
    signal.alarm(TIME_LIMIT_S)
    try:
        samples = read(content).samples
    except AudioError as error:
        assert str(error).startswith("audio in memory: ") and "\n" not in str(error)
    else:
        assert samples.size and np.isfinite(samples).all()
    signal.alarm(0)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
@hypothesis.settings(
    max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
)
@hypothesis.given(data=st.data())
def test_changed_headers(name: str, data: st.DataObject) -> None:
    check(data.draw(changed(FILES[name])))
