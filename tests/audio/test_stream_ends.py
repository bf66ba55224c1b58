"""Other content behind a stream that declares no length is found or refused, and never silently left out."""

import io
import struct

import numpy as np
import pytest
from test_consecutive import check_whole, check_whole_or_error, encoded, noise
from video_files import av, encode_video

from overtone.audio.decode import read
from overtone.audio.mpeg_layer_2 import _frame_at
from overtone.audio.stream_ends import program_end, transport_end
from overtone.errors import AudioError

RATE_HZ = 48_000
SLACK_S = 0.09


def video(container: str, codec: str, seconds: float = 1.0, **options: str) -> bytes:
    return encode_video(container, codec, [noise(seconds, RATE_HZ)], RATE_HZ, options=options)


def without_length(avi: bytes) -> bytes:
    return avi[:4] + bytes(4) + avi[8:]


STREAMS = {
    "AAC": video("adts", "aac"),
    "transport stream": video("mpegts", "aac"),
    "Blu-ray transport stream": video("mpegts", "aac", mpegts_m2ts_mode="1"),
    "program stream": video("vob", "mp2"),
    "MPEG-1 program stream": video("mpeg", "mp2"),
    "MPEG layer II": video("mp2", "mp2"),
    "live WebM": video("webm", "libopus", live="1"),
    "live Matroska": video("matroska", "aac", live="1"),
    "AVI without a length": without_length(video("avi", "pcm_s16le")),
    "fragmented MP4": video("mp4", "aac", movflags="empty_moov+frag_keyframe"),
    "FLAC": encoded("FLAC", "PCM_16", rate_hz=RATE_HZ),
}
FOLLOWING = {
    "WAV": encoded("WAV", "PCM_16", seconds=0.5, rate_hz=RATE_HZ),
    "FLAC": encoded("FLAC", "PCM_16", seconds=0.5, rate_hz=RATE_HZ),
    "Ogg": encoded("OGG", "VORBIS", seconds=0.5, rate_hz=RATE_HZ),
    "MP3": encoded("MP3", "MPEG_LAYER_III", seconds=0.5, rate_hz=RATE_HZ),
    "M4A": video("ipod", "aac", 0.5),
    "WebM": video("webm", "libopus", 0.5),
    "AAC": video("adts", "aac", 0.5),
    "transport stream": video("mpegts", "aac", 0.5),
}
DECODED_BEHIND = ("WAV", "FLAC", "Ogg")  # any stream but MP4
streams = pytest.mark.parametrize("name", STREAMS)


@streams
def test_the_stream_alone_and_with_zeros(name: str) -> None:
    check_whole(STREAMS[name], 1, SLACK_S)
    try:
        check_whole(STREAMS[name] + bytes(3_000), 1, SLACK_S)
    except AudioError:
        assert name == "transport stream" or "MPEG" in name or "Blu-ray" in name


@streams
@pytest.mark.parametrize("following", FOLLOWING)
def test_another_recording_behind(name: str, following: str) -> None:
    content = STREAMS[name] + FOLLOWING[following]
    if following in DECODED_BEHIND and "MP4" not in name and name != "FLAC":
        check_whole(content, 1.5, SLACK_S)
    else:
        check_whole_or_error(content, 1.5, SLACK_S)


@streams
def test_unknown_content_behind(name: str) -> None:
    with pytest.raises(AudioError):
        read(STREAMS[name] + np.random.default_rng(0).bytes(5_000))


@pytest.mark.parametrize("container", ["ipod", "webm", "adts", "mpegts"])
def test_unknown_content_in_front_of_an_mp3(container: str) -> None:
    """MP3 decoders skip what they do not know, such as a recording in a format without a signature."""
    mp3 = encoded("MP3", "MPEG_LAYER_III", seconds=0.5)
    with pytest.raises(AudioError):
        read(b"\x0bw" + video(container, "libopus" if container == "webm" else "aac") + mp3)


def test_damage_in_the_middle_of_a_broadcast_is_part_of_it() -> None:
    damage = np.random.default_rng(0).bytes(700)
    transport, program = STREAMS["transport stream"], STREAMS["program stream"]
    damaged = transport[: 188 * 20] + damage + transport[188 * 20 :]
    assert transport_end(damaged, 0, len(damaged)) == len(damaged)
    second_pack = program.index(b"\0\0\1\xba", 2_048)
    damaged = program[:second_pack] + damage + program[second_pack:]
    assert program_end(damaged, 0, len(damaged)) == len(damaged)


