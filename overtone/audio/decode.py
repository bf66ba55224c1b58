"""Decodes a file, bytes or a file object, or converts an array, into a mono `Waveform` at 16 kHz.

Formats: WAV, FLAC, Ogg (Vorbis, Opus), MP3, AIFF, AU, CAF, W64, RF64; 8 to 32 bit, float, double, u-law, A-law; any
number of channels (their mean, or one of them); 8 to 192 kHz. With PyAV also M4A, MP4, WebM, AAC,
WMA and video: see `pyav_reader`. A truncated file is an error, never a shorter waveform: see `containers`.

    waveform = read("clip.wav")                         # the whole file
    waveform = read("talk.flac", start_s=60, end_s=65)  # decodes these five seconds only
    waveform = read("call.wav", channel="left")         # one side of a stereo recording
    waveform = read(request.body)                       # bytes
    waveform = from_array(samples, rate_hz=44_100)      # (samples,) or (samples, channels)
"""

import math
import numbers
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import soundfile
import soxr

from overtone.audio.consecutive import ConsecutiveAudio
from overtone.audio.frames import count_slack, one_channel, read_mono
from overtone.audio.source import (
    UNKNOWN_FRAMES,
    OpenAudio,
    Source,
    check_not_empty,
    check_sample_rate,
    open_source,
    source_name,
)
from overtone.channels import MIX, Channel, channel_index
from overtone.datatypes import SAMPLE_RATE_HZ, Utterance, Waveform
from overtone.errors import AudioError, OptionError, first_line

QUALITY = "HQ"  # soxr: 20 bit, pass band to 0.91 of the Nyquist frequency
BLOCK_SAMPLES = 2**20  # decoded at once, over all channels: limits the memory that a damaged header can request
END_SLACK_S = 0.1  # segment tables round their times
MIN_OFFSET = 0.01  # of the first sample, -40 dB re full scale: speech rarely starts above
MAX_AMPLITUDE = 16.0  # 24 dB re full scale; larger values are unscaled integers, of 8 bit or more


def read(
    source: Source,
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    max_duration_s: float = math.inf,
    channel: Channel = MIX,
) -> Waveform:
    """Return the audio of a file, or an interval of it, as mono float32 at 16 kHz.

    Args:
        source: path, content as bytes, or an object whose `read()` returns bytes.
        start_s: start of the interval in seconds; only the interval is decoded.
        end_s: end of the interval in seconds; None for the end of the file.
        max_duration_s: maximum duration of the interval; a longer one is refused before it is decoded.
        channel: "mix" for the mean of all channels, "left" or "right" of two, or a number from 1.

    Returns:
        `Waveform` with samples `(samples,)`, nominally in [-1, 1]. Mono files at 16 kHz are returned bit for bit.

    Raises:
        AudioError: missing, not permitted, a folder, empty, not audio, truncated, damaged, without samples, not finite,
            outside 8 to 192 kHz, too long, an interval outside the file, or a channel that it lacks. The message names
            the file and the remedy.
        OptionError: not a channel.
    """
    name = source_name(source)
    with open_source(source) as file:
        mono = _read_interval(file, name, start_s, end_s, max_duration_s, channel)
        rate_hz = file.samplerate
    check_samples(mono, name)
    return _waveform(mono, rate_hz, name)


def read_utterance(utterance: Utterance, *, max_duration_s: float = math.inf) -> Waveform:
    """Return the audio of a labelled clip: its interval and its channel of a file; arguments and errors as `read`."""
    u = utterance
    channel = u.channel or MIX
    try:
        waveform = read(u.path, start_s=u.start_s, end_s=u.end_s, max_duration_s=max_duration_s, channel=channel)
    except AudioError as error:
        if not u.origin:
            raise
        raise AudioError(str(error).replace(str(u.path), u.origin)) from error
    return replace(waveform, source=u.origin) if u.origin else waveform


def from_array(samples: np.ndarray, rate_hz: float, *, source: str = "array", channel: Channel = MIX) -> Waveform:
    """Return samples of any type as mono float32 at 16 kHz.

    Args:
        samples: `(samples,)` or `(samples, channels)`; floats with full scale 1, or integers of 8 to 32 bit, which are
            divided by their full scale (unsigned 8 bit is centred at 128, as in WAV).
        rate_hz: sampling rate, 8 000 to 192 000.
        source: a name for messages.
        channel: as for `read`.

    Raises:
        AudioError: empty, not finite, an unsupported shape or type, a rate outside the range, or a missing channel.
        OptionError: a rate that is not a number, or not a channel.
    """
    check_is_number(rate_hz)
    check_sample_rate(rate_hz, source)
    array = _to_array(samples, source)
    check_not_empty(array.size, source)
    return _waveform(to_mono(array, source, channel), rate_hz, source)


