"""Converts and checks the input of a recogniser: a path, bytes, file object or samples -> a waveform with speech."""

import math
import numbers
import os
from collections.abc import Iterable, Sequence
from typing import Any, TypeGuard

import numpy as np

from overtone.audio.decode import check_duration, from_array, read
from overtone.audio.source import Source
from overtone.channels import MIX, Channel, channel_index
from overtone.datatypes import FloatArray, Waveform
from overtone.errors import AudioError, OptionError, first_line

Samples = FloatArray | Sequence[float] | Sequence[Sequence[float]]
"""Samples `(samples,)` or `(samples, channels)`."""

MAX_THREADS = 1_024  # more than any machine has cores; each would wait actively
MIN_DURATION_S = 0.1  # shorter audio contains no syllable
MAX_DURATION_S = 600.0  # the graph processes a clip in one go, and its memory grows with the length
INT16_FULL_SCALE = 2**15
INT24_FULL_SCALE = 2**23
INT32_FULL_SCALE = 2**31
SILENCE = 1e-4  # -80 dB re full scale, three steps of 16 bit


def load_waveform(
    source: Source | Waveform | Samples, rate_hz: float | None = None, channel: Channel = MIX
) -> Waveform:
    """The waveform of any source, checked for speech.

    Args:
        source: path, bytes, file object, `Waveform`, or samples.
        rate_hz: sample rate of an array; files have their own.
        channel: as for `overtone.audio.decode.read`; a `Waveform` has one channel.

    Raises:
        AudioError: the source cannot be read, lacks the channel, is too short or too long, or contains only silence.
        OptionError: an array without a sample rate, a sample rate for another kind of source, or not a channel.
    """
    if is_file_source(source, rate_hz):
        waveform = read(source, max_duration_s=MAX_DURATION_S, channel=channel)
    else:
        waveform = waveform_from_samples(source, rate_hz, channel)
    _check_speech(waveform)
    return waveform


def is_file_source(source: object, rate_hz: float | None) -> TypeGuard[Source]:
    """Whether a source is a file, and neither samples nor a `Waveform`.

    Raises:
        OptionError: a sample rate for something that has its own.
    """
    is_file = isinstance(source, str | os.PathLike | bytes | bytearray | memoryview) or hasattr(source, "read")
    if (is_file or isinstance(source, Waveform)) and rate_hz is not None:
        kind = type(source).__name__
        is_content = isinstance(source, bytes | bytearray | memoryview)
        advice = "; for samples, name their type: np.frombuffer(samples, np.int16)" if is_content else ""
        raise OptionError(f"rate_hz: only for arrays; {kind} is a file, which has its own sample rate{advice}")
    return is_file


def check_several(sources: object, name: str) -> None:
    """Check that a list of clips is not a single one, which could be iterated over too.

    Args:
        sources: what the caller gave.
        name: of the function, for messages.

    Raises:
        OptionError: one clip, or nothing that can be iterated over.
    """
    is_one = isinstance(sources, str | os.PathLike | bytes | bytearray | memoryview | Waveform | np.ndarray)
    if is_one or hasattr(sources, "read") or not isinstance(sources, Iterable):
        raise OptionError(
            f"{name}: expected several clips, such as a list of paths, got one {type(sources).__name__}; "
            "put it into a list: [clip]"
        )


def check_threads(threads: object) -> None:
    """Check a number of threads.

    Raises:
        OptionError: not a whole number of at least 1.
    """
    if not isinstance(threads, numbers.Integral) or isinstance(threads, bool) or threads < 1:
        raise OptionError(f"threads: expected a whole number of at least 1, got {threads!r}")
    if int(threads) > MAX_THREADS:
        raise OptionError(f"threads: expected at most {MAX_THREADS}, got more")


