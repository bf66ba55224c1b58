"""Damaged, protected and unusual files that PyAV decodes: complete audio, or an error that names the file."""

import sys
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soxr
from audio_files import encoded
from numpy.testing import assert_array_equal
from test_pyav_reader import RATE_HZ, noise
from video_files import FORMATS, encode_video

from overtone.audio.blocks import blocks, measure_duration
from overtone.audio.decode import from_array, read
from overtone.errors import AudioError

UNDETECTABLE = ("mpegts", "vob")  # a broadcast may end anywhere


@pytest.mark.parametrize(("container", "codec", "_"), [row for row in FORMATS if row[0] not in UNDETECTABLE])
def test_truncated_files(container: str, codec: str, _: int) -> None:
    content = encode_video(container, codec, [noise(0.5)])
    for end in (*(len(content) * tenths // 10 for tenths in range(1, 10)), len(content) - 5):
        with pytest.raises(AudioError):
            read(content[:end])


@pytest.mark.parametrize(
    ("container", "codec"), [("mp4", "aac"), ("webm", "libopus"), ("mpegts", "aac"), ("avi", "mp3")]
)
def test_flipped_bytes_give_audio_or_an_audio_error(
    container: str, codec: str, rng: np.random.Generator, capfd: pytest.CaptureFixture[str]
) -> None:
    original = encode_video(container, codec, [noise(0.4)], video_frames=4)
    for trial in range(60):
        content = bytearray(original)
        for position in rng.integers(0, len(content) if trial % 2 else 1_500, 4):
            content[position] = rng.integers(256)
        try:
            assert np.isfinite(read(bytes(content), max_duration_s=600).samples).all()
        except AudioError as error:
            assert str(error).startswith("audio in memory: ")
    assert capfd.readouterr() == ("", ""), "FFmpeg must not print"


def test_random_bytes(rng: np.random.Generator) -> None:
    headers = (
        b"\0\0\0 ftypM4A ",
        b"\x1aE\xdf\xa3",
        b"0&\xb2u\x8ef\xcf\x11",
        b"RIFF\0\0\0\0AVI ",
        b"\xff\xf1",
        b"#!AMR\n",
    )
    for header in (*headers, b"FLV\x01", b"\0\0\x01\xba", b"ID3\x04\0\0\0\0\0\0\xff\xf1"):
        for size in (0, 20, 3_000):
            with pytest.raises(AudioError, match=r"^audio in memory: "):
                read(header + rng.bytes(size))


@pytest.mark.parametrize("text", ["#EXTM3U\n#EXTINF:1,\n{}\n", "ffconcat version 1.0\nfile '{}'\n"])
def test_playlists_are_not_followed(text: str, tmp_path: Path) -> None:
    (tmp_path / "audio.m4a").write_bytes(encode_video("ipod", "aac", [noise()]))
    (tmp_path / "list.m4a").write_text(text.format(tmp_path / "audio.m4a"))
    with pytest.raises(AudioError, match=r"list\.m4a: not a readable audio file"):
        read(tmp_path / "list.m4a")


def test_a_protected_track() -> None:
    content = encode_video("ipod", "aac", [noise()])
    assert content.count(b"mp4a") == 1
    with pytest.raises(AudioError, match="its audio is copy-protected"):
        read(content.replace(b"mp4a", b"drms"))


def test_an_unknown_codec() -> None:
    with pytest.raises(AudioError, match="its audio codec is unknown to FFmpeg"):
        read(encode_video("matroska", "flac", [noise()]).replace(b"A_FLAC", b"A_ZZZZ"))


def test_a_rate_that_changes_and_channels_that_change() -> None:
    first = encode_video("adts", "aac", [noise()])
    stereo = read(first + encode_video("adts", "aac", [noise(channels=2)]))
    assert stereo.duration_s == pytest.approx(2, abs=0.1)
    with pytest.raises(AudioError, match="changes from 48000 to 24000 samples per second; convert it first"):
        read(first + encode_video("adts", "aac", [noise()[::2]], 24_000))


def test_aac_after_an_id3_tag() -> None:
    content = encode_video("adts", "aac", [noise()])
    tagged = b"ID3\x04\0\0" + bytes([0, 0, 0, 20]) + bytes(20) + content
    assert_array_equal(read(tagged).samples, read(content).samples)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 96_000])
def test_every_rate(rate_hz: int) -> None:
    audio = soxr.resample(noise(), RATE_HZ, rate_hz)
    waveform = read(encode_video("matroska", "pcm_f32le", [audio], rate_hz))
    assert np.abs(waveform.samples - from_array(audio, rate_hz).samples).max() < 1e-6


def test_rates_outside_the_range() -> None:
    with pytest.raises(AudioError, match="4000 samples per second is outside 8000 to 192000 Hz"):
        read(encode_video("matroska", "pcm_s16le", [noise()], 4_000))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for minutes in (1, 4):
        path = tmp_path / f"{minutes}.mka"
        path.write_bytes(encode_video("matroska", "flac", [np.tile(noise(2), 30 * minutes)]))
        tracemalloc.start()
        assert sum(len(block) for block in blocks(path)) == 960_000 * minutes
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


@pytest.mark.parametrize(
    ("name", "module", "expected"),
    [("missing", None, "needs PyAV, which is not installed"), ("old", SimpleNamespace(__version__="14.0.1"), "14.0.1")],
)
def test_without_pyav_the_error_says_what_to_install(
    name: str, module: object, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"{name}.m4a"
    path.write_bytes(encode_video("ipod", "aac", [noise()]))
    monkeypatch.setitem(sys.modules, "av", module)
    for function in (read, measure_duration, lambda source: list(blocks(source))):
        with pytest.raises(AudioError, match=rf"{name}\.m4a: MP4, M4A or MOV .*pip install 'av>=") as caught:
            function(path)
        assert expected in str(caught.value)
    assert len(read(encoded(np.zeros(1_600), 16_000)).samples) == 1_600, "libsndfile still decodes the others"