def to_mono(samples: np.ndarray, source: str, channel: Channel = MIX) -> np.ndarray:
    """Return samples of any type as mono floats with full scale 1, `(samples,)`, at their own rate.

    Args:
        samples: as for `from_array`; may be empty.
        source: a name for messages.
        channel: as for `read`.

    Raises:
        AudioError: an unsupported shape or type, not finite, unscaled integers, or a missing channel.
        OptionError: not a channel.
    """
    array = _to_array(samples, source)
    if array.ndim not in (1, 2):
        raise AudioError(f"{source}: expected shape (samples,) or (samples, channels), got {array.shape}")
    if array.ndim == 2 and array.shape[1] > max(array.shape[0], 64):
        raise AudioError(f"{source}: expected shape (samples, channels), got {array.shape}; transpose it")
    scaled = _scale_to_one(array, source)
    index = channel_index(channel, 1 if scaled.ndim == 1 else scaled.shape[1], source)
    mono = scaled if scaled.ndim == 1 else one_channel(scaled, index)
    check_samples(mono, source)
    return mono.astype(np.float32, copy=False)


def check_is_number(rate_hz: object) -> None:
    """Check that a sampling rate is a number.

    Raises:
        OptionError: it is not.
    """
    if not isinstance(rate_hz, numbers.Real):
        raise OptionError(f"rate_hz: expected samples per second such as 16000, got {rate_hz!r}")


def check_samples(mono: np.ndarray, source: str) -> None:
    """Check that all samples `(samples,)` are finite and scaled to full scale 1.

    Raises:
        AudioError: they are not.
    """
    peak = float(max(mono.max(initial=0), -mono.min(initial=0)))  # unlike abs(), makes no copy
    if not math.isfinite(peak):
        raise AudioError(f"{source}: contains samples that are not finite (NaN or infinity); remove them")
    if peak > MAX_AMPLITUDE:
        remedy = "divide 16-bit integers by 32768, 8-bit ones by 128"
        raise AudioError(f"{source}: samples reach {peak:.0f} where 1 is full scale; {remedy}")


def check_duration(duration_s: float, max_duration_s: float, source: str) -> None:
    """Check that a recording is not too long.

    Raises:
        AudioError: it is longer than `max_duration_s`.
    """
    if duration_s > max_duration_s:
        raise AudioError(
            f"{source}: {duration_s:.0f} s of audio are more than {max_duration_s:.0f} s; "
            "shorten it, or request its timeline"
        )


def _read_interval(
    file: OpenAudio, name: str, start_s: float, end_s: float | None, max_duration_s: float, channel: Channel
) -> np.ndarray:
    """Return the interval as mono float32 `(frames,)` at the sampling rate of the file."""
    index = select_channel(file, channel, name)
    start, stop = _interval_frames(file.frames, file.samplerate, start_s, end_s, name)
    check_duration((stop - start) / file.samplerate, max_duration_s, name)
    if start:
        file.seek(start)
    max_frames, declared_frames = frame_limits(file) if end_s is None else (stop, stop)
    max_frames = math.ceil(min(max_frames - start, max_duration_s * file.samplerate + 1))  # the length may be a guess
    mono = _read_frames(file, max_frames, index)
    check_duration(len(mono) / file.samplerate, max_duration_s, name)
    check_all_frames(file, len(mono), declared_frames - start, name)
    return mono


def frame_limits(file: OpenAudio) -> tuple[int, int]:
    """Return how many frames to request for the whole file, and how many its header declares."""
    if isinstance(file, soundfile.SoundFile):
        return file.frames, file.frames
    return UNKNOWN_FRAMES, file.declared_frames


def check_all_frames(file: OpenAudio, decoded: int, declared: int, name: str) -> None:
    """Check that as many frames were decoded as the header declares.

    Raises:
        AudioError: there were fewer.
    """
    slack = file.slack_frames if isinstance(file, ConsecutiveAudio) else count_slack(file)
    if decoded < max(1, declared - slack):
        raise AudioError(f"{name}: truncated or damaged: {declared} samples declared, {decoded} found; copy it again")