def check_confidence(confidence: Any, name: str) -> None:
    """Check a confidence; None is allowed.

    Args:
        confidence: what the caller gave.
        name: of the option, for messages.

    Raises:
        OptionError: not a number in [0, 1].
    """
    is_number = isinstance(confidence, numbers.Real)
    if confidence is not None and not (is_number and 0 <= confidence <= 1):
        raise OptionError(f"{name}: expected a confidence in [0, 1], got {confidence!r}")


def check_seconds(value: object, name: str) -> None:
    """Check a time in a recording.

    Args:
        value: what the caller gave.
        name: of the option, for messages.

    Raises:
        OptionError: not a finite number of at least 0.
    """
    if not isinstance(value, numbers.Real) or not 0 <= float(value) < math.inf:
        raise OptionError(f"{name}: expected a number of seconds from 0 on, got {value!r}")


def waveform_from_samples(source: object, rate_hz: float | None, channel: Channel = MIX) -> Waveform:
    """The waveform of a `Waveform` or of samples.

    Raises:
        AudioError: not samples, samples that are not audio or not scaled to their type, or without this channel.
        OptionError: an array without a sample rate, or not a channel.
    """
    if isinstance(source, Waveform):
        channel_index(channel, 1, source.source or "waveform")
        return source
    array = to_array(source)
    if rate_hz is None:
        raise OptionError("rate_hz: an array needs its sample rate, for example rate_hz=16000")
    waveform = from_array(array, rate_hz, channel=channel)
    _check_integer_scale(array, waveform.source)
    return waveform


def check_min_duration(duration_s: float, source: str) -> None:
    """Check that audio is long enough to be recognised.

    Raises:
        AudioError: it is shorter than `MIN_DURATION_S`.
    """
    if duration_s < MIN_DURATION_S:
        raise AudioError(
            f"{source}: no speech in {1000 * duration_s:.0f} ms of audio; {1000 * MIN_DURATION_S:.0f} ms at least"
        )


def to_array(samples: object) -> FloatArray:
    """Samples of any type as an array, `(samples,)` or `(samples, channels)`.

    Raises:
        AudioError: they cannot be converted to an array.
    """
    name = type(samples).__name__
    try:
        array: FloatArray = np.asanyarray(samples)  # keeps a mask, with which `from_array` refuses samples
    except (ValueError, TypeError, RuntimeError) as error:  # rows of different lengths; a torch tensor on a GPU
        raise AudioError(f"{name}: cannot be converted to an array of samples: {first_line(error)}") from error
    if array.ndim == 0:
        raise AudioError(f"{name}: expected a path, bytes, a file object, a Waveform or samples")
    return array


def _check_speech(waveform: Waveform) -> None:
    name, duration_s = waveform.source or "waveform", waveform.duration_s
    check_min_duration(duration_s, name)
    check_duration(duration_s, MAX_DURATION_S, name)
    spread = float(np.ptp(waveform.samples))  # a constant offset is inaudible
    if not np.isfinite(spread):
        raise AudioError(f"{name}: contains samples that are not finite (NaN or infinity); write it again without them")
    if spread < 2 * SILENCE:
        raise AudioError(f"{name}: no speech: nothing but silence; check whether the microphone was on")


def _check_integer_scale(array: FloatArray, source: str) -> None:
    """Check that integers use more than a 256th of their full scale, as those of fewer bits do not.

    Quiet 16-bit recordings that were scaled to 32 bit, as by soundfile, are multiples of 65 536.
    """
    if array.dtype.kind != "i" or array.dtype.itemsize != 4:
        return
    peak = max(int(array.max()), -int(array.min()))
    if 0 < peak <= INT24_FULL_SCALE and np.bitwise_and(array, 0xFFFF).any():
        remedy = (
            "16-bit integers, convert them: samples.astype('int16')"
            if peak <= INT16_FULL_SCALE
            else "24-bit integers, scale them: samples * 256; if they are a quiet recording: samples / 2**31"
        )
        raise AudioError(f"{source}: samples reach {peak} where {INT32_FULL_SCALE} is full scale; if they are {remedy}")
