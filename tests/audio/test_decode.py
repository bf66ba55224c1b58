"""Decoding: every format, rate and channel count, intervals, arrays, and invalid sources."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from audio_files import FORMATS, TONE_HZ, encoded, tone

from overtone.audio.decode import SAMPLE_RATE_HZ, from_array, read
from overtone.errors import AudioError, OptionError

RATES_HZ = (8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000)
RATES_OF = {
    "OPUS": (8_000, 16_000, 48_000),
    "MPEG_LAYER_III": (8_000, 11_025, 16_000, 22_050, 44_100, 48_000),
}


def level_db(samples: np.ndarray, hz: float) -> float:
    """Return the level of one frequency in the middle of audio at 16 kHz, 0 dB for a sine of full scale."""
    middle = samples[len(samples) // 4 : 3 * len(samples) // 4].astype(float)
    window = np.hanning(len(middle))
    phasor = np.exp(-2j * np.pi * hz * np.arange(len(middle)) / SAMPLE_RATE_HZ)
    return 20 * np.log10(2 * np.abs((middle * window * phasor).sum()) / window.sum() + 1e-12)


def peak_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 2**16))
    return float(np.argmax(spectrum) * SAMPLE_RATE_HZ / 2**16)


MATRIX = [
    (container, subtype, rate_hz, channels)
    for container, subtype in FORMATS
    for rate_hz in RATES_OF.get(subtype, RATES_HZ)
    for channels in (1, 2, 7)
    if not (subtype == "MPEG_LAYER_III" and channels > 2)
]


@pytest.mark.parametrize(("container", "subtype", "rate_hz", "channels"), MATRIX)
def test_every_format_rate_and_channel_count(container: str, subtype: str, rate_hz: int, channels: int) -> None:
    waveform = read(encoded(tone(rate_hz, channels=channels), rate_hz, container, subtype))
    assert waveform.samples.dtype == np.float32
    assert waveform.duration_s == pytest.approx(0.5, abs=0.01)
    assert peak_hz(waveform.samples) == pytest.approx(TONE_HZ, abs=1)
    assert level_db(waveform.samples, TONE_HZ) == pytest.approx(
        20 * np.log10(0.5), abs=1.5 if (subtype, channels) == ("OPUS", 7) else 0.4
    )


@pytest.mark.parametrize("rate_hz", [22_050, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("hz", [8_500.0, 9_600.0])
def test_tones_above_8_khz_leave_no_alias(rate_hz: int, hz: float) -> None:
    waveform = read(encoded(tone(rate_hz, hz=hz), rate_hz, subtype="FLOAT"))
    alias_hz = SAMPLE_RATE_HZ - hz
    assert level_db(tone(SAMPLE_RATE_HZ, hz=alias_hz), alias_hz) > -7  # the measure detects such a tone
    assert level_db(waveform.samples, alias_hz) < -60
    assert np.abs(waveform.samples[2_000:-2_000]).max() < 10 ** (-60 / 20)


def test_mono_at_16_khz_is_decoded_bit_for_bit(rng: np.random.Generator) -> None:
    samples = rng.uniform(-1, 1, 4_000).astype(np.float32)
    assert np.array_equal(read(encoded(samples, SAMPLE_RATE_HZ, subtype="FLOAT")).samples, samples)
    integers = rng.integers(-(2**15), 2**15, 4_000, dtype=np.int16)
    expected = (integers / 2**15).astype(np.float32)
    assert np.array_equal(read(encoded(integers, SAMPLE_RATE_HZ)).samples, expected)
    assert np.array_equal(read(encoded(integers, SAMPLE_RATE_HZ, "FLAC")).samples, expected)
    assert np.array_equal(from_array(integers, SAMPLE_RATE_HZ).samples, expected)
    assert np.array_equal(from_array(samples, SAMPLE_RATE_HZ).samples, samples)


def test_channels_are_averaged(rng: np.random.Generator) -> None:
    frames = rng.uniform(-1, 1, (3_000, 3)).astype(np.float32)
    expected = frames.mean(axis=1)
    assert np.allclose(read(encoded(frames, SAMPLE_RATE_HZ, subtype="FLOAT")).samples, expected, atol=1e-7)
    assert np.allclose(from_array(frames, SAMPLE_RATE_HZ).samples, expected, atol=1e-7)


@pytest.mark.parametrize(("container", "subtype"), FORMATS)
def test_path_bytes_and_file_object_give_the_same(tmp_path: Path, container: str, subtype: str) -> None:
    content = encoded(tone(48_000, channels=2), 48_000, container, subtype)
    path = tmp_path / "töne 声.raw"  # the misleading suffix must not matter
    path.write_bytes(content)
    samples = read(path).samples
    assert np.array_equal(samples, read(content).samples)
    assert np.array_equal(samples, read(str(path)).samples)
    assert np.array_equal(samples, read(memoryview(content)).samples)
    with path.open("rb") as file:
        assert np.array_equal(samples, read(file).samples)
        assert not file.closed


@pytest.mark.parametrize(("container", "subtype"), FORMATS)
def test_an_interval_equals_a_slice_of_the_file(tmp_path: Path, container: str, subtype: str) -> None:
    rate_hz = 16_000
    noise = soxr.resample(np.random.default_rng(3).uniform(-0.5, 0.5, 24_000), 8_000, rate_hz)
    path = tmp_path / "talk"
    path.write_bytes(encoded(noise, rate_hz, container, subtype))
    whole = read(path).samples
    interval = read(path, start_s=1.25, end_s=1.75)
    assert interval.duration_s == pytest.approx(0.5)
    atol = 5e-3 if subtype == "OPUS" else 1e-6  # the state of an Opus decoder needs 80 ms to converge
    assert np.allclose(interval.samples, whole[20_000:28_000], atol=atol)
    assert np.allclose(read(path, start_s=1.25).samples, whole[20_000:], atol=atol)
    assert len(read(path, end_s=3.05).samples) == len(whole)  # segment tables round their times


def test_only_the_requested_interval_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded(tone(16_000, seconds=20), 16_000, "FLAC")
    decoded = []
    original = soundfile.SoundFile.read

    def count_frames(self, frames=-1, **options):
        decoded.append(frames)
        return original(self, frames, **options)

    monkeypatch.setattr(soundfile.SoundFile, "read", count_frames)
    read(content, start_s=10, end_s=11)
    assert sum(decoded) == 16_000


def test_an_interval_longer_than_the_limit_is_refused() -> None:
    content = encoded(tone(16_000, 2), 16_000)
    assert read(content, max_duration_s=2).duration_s == 2
    assert read(content, start_s=1, max_duration_s=1).duration_s == 1
    message = r"^audio in memory: 2 s of audio are more than 1 s; shorten it, or request its timeline$"
    with pytest.raises(AudioError, match=message):
        read(content, max_duration_s=1)


@pytest.mark.parametrize("rate_hz", ["16000", None, [16_000]])
def test_a_rate_that_is_not_a_number(rate_hz: object) -> None:
    with pytest.raises(OptionError, match=r"^rate_hz: expected samples per second"):
        from_array(tone(16_000), rate_hz)


@pytest.mark.parametrize(
    ("start_s", "end_s"), [(-1, None), (2, None), (0.5, 0.5), (0.4, 0.2), (0, 3), (float("nan"), 1)]
)
def test_intervals_outside_the_file(start_s: float, end_s: float | None) -> None:
    with pytest.raises(AudioError, match=r"no interval .* in 1\.000 s"):
        read(encoded(tone(16_000, 1), 16_000), start_s=start_s, end_s=end_s)


@pytest.mark.parametrize(
    ("dtype", "zero", "top"), [("int8", 0, 2**7), ("int16", 0, 2**15), ("int32", 0, 2**31), ("uint8", 128, 2**7)]
)
def test_integers_are_scaled(dtype: str, zero: int, top: int) -> None:
    samples = np.array([zero - top, zero, zero + top // 2], dtype)
    assert from_array(samples, SAMPLE_RATE_HZ).samples.tolist() == [-1.0, 0.0, 0.5]


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(0), "no samples"),
        (np.zeros((0, 2)), "no samples"),
        (np.zeros((5, 0)), "no samples"),
        (np.float32(1), "shape"),
        (np.zeros((2, 3, 4)), "shape"),
        (np.zeros((2, 4_000)), "transpose"),
        (np.zeros(9, complex), "complex128"),
        (np.zeros(9, bool), "bool"),
        (np.zeros(9, np.int64), "int64"),
        (np.array(["a"]), "<U1"),
        (np.array([0, np.nan]), "not finite"),
        (np.array([0, np.inf], np.float32), "not finite"),
        (np.array([[np.inf, -np.inf]]), "not finite"),
        (np.array([0, 1e300]), "full scale"),
        (np.array([12_000.0, 3.0]), "32768"),
    ],
)
def test_arrays_that_are_not_audio(samples: np.ndarray, message: str) -> None:
    with pytest.raises(AudioError, match=f"^mic: .*{message}"):
        from_array(samples, SAMPLE_RATE_HZ, source="mic")


@pytest.mark.parametrize("rate_hz", [0, -1, 7_999, 192_001, float("nan"), float("inf")])
def test_rates_outside_the_range(rate_hz: float) -> None:
    with pytest.raises(AudioError, match="8000 to 192000 Hz"):
        from_array(np.zeros(100), rate_hz)


@pytest.mark.parametrize("rate_hz", [1, 4_000, 400_000])
def test_files_with_rates_outside_the_range(rate_hz: int) -> None:
    with pytest.raises(AudioError, match="8000 to 192000 Hz"):
        read(encoded(np.zeros(100), rate_hz))


def test_one_sample_gives_audio_or_an_error_but_never_nothing() -> None:
    assert len(read(encoded(np.ones(1) / 2, 16_000)).samples) == 1
    with pytest.raises(AudioError, match="no samples"):
        read(encoded(np.ones(1) / 2, 48_000))


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_files_with_samples_that_are_not_finite(subtype: str, value: float) -> None:
    samples = tone(16_000)
    samples[77] = value
    with pytest.raises(AudioError, match="not finite"):
        read(encoded(samples, 16_000, subtype=subtype))


def test_paths_that_are_not_files(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"gone\.wav: no such file"):
        read(tmp_path / "gone.wav")
    with pytest.raises(AudioError, match="is a folder"):
        read(tmp_path)
    with pytest.raises(AudioError, match="cannot be read"):
        read("nul\0.wav")
    with pytest.raises(AudioError, match="cannot be read"):
        read("x" * 5_000)
    with pytest.raises(AudioError, match="not a regular file"):
        read("/dev/null")


def test_sources_that_are_not_audio() -> None:
    with pytest.raises(AudioError, match="got int"):
        read(5)  # type: ignore[arg-type]
    with pytest.raises(AudioError, match="binary mode"):
        read(io.StringIO("text"))  # type: ignore[arg-type]


@pytest.mark.skipif(os.name != "posix", reason="permissions and pipes of POSIX")
def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.wav"
    path.write_bytes(encoded(tone(16_000), 16_000))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # root may read any file, so its mode would not matter
    with pytest.raises(AudioError, match=r"secret\.wav: no permission"):
        read(path)


@pytest.mark.skipif(os.name != "posix", reason="permissions and pipes of POSIX")
def test_a_named_pipe(tmp_path: Path) -> None:
    path, content = tmp_path / "pipe", encoded(tone(16_000), 16_000)
    os.mkfifo(path)
    if os.fork() == 0:
        path.write_bytes(content)
        os._exit(0)
    assert np.array_equal(read(path).samples, read(content).samples)
    os.wait()


def test_real_stereo_and_mono_files(ravdess_folder: Path) -> None:
    for name in ("Actor_01/03-01-02-01-01-02-01", "Actor_20/03-01-03-01-02-01-20", "Actor_05/03-01-02-01-02-02-05"):
        path = ravdess_folder / f"{name}.flac"
        stored, rate_hz = soundfile.read(path, always_2d=True)
        waveform = read(path)
        assert rate_hz == 48_000
        assert len(waveform.samples) == round(len(stored) / 3)
        expected = soxr.resample(stored.mean(axis=1), rate_hz, SAMPLE_RATE_HZ)
        assert np.abs(waveform.samples - expected).max() < 1e-5