def select_channel(file: OpenAudio, channel: Channel, name: str) -> int | None:
    """Return the index, for `mono_blocks`, of a channel of a file of which nothing was read; None for the mean of all.

    Raises:
        AudioError: the file has no such channel.
        OptionError: not a channel.
    """
    if isinstance(file, soundfile.SoundFile):
        return channel_index(channel, file.channels, name)
    file.select_channel(channel_index(channel, file.source_channels, name))  # it returns one channel
    return None


def mono_blocks(file: OpenAudio, frames: int, index: int | None = None) -> Iterator[np.ndarray]:
    """Yield the next `frames` frames, or as many as there are, as mono float32 blocks `(frames of the block,)`.

    Args:
        file: the open file.
        frames: number of frames.
        index: of the channel, as `select_channel` returns it.
    """
    block_frames = max(1, BLOCK_SAMPLES // file.channels)
    while frames > 0:
        block = read_mono(file, min(frames, block_frames), index)
        if not len(block):
            return
        yield block
        frames -= len(block)


def _read_frames(file: OpenAudio, frames: int, index: int | None) -> np.ndarray:
    """Return the next `frames` frames, or as many as there are, as mono float32."""
    blocks = list(mono_blocks(file, frames, index))
    if len(blocks) == 1:
        return blocks[0]  # most clips: no copy
    return np.concatenate(blocks) if blocks else np.empty(0, np.float32)


def _interval_frames(frames: int, rate_hz: int, start_s: float, end_s: float | None, name: str) -> tuple[int, int]:
    """Return the first frame of an interval and the one after its last."""
    duration_s = frames / rate_hz
    stop_s = duration_s if end_s is None else end_s
    if not (0 <= start_s < stop_s <= duration_s + END_SLACK_S and start_s < duration_s):
        raise AudioError(
            f"{name}: no interval from {start_s} s to {stop_s} s in {duration_s:.3f} s of audio; correct its times"
        )
    start = min(round(start_s * rate_hz), frames - 1)
    return start, max(start + 1, min(round(stop_s * rate_hz), frames))


def _scale_to_one(array: np.ndarray, source: str) -> np.ndarray:
    """Return floats unchanged and integers divided by their full scale; float64 keeps 32-bit integers exact."""
    kind, bits = array.dtype.kind, 8 * array.dtype.itemsize
    if kind == "f":
        return array
    if kind == "i" and bits <= 32:
        return array / 2.0 ** (bits - 1)
    if kind == "u" and bits == 8:
        return (array - 128.0) / 128.0
    raise AudioError(f"{source}: samples of type {array.dtype} are not audio; use float32, int16, int32 or uint8")


def _to_array(samples: object, source: str) -> np.ndarray:
    if isinstance(samples, bytes | bytearray | memoryview):  # numpy would take them for samples of 8 bit
        kind = type(samples).__name__
        raise AudioError(f"{source}: expected samples, got {kind}; name their type: np.frombuffer(samples, np.int16)")
    if isinstance(samples, np.ma.MaskedArray) and np.ma.is_masked(samples):
        raise AudioError(f"{source}: some of its samples are masked; replace them: samples.filled(0)")
    try:
        return np.asarray(samples)
    except (ValueError, TypeError, RuntimeError) as error:  # rows of different lengths; a torch tensor with gradients
        raise AudioError(f"{source}: cannot be converted to an array of samples: {first_line(error)}") from error


def padding_value(mono: np.ndarray) -> np.float32:
    """Return the value that a recording has before its start, for the resampler, which takes it for 0.

    With a constant offset, the step from 0 would be a click, which changes predictions.
    """
    first = np.float32(mono[0]) if len(mono) else np.float32(0)
    return first if abs(first) >= MIN_OFFSET else np.float32(0)


def _waveform(mono: np.ndarray, rate_hz: float, source: str) -> Waveform:
    """Resample checked mono floats to 16 kHz."""
    mono = np.ascontiguousarray(mono, dtype=np.float32)
    if rate_hz != SAMPLE_RATE_HZ:
        offset = padding_value(mono)
        mono = soxr.resample(mono - offset, rate_hz, SAMPLE_RATE_HZ, quality=QUALITY) + offset
    check_not_empty(len(mono), source)
    return Waveform(mono, source)
