"""File, bytes, file object or array -> mono `Waveform` at 16 kHz.

Formats: WAV, FLAC, Ogg (Vorbis, Opus), MP3, AIFF, AU, CAF, W64, RF64; 8 to 32 bit, float, double, u-law,
A-law; any number of channels (their mean is taken); 8 to 192 kHz. With PyAV, M4A, MP4, WebM, AAC, WMA and films too:
see `track`. A sound that is cut short is an error, never a shorter answer: see `container` and `mp3`.

    waveform = read("clip.wav")                       # the whole file
    waveform = read("talk.flac", start_s=60, end_s=65)  # decodes these five seconds only
    waveform = read(request.body)                     # bytes
    waveform = from_array(samples, rate_hz=44_100)    # (samples,) or (samples, channels)
"""

import math
import numbers
from collections.abc import Iterator

import numpy as np
import soxr

from overtone.audio.pyav_reader import PyavReader
from overtone.audio.source import (
    UNKNOWN_FRAMES,
    OpenAudio,
    Source,
    check_not_empty,
    check_sample_rate,
    open_source,
    source_name,
)
from overtone.datatypes import SAMPLE_RATE_HZ, Waveform
from overtone.errors import AudioError, OptionError

AUDIO_SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".w64", ".rf64"}
)

QUALITY = "HQ"  # soxr: 20 bit, pass band to 0.91 of the Nyquist frequency
BLOCK_SAMPLES = 2**20  # decoded at once, over all channels: a header cannot make us ask for more memory than this
MP3_SLACK_FRAMES = 2 * 1152  # encoder delay and padding, told differently by different encoders
END_SLACK_S = 0.1  # tables of segments round their times
STEP_OF_16_BIT = np.float32(2.0**-15)
MAX_AMPLITUDE = 256.0  # full scale is 1; beyond this the numbers are integers that nobody scaled


def read(source: Source, *, start_s: float = 0.0, end_s: float | None = None, longest_s: float = math.inf) -> Waveform:
    """The sound of a file, or a stretch of it, as mono float32 at 16 kHz.

    Args:
        source: path, content as bytes, or an object with `read()` that gives bytes.
        start_s: where the stretch begins, in seconds; only the stretch is decoded.
        end_s: where it ends, in seconds; None for the end of the file.
        longest_s: how long the stretch may be; a longer one is refused before it is decoded.

    Returns:
        `Waveform` with samples `(samples,)`, nominally in [-1, 1]. Mono files at 16 kHz come through bit for bit.

    Raises:
        AudioError: missing, not permitted, a folder, empty, not a sound, truncated, damaged, without samples, not
            finite, outside 8 to 192 kHz, too long, or a stretch outside the file. The message names the file and what
            to do.
    """
    name = source_name(source)
    with open_source(source) as file:
        mono = _stretch(file, name, start_s, end_s, longest_s)
        rate_hz = file.samplerate
    check_samples(mono, name)
    return _waveform(mono, rate_hz, name)


def from_array(samples: np.ndarray, rate_hz: float, *, source: str = "array") -> Waveform:
    """Samples of any kind as mono float32 at 16 kHz.

    Args:
        samples: `(samples,)` or `(samples, channels)`; floats with full scale 1, or integers of 8 to 32 bit, which are
            divided by their full scale (unsigned 8 bit is centred at 128, as in WAV).
        rate_hz: samples per second, 8 000 to 192 000.
        source: a name for messages.

    Raises:
        AudioError: empty, not finite, of a shape or type that is not sound, or a rate outside the range.
        OptionError: a rate that is no number.
    """
    check_is_number(rate_hz)
    check_sample_rate(rate_hz, source)
    check_not_empty(np.size(samples), source)
    return _waveform(to_mono(samples, source), rate_hz, source)


def to_mono(samples: np.ndarray, source: str) -> np.ndarray:
    """Samples of any kind as mono floats at full scale 1, `(samples,)`, at their own rate.

    Args:
        samples: as `from_array` takes them; none at all are fine.
        source: a name for messages.

    Raises:
        AudioError: of a shape or type that is not sound, not finite, or integers that nobody scaled.
    """
    array = np.asarray(samples)
    if array.ndim not in (1, 2):
        raise AudioError(f"{source}: expected shape (samples,) or (samples, channels), got {array.shape}")
    if array.ndim == 2 and array.shape[1] > max(array.shape[0], 64):
        raise AudioError(f"{source}: expected shape (samples, channels), got {array.shape}; transpose it")
    scaled = _full_scale_one(array, source)
    mono = scaled if scaled.ndim == 1 else _mean_of_channels(scaled)
    check_samples(mono, source)
    return mono.astype(np.float32, copy=False)


def check_is_number(rate_hz: object) -> None:
    """Nothing, where a rate is a number.

    Raises:
        OptionError: it is none.
    """
    if not isinstance(rate_hz, numbers.Real):
        raise OptionError(f"rate_hz: expected samples per second, such as 16000, got {rate_hz!r}")


def check_samples(mono: np.ndarray, source: str) -> None:
    """Nothing, where all samples `(samples,)` are finite and around full scale 1.

    Raises:
        AudioError: they are not.
    """
    peak = float(max(mono.max(initial=0), -mono.min(initial=0)))  # no copy of the sound, as abs() makes
    if not math.isfinite(peak):
        raise AudioError(f"{source}: holds samples that are not finite (NaN or infinity); write it again without them")
    if peak > MAX_AMPLITUDE:
        raise AudioError(f"{source}: samples reach {peak:.0f} where 1 is full scale; divide 16-bit numbers by 32768")


