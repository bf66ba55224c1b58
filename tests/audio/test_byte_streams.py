"""A spliced stream reads as the file that it describes would."""

import functools
import io
import os
from pathlib import Path

from overtone.audio.byte_streams import SafeBytesIO, SplicedStream, mapped


def test_a_spliced_stream_reads_as_one() -> None:
    inner = b"ID3 and then the sound"
    for end in (None, 15):
        spliced = SplicedStream(b"tag:", io.BytesIO(inner), 4, end)
        expected = io.BytesIO(b"tag:" + inner[4:end])
        for offset, whence in (
            (0, os.SEEK_SET),
            (2, os.SEEK_SET),
            (-3, os.SEEK_END),
            (1, os.SEEK_CUR),
            (99, os.SEEK_SET),
        ):
            assert spliced.seek(offset, whence) == expected.seek(offset, whence)
            assert b"".join(iter(functools.partial(spliced.read, 3), b"")) == expected.read()
        before = spliced.tell()
        assert spliced.seek(-1) == before
        assert spliced.readable() and spliced.seekable()
        spliced.seek(0)
        assert spliced.readall() == b"tag:" + inner[4:end]


def test_a_part_of_a_part(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with path.open("rb", buffering=0) as file:
        for stream in (file, SafeBytesIO(b"0123456789")):
            part = SplicedStream(b"", SplicedStream(b"", stream, 2, 8), 1, 4)
            assert part.readall() == b"345"
            with mapped(part) as (content, begin, end):
                assert content[begin:end] == b"345"
            with mapped(stream) as (content, begin, end):
                assert content[begin:end] == b"0123456789"
