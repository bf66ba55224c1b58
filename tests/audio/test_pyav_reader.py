"""Containers and films through PyAV: the same sound as from WAV, in the right place, and nothing that is not there."""

import io
import sys
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soxr
from audio_files import encoded
from films import FORMS, LOSSLESS, av, film
from numpy.testing import assert_array_equal

from overtone.audio import decode as reading
from overtone.audio.blocks import blocks, measure_duration
from overtone.audio.decode import from_array, read
from overtone.errors import AudioError

RATE_HZ = 48_000


def noise(seconds: float = 1.0, channels: int = 1, seed: int = 3) -> np.ndarray:
    """Noise below 4 kHz that swells from nothing and fades to nothing, at 48 kHz."""
    rng = np.random.default_rng(seed)
    columns = [soxr.resample(rng.uniform(-0.5, 0.5, round(8_000 * seconds)), 8_000, RATE_HZ) for _ in range(channels)]
    swelling = [column * np.hanning(len(column)) for column in columns]
    return (swelling[0] if channels == 1 else np.stack(swelling, axis=1)).astype(np.float32)


def lag(samples: np.ndarray, original: np.ndarray) -> int:
    """How many samples later the sound comes than the original."""
    size = 2 ** int(np.ceil(np.log2(len(samples) + len(original))))
    likeness = np.fft.irfft(np.fft.rfft(samples, size) * np.conj(np.fft.rfft(original, size)), size)
    best = int(np.argmax(likeness))
    return best - size * (best > size // 2)


def loud_from(samples: np.ndarray) -> int:
    return int(np.flatnonzero(np.abs(samples) > 0.02)[0])


@pytest.mark.parametrize(("form", "codec", "unknown"), FORMS)
@pytest.mark.parametrize("pictures", [0, 20])
def test_the_sound_is_that_of_the_original(form: str, codec: str, unknown: int, pictures: int) -> None:
    if pictures and form in ("adts", "3gp", "ipod"):
        pytest.skip("sound alone")
    sound = noise(1.2)
    waveform = read(film(form, codec, [sound], pictures=pictures or 5 * (form == "vob")))
    original = from_array(sound, RATE_HZ).samples
    assert abs(lag(waveform.samples, original)) <= unknown
    assert abs(len(waveform.samples) - len(original)) <= unknown
    assert np.abs(waveform.samples).max() == pytest.approx(np.abs(original).max(), rel=0.3)
    if codec in LOSSLESS:
        assert np.abs(waveform.samples - original).max() < 2e-4


def test_integers_come_as_they_come_from_wav() -> None:
    sound = noise(channels=2)
    for codec, depth in (("pcm_s16le", "PCM_16"), ("pcm_f32le", "FLOAT"), ("pcm_u8", "PCM_U8")):
        ours = read(film("matroska", codec, [sound])).samples
        whole = encoded(sound, RATE_HZ, "WAV", depth)
        assert np.abs(ours - read(whole).samples).max() < (1e-4 if depth != "PCM_U8" else 1.1e-2)


def test_more_channels_are_averaged() -> None:
    sound = noise(0.5, channels=6)
    surround = read(film("matroska", "pcm_f32le", [sound])).samples
    assert np.abs(surround - from_array(sound, RATE_HZ).samples).max() < 1e-6


@pytest.mark.parametrize(
    ("form", "codec"), [("mp4", "aac"), ("webm", "libopus"), ("adts", "aac"), ("avi", "pcm_s16le")]
)
def test_path_bytes_file_object_and_blocks_give_the_same(
    form: str, codec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = film(form, codec, [noise(2, channels=2)])
    path = tmp_path / "töne 声.wav"  # a name that lies about its content must not matter
    path.write_bytes(content)
    samples = read(path).samples
    assert_array_equal(samples, read(content).samples)
    assert_array_equal(samples, read(io.BytesIO(content)).samples)
    monkeypatch.setattr(reading, "BLOCK_SAMPLES", 5_000)
    parts = list(blocks(path))
    assert len(parts) > 10 and {part.dtype for part in parts} == {np.dtype(np.float32)}
    assert_array_equal(np.concatenate(parts), samples)
    assert measure_duration(path) == pytest.approx(2, abs=0.05)


# Form, codec, and by how many samples a stretch may be beside its place: some containers count in milliseconds.
STRETCHES = [
    *(("mp4", "aac", 0), ("ipod", "alac", 0), ("matroska", "flac", 0), ("matroska", "aac", 8), ("webm", "libopus", 8)),
    *(("adts", "aac", 0), ("flv", "aac", 0), ("mpegts", "aac", 0), ("vob", "mp2", 0), ("avi", "mp3", 0)),
    ("asf", "wmav2", 0),
]


@pytest.mark.parametrize(("form", "codec", "off"), STRETCHES)
def test_a_stretch_is_the_same_as_cutting_the_whole(form: str, codec: str, off: int) -> None:
    content = film(form, codec, [noise(14)], pictures=5 * (form == "vob"))
    whole = read(content).samples
    for start_s, end_s in ((1.25, 1.75), (12.5, 13.0)):
        stretch = read(content, start_s=start_s, end_s=end_s).samples
        assert len(stretch) == 8_000
        expected = whole[round(16_000 * start_s) : round(16_000 * end_s)]
        assert abs(lag(stretch, expected)) <= off
        if not off:
            assert np.abs(stretch - expected)[50:-50].max() < 1e-3  # where it is cut, the resampler hears a click
    assert len(read(content, start_s=12.5).samples) == pytest.approx(len(whole) - 200_000, abs=off)
    with pytest.raises(AudioError, match=r"no stretch from 15\.0 s to"):
        read(content, start_s=15.0)


def test_a_stretch_that_reaches_beyond_the_sound() -> None:
    content = film("matroska", "flac", [noise(1)], pictures=50)
    with pytest.raises(AudioError, match="truncated or damaged: 192000 samples promised, 48000 found"):
        read(content, start_s=0.0, end_s=4.0)


@pytest.mark.parametrize(("form", "codec"), [("mp4", "aac"), ("matroska", "flac"), ("webm", "libopus")])
def test_sound_that_begins_later_than_the_film(form: str, codec: str) -> None:
    sound = noise()
    late = read(film(form, codec, [sound], pictures=20, delay_s=0.5)).samples
    original = from_array(sound, RATE_HZ).samples
    assert lag(late, original) == pytest.approx(8_000, abs=20)
    assert np.abs(late[:7_900]).max() < 1e-3


@pytest.mark.parametrize(("form", "codec"), [("mp4", "aac"), ("matroska", "flac"), ("webm", "libopus")])
def test_a_gap_is_silence(form: str, codec: str) -> None:
    sound = noise()
    gapped = read(film(form, codec, [sound], gap_s=0.5)).samples
    assert len(gapped) == pytest.approx(16_000 + 8_000, abs=20)
    assert np.abs(gapped[9_000:15_000]).max() < 1e-3
    assert loud_from(gapped) == loud_from(from_array(sound, RATE_HZ).samples)


def test_the_default_track_is_heard_else_the_first() -> None:
    tracks = [noise(seed=seed) for seed in (1, 2, 3)]
    originals = [from_array(track, RATE_HZ).samples for track in tracks]
    for default, chosen in ((None, 0), (1, 1), (2, 2)):
        heard = read(film("matroska", "flac", tracks, default=default, pictures=20)).samples
        assert np.abs(heard - originals[chosen]).max() < 1e-4


def test_a_track_may_be_shorter_than_others() -> None:
    short = read(film("matroska", "flac", [noise(1), noise(3)]))
    assert short.duration_s == 1


def test_without_a_track_of_sound() -> None:
    for form, words in (("mp4", "MP4, M4A or MOV"), ("webm", "WebM or Matroska"), ("avi", "AVI")):
        with pytest.raises(AudioError, match=rf"^sound in memory: {words} without a track of sound$"):
            read(film(form, "aac", [], pictures=10))


def test_a_track_without_sound() -> None:
    with pytest.raises(AudioError, match=r"^sound in memory: "):
        read(film("mov", "pcm_s16le", [noise(1)[:0]], pictures=10))


def test_pictures_are_never_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = film("mp4", "aac", [noise()], pictures=20)
    opened = av.open
    seen = []

    def looking(*arguments, **options):
        container = opened(*arguments, **options)
        seen.append(container)
        return container

    monkeypatch.setattr(av, "open", looking)
    read(content)
    names = seen[0].container_options["codec_whitelist"].split(",")
    assert "aac" in names and "opus" in names
    assert not {"mpeg4", "h264", "hevc", "png", "mjpeg", "gif"} & set(names)


def test_fragments_have_a_length_too() -> None:
    sound = noise(3)
    content = film("mp4", "aac", [sound], options={"movflags": "empty_moov+frag_every_frame"})
    assert b"moof" in content
    assert measure_duration(content) == pytest.approx(3, abs=0.05)
    live = film("webm", "libopus", [sound], options={"live": "1"})
    assert measure_duration(live) == pytest.approx(3, abs=0.05)
    assert len(read(live, start_s=1.0, end_s=2.0).samples) == 16_000


@pytest.mark.parametrize(("form", "codec"), [("mp4", "aac"), ("adts", "aac"), ("webm", "libopus")])
def test_too_long_is_refused_before_it_is_decoded(form: str, codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = film(form, codec, [noise(3)])
    assert read(content, longest_s=3.1).duration_s == pytest.approx(3, abs=0.05)
    monkeypatch.setattr(reading, "mono_blocks", None)
    with pytest.raises(AudioError, match=r"^sound in memory: 3 s of sound are more than 2 s; cut it"):
        read(content, longest_s=2)


def test_what_is_longer_than_it_says_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    content = film("matroska", "flac", [noise(6)])
    honest = content.index(b"\x44\x89\x88") + 3  # Duration, a float64 in milliseconds
    lying = content[:honest] + np.array(1_000.0, ">f8").tobytes() + content[honest + 8 :]
    assert len(read(lying).samples) == 6 * 16_000
    with pytest.raises(AudioError, match=r"2 s of sound are more than 2 s"):
        read(lying, longest_s=2)


def test_what_is_shorter_than_it_says() -> None:
    content = film("matroska", "flac", [noise(1)])
    honest = content.index(b"\x44\x89\x88") + 3
    lying = content[:honest] + np.array(60_000.0, ">f8").tobytes() + content[honest + 8 :]
    with pytest.raises(AudioError, match=r"truncated or damaged: 2880000 samples promised, 48000 found"):
        read(lying)
    with pytest.raises(AudioError, match=r"truncated or damaged: 2880000 samples promised, 48000 found"):
        list(blocks(lying))


NOBODY_WOULD_NOTICE = ("mpegts", "vob")  # a broadcast may end anywhere


@pytest.mark.parametrize(("form", "codec", "_"), [row for row in FORMS if row[0] not in NOBODY_WOULD_NOTICE])
def test_truncated_files(form: str, codec: str, _: int) -> None:
    content = film(form, codec, [noise(0.5)])
    for end in (*(len(content) * tenths // 10 for tenths in range(1, 10)), len(content) - 5):
        with pytest.raises(AudioError):
            read(content[:end])


@pytest.mark.parametrize(("form", "codec"), [("mp4", "aac"), ("webm", "libopus"), ("mpegts", "aac"), ("avi", "mp3")])
def test_flipped_bytes_end_in_sound_or_an_audio_error(
    form: str, codec: str, rng: np.random.Generator, capfd: pytest.CaptureFixture[str]
) -> None:
    original = film(form, codec, [noise(0.4)], pictures=4)
    for trial in range(60):
        content = bytearray(original)
        for position in rng.integers(0, len(content) if trial % 2 else 1_500, 4):
            content[position] = rng.integers(256)
        try:
            assert np.isfinite(read(bytes(content), longest_s=600).samples).all()
        except AudioError as error:
            assert str(error).startswith("sound in memory: ")
    assert capfd.readouterr() == ("", ""), "FFmpeg keeps its thoughts to itself"


def test_random_bytes(rng: np.random.Generator) -> None:
    heads = (
        b"\0\0\0 ftypM4A ",
        b"\x1aE\xdf\xa3",
        b"0&\xb2u\x8ef\xcf\x11",
        b"RIFF\0\0\0\0AVI ",
        b"\xff\xf1",
        b"#!AMR\n",
    )
    for head in (*heads, b"FLV\x01", b"\0\0\x01\xba", b"ID3\x04\0\0\0\0\0\0\xff\xf1"):
        for size in (0, 20, 3_000):
            with pytest.raises(AudioError, match=r"^sound in memory: "):
                read(head + rng.bytes(size))


@pytest.mark.parametrize("text", ["#EXTM3U\n#EXTINF:1,\n{}\n", "ffconcat version 1.0\nfile '{}'\n"])
def test_lists_of_files_are_not_followed(text: str, tmp_path: Path) -> None:
    (tmp_path / "sound.m4a").write_bytes(film("ipod", "aac", [noise()]))
    (tmp_path / "list.m4a").write_text(text.format(tmp_path / "sound.m4a"))
    with pytest.raises(AudioError, match=r"list\.m4a: not a sound that can be read"):
        read(tmp_path / "list.m4a")


def test_a_protected_track() -> None:
    content = film("ipod", "aac", [noise()])
    assert content.count(b"mp4a") == 1
    with pytest.raises(AudioError, match="its sound is protected against copying and cannot be read"):
        read(content.replace(b"mp4a", b"drms"))


def test_a_codec_that_nobody_knows() -> None:
    with pytest.raises(AudioError, match="its sound is of a kind that FFmpeg does not know"):
        read(film("matroska", "flac", [noise()]).replace(b"A_FLAC", b"A_ZZZZ"))


def test_a_rate_that_changes_and_channels_that_change() -> None:
    first = film("adts", "aac", [noise()])
    stereo = read(first + film("adts", "aac", [noise(channels=2)]))
    assert stereo.duration_s == pytest.approx(2, abs=0.1)
    with pytest.raises(AudioError, match="changes from 48000 to 24000 samples per second on its way; convert it first"):
        read(first + film("adts", "aac", [noise()[::2]], 24_000))


def test_aac_behind_an_id3_tag() -> None:
    content = film("adts", "aac", [noise()])
    tagged = b"ID3\x04\0\0" + bytes([0, 0, 0, 20]) + bytes(20) + content
    assert_array_equal(read(tagged).samples, read(content).samples)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 96_000])
def test_every_rate(rate_hz: int) -> None:
    sound = soxr.resample(noise(), RATE_HZ, rate_hz)
    waveform = read(film("matroska", "pcm_f32le", [sound], rate_hz))
    assert np.abs(waveform.samples - from_array(sound, rate_hz).samples).max() < 1e-6


def test_rates_outside_the_range() -> None:
    with pytest.raises(AudioError, match="4000 samples per second is outside 8000 to 192000 Hz"):
        read(film("matroska", "pcm_s16le", [noise()], 4_000))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for minutes in (1, 4):
        path = tmp_path / f"{minutes}.mka"
        path.write_bytes(film("matroska", "flac", [np.tile(noise(2), 30 * minutes)]))
        tracemalloc.start()
        assert sum(len(block) for block in blocks(path)) == 960_000 * minutes
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


@pytest.mark.parametrize(
    ("name", "module", "said"),
    [("missing", None, "needs PyAV, which is not installed"), ("old", SimpleNamespace(__version__="14.0.1"), "14.0.1")],
)
def test_without_pyav_it_says_what_to_install(
    name: str, module: object, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"{name}.m4a"
    path.write_bytes(film("ipod", "aac", [noise()]))
    monkeypatch.setitem(sys.modules, "av", module)
    for ask in (read, measure_duration, lambda source: list(blocks(source))):
        with pytest.raises(AudioError, match=rf"{name}\.m4a: MP4, M4A or MOV .*pip install 'av>=") as caught:
            ask(path)
        assert said in str(caught.value)
    assert len(read(encoded(np.zeros(1_600), 16_000)).samples) == 1_600, "the rest is read all the same"