def check_duration(duration_s: float, longest_s: float, source: str) -> None:
    """Nothing, where a sound is short enough.

    Raises:
        AudioError: it is longer than `longest_s`.
    """
    if duration_s > longest_s:
        raise AudioError(
            f"{source}: {duration_s:.0f} s of sound are more than {longest_s:.0f} s; cut it, or ask for its timeline"
        )


def _stretch(file: OpenAudio, name: str, start_s: float, end_s: float | None, longest_s: float) -> np.ndarray:
    """The stretch as mono float32 `(frames,)` at the rate of the file."""
    start, stop = _stretch_frames(file.frames, file.samplerate, start_s, end_s, name)
    check_duration((stop - start) / file.samplerate, longest_s, name)
    if start:
        file.seek(start)
    most, promised = frame_range(file) if end_s is None else (stop, stop)
    most = math.ceil(min(most - start, longest_s * file.samplerate + 1))  # the length may be no more than a guess
    mono = _read_frames(file, most)
    check_duration(len(mono) / file.samplerate, longest_s, name)
    check_all_frames(file, len(mono), promised - start, name)
    return mono


def frame_range(file: OpenAudio) -> tuple[int, int]:
    """How many frames to ask for, to have all, and how many there must be."""
    return (UNKNOWN_FRAMES, file.frames_at_least) if isinstance(file, PyavReader) else (file.frames, file.frames)


def check_all_frames(file: OpenAudio, found: int, promised: int, name: str) -> None:
    """Nothing, where as many frames were decoded as the header promised.

    Raises:
        AudioError: there were fewer.
    """
    slack = MP3_SLACK_FRAMES if file.format == "MP3" else 0
    slack = file.slack_frames if isinstance(file, PyavReader) else slack
    if found < max(1, promised - slack):
        raise AudioError(f"{name}: truncated or damaged: {promised} samples promised, {found} found; copy it again")


def mono_blocks(file: OpenAudio, frames: int) -> Iterator[np.ndarray]:
    """The next `frames` frames, or as many as there are, as mono float32 blocks `(some frames,)`."""
    block_frames = max(1, BLOCK_SAMPLES // file.channels)
    while frames > 0:
        block = _decoded(file, min(frames, block_frames))
        if not len(block):
            return
        yield _mean_of_channels(block)
        frames -= len(block)


def _decoded(file: OpenAudio, frames: int) -> np.ndarray:
    """The next frames, or as many as there are, float32 `(frames, channels)` at full scale 1."""
    if isinstance(file, PyavReader) or file.subtype != "PCM_16":
        return file.read(frames, dtype="float32", always_2d=True)
    # The same numbers as libsndfile makes of 16 bit, in a quarter of the time.
    return np.multiply(file.read(frames, dtype="int16", always_2d=True), STEP_OF_16_BIT, dtype=np.float32)


def _read_frames(file: OpenAudio, frames: int) -> np.ndarray:
    """The next `frames` frames as mono float32, or as many as there are."""
    blocks = list(mono_blocks(file, frames))
    if len(blocks) == 1:
        return blocks[0]  # most clips: no copy
    return np.concatenate(blocks) if blocks else np.empty(0, np.float32)


def _stretch_frames(frames: int, rate_hz: int, start_s: float, end_s: float | None, name: str) -> tuple[int, int]:
    """First frame of a stretch and the one after its last."""
    duration_s = frames / rate_hz
    last_s = duration_s if end_s is None else end_s
    if not (0 <= start_s < last_s <= duration_s + END_SLACK_S and start_s < duration_s):
        raise AudioError(f"{name}: no stretch from {start_s} s to {last_s} s in {duration_s:.3f} s of sound")
    start = min(round(start_s * rate_hz), frames - 1)
    return start, max(start + 1, min(round(last_s * rate_hz), frames))


def _mean_of_channels(frames: np.ndarray) -> np.ndarray:
    """`(frames, channels)` -> `(frames,)`: the mean of the channels."""
    with np.errstate(all="ignore"):  # infinities are told by `check_samples`
        return frames[:, 0] if frames.shape[1] == 1 else frames.mean(axis=1)


def _full_scale_one(array: np.ndarray, source: str) -> np.ndarray:
    """Floats as they are, integers divided by their full scale; float64 keeps 32-bit integers exact."""
    kind, bits = array.dtype.kind, 8 * array.dtype.itemsize
    if kind == "f":
        return array
    if kind == "i" and bits <= 32:
        return array / 2.0 ** (bits - 1)
    if kind == "u" and bits == 8:
        return (array - 128.0) / 128.0
    raise AudioError(f"{source}: samples of type {array.dtype} are not sound; give float32, int16, int32 or uint8")


def _waveform(mono: np.ndarray, rate_hz: float, source: str) -> Waveform:
    """Resampled; mono floats come in, checked."""
    mono = np.ascontiguousarray(mono, dtype=np.float32)
    if rate_hz != SAMPLE_RATE_HZ:
        mono = soxr.resample(mono, rate_hz, SAMPLE_RATE_HZ, quality=QUALITY)
    check_not_empty(len(mono), source)
    return Waveform(mono, source)