def test_an_mp4_that_ends_inside_the_header_of_a_box() -> None:
    content = video("mp4", "aac", movflags="empty_moov+frag_every_frame")
    fragment = content.rindex(b"moof") - 4
    with pytest.raises(AudioError, match="its last box is incomplete"):
        read(content[: fragment + 5])


def test_a_truncated_mp2_and_one_of_a_variable_bit_rate() -> None:
    content = STREAMS["MPEG layer II"]
    with pytest.raises(AudioError, match="truncated: its last MPEG frame is incomplete"):
        read(content[:-10])
    faster = encode_video("mp2", "mp2", [np.tile(noise(1, RATE_HZ)[:, None], 2)], RATE_HZ)
    with pytest.raises(AudioError, match="variable bit rate"):
        read(content + faster)


def test_avi_whose_audio_starts_late() -> None:
    """The header of its stream says when; an AVI without it starts at 0, whatever its program was asked for."""
    content = bytearray(encode_video("avi", "pcm_s16le", [noise(1, RATE_HZ)], RATE_HZ, video_frames=30))
    struct.pack_into("<I", content, content.index(b"auds") + 28, 2 * RATE_HZ)
    samples = read(bytes(content)).samples
    assert len(samples) / 16_000 == pytest.approx(3, abs=SLACK_S)
    assert not samples[:30_000].any() and samples[-8_000:].any()


@pytest.mark.parametrize("container", ["WAV", "AIFF", "FLAC", "OGG", "AU", "CAF", "W64", "RF64"])
@pytest.mark.parametrize("tag_bytes", [22, 20_000])
def test_an_id3_tag_in_front(container: str, tag_bytes: int) -> None:
    content = encoded(container, "VORBIS" if container == "OGG" else "PCM_16")
    tag = b"ID3\x04\0\0\0" + bytes([tag_bytes >> 14, tag_bytes >> 7 & 0x7F, tag_bytes & 0x7F]) + bytes(tag_bytes)
    np.testing.assert_array_equal(read(tag + content).samples, read(content).samples)
    check_whole(tag + content + tag + content, 2)


def test_an_id3_tag_with_a_footer() -> None:
    content = encoded("MP3", "MPEG_LAYER_III")
    tag = b"ID3\x04\0\x10\0\0\0\x20" + bytes(32) + b"3DI\x04\0\x10\0\0\0\x20"
    np.testing.assert_array_equal(read(tag + content).samples, read(content).samples)


def test_bw64() -> None:
    content = encoded("RF64", "PCM_16")
    renamed = b"BW64" + content[4:]
    np.testing.assert_array_equal(read(renamed).samples, read(content).samples)
    unknown = renamed[:28] + b"\xff" * 8 + renamed[36:]
    np.testing.assert_array_equal(read(unknown).samples, read(content).samples)
    check_whole(renamed + renamed, 2)


@pytest.mark.parametrize(("rate_hz", "kilobits"), [(22_050, 8), (44_100, 32)])
@pytest.mark.parametrize("is_padded", [False, True])
def test_an_mp2_whose_frames_differ_by_their_padding(rate_hz: int, kilobits: int, is_padded: bool) -> None:
    """The decoder estimates their number from the first one, which may be either, as broadcasts are cut anywhere."""
    seconds = 30.0
    content = encode_layer_2(noise(seconds, rate_hz), rate_hz, kilobits)
    while (frame := _frame_at(content, 0)) and bool(frame[1]) != is_padded:
        content, seconds = content[sum(frame) :], seconds - 1_152 / rate_hz
    check_whole(content, seconds, SLACK_S)
    with pytest.raises(AudioError, match="truncated"):
        read(content[:-10])


def encode_layer_2(samples: np.ndarray, rate_hz: int, kilobits: int) -> bytes:
    content = io.BytesIO()
    with av.open(content, "w", format="mp2") as container:
        stream = container.add_stream("mp2", rate=rate_hz, layout="mono")
        stream.bit_rate = 1_000 * kilobits
        frame = av.AudioFrame.from_ndarray(np.int16(32_767 * samples)[None], "s16", "mono")
        frame.sample_rate = rate_hz
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return content.getvalue()
