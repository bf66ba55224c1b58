"""File, bytes, file object or array -> mono `Waveform` at 16 kHz.

Formats: WAV, FLAC, Ogg (Vorbis, Opus), MP3, AIFF, AU, CAF, W64, RF64; 8 to 32 bit, float, double, u-law,
A-law; any number of channels (their mean is taken); 8 to 192 kHz. A sound that is cut short is an error, never a
shorter answer: see `container` and `mp3`.

    waveform = read("clip.wav")                       # the whole file
    waveform = read("talk.flac", start_s=60, end_s=65)  # decodes these five seconds only
    waveform = read(request.body)                     # bytes
    waveform = from_array(samples, rate_hz=44_100)    # (samples,) or (samples, channels)
"""

import math
import numbers
import os
import stat
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import soxr

from overtone.audio.container import Memory, expect_whole
from overtone.audio.mp3 import with_length
from overtone.errors import AudioError, OptionError
from overtone.values import SAMPLE_RATE_HZ, Waveform

SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".w64", ".rf64"}
)

# As libsndfile calls them: those that are known to be whole or refused. It reads others, cut ones without a word.
FORMATS = frozenset({"WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF"})

LOWEST_RATE_HZ = 8_000
HIGHEST_RATE_HZ = 192_000
QUALITY = "HQ"  # soxr: 20 bit, pass band to 0.91 of the Nyquist frequency
BLOCK_SAMPLES = 2**20  # decoded at once, over all channels: a header cannot make us ask for more memory than this
UNKNOWN_FRAMES = 2**62  # libsndfile gives 2**63 - 1 for "the header does not say"
MP3_SLACK_FRAMES = 2 * 1152  # encoder delay and padding, told differently by different encoders
END_SLACK_S = 0.1  # tables of segments round their times
LOUDEST = 256.0  # full scale is 1; beyond this the numbers are integers that nobody scaled

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO


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
    name = _name(source)
    try:
        with _opened(source, name) as stream:
            expect_whole(stream, name)
            mono, rate_hz = _decoded(with_length(stream, name), name, start_s, end_s, longest_s)
    except soundfile.SoundFileError as error:
        reason = getattr(error, "error_string", str(error)).strip(" .") or "unknown format"
        raise AudioError(
            f"{name}: not a sound that can be read, or damaged ({reason}); try: ffmpeg -i INPUT OUTPUT.wav"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AudioError(f"{name}: cannot be read: {reason}") from error
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
    if not isinstance(rate_hz, numbers.Real):
        raise OptionError(f"rate_hz: expected samples per second, such as 16000, got {rate_hz!r}")
    array = np.asarray(samples)
    if array.ndim not in (1, 2):
        raise AudioError(f"{source}: expected shape (samples,) or (samples, channels), got {array.shape}")
    if array.ndim == 2 and array.shape[1] > max(array.shape[0], 64):
        raise AudioError(f"{source}: expected shape (samples, channels), got {array.shape}; transpose it")
    _expect_rate(rate_hz, source)
    _expect_some(array.size, source)
    scaled = _full_scale_one(array, source)
    return _waveform(scaled if scaled.ndim == 1 else _mono(scaled), rate_hz, source)


def expect_no_longer(duration_s: float, longest_s: float, source: str) -> None:
    """Nothing, where a sound is short enough.

    Raises:
        AudioError: it is longer than `longest_s`.
    """
    if duration_s > longest_s:
        raise AudioError(f"{source}: {duration_s:.0f} s of sound are more than {longest_s:.0f} s; cut it into pieces")


def _name(source: Source) -> str:
    if isinstance(source, bytes | bytearray | memoryview):
        return "sound in memory"
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "sound from a file object"


def _opened(source: Source, name: str) -> BinaryIO:
    """The source as a seekable binary stream."""
    if isinstance(source, bytes | bytearray | memoryview):
        return Memory(source)
    if isinstance(source, str | os.PathLike):
        if not name:
            raise AudioError("'': an empty name; give the name of a sound file")
        return _opened_path(Path(source), name)
    if not hasattr(source, "read"):
        raise AudioError(f"{name}: expected a path, bytes or a file object, got {type(source).__name__}")
    content = source.read()
    if not isinstance(content, bytes):
        raise AudioError(f"{name}: the file object gives {type(content).__name__}; open it in binary mode ('rb')")
    return Memory(content)


def _opened_path(path: Path, name: str) -> BinaryIO:
    try:
        kind = path.stat().st_mode
        if stat.S_ISREG(kind):
            return path.open("rb", buffering=0)  # unbuffered: libsndfile goes on from where the descriptor stands
        if stat.S_ISFIFO(kind):
            return Memory(path.read_bytes())
    except FileNotFoundError as error:
        raise AudioError(f"{name}: no such file") from error
    except PermissionError as error:
        raise AudioError(f"{name}: no permission to read it; see: chmod +r") from error
    what = "a folder; name a sound file in it" if stat.S_ISDIR(kind) else "not a regular file"
    raise AudioError(f"{name}: is {what}")


def _decoded(
    stream: BinaryIO, name: str, start_s: float, end_s: float | None, longest_s: float
) -> tuple[np.ndarray, int]:
    """Mono float32 `(frames,)` at the rate of the file, and that rate in Hz."""
    # An open descriptor rather than the path: libsndfile then goes by content alone, whatever the name says.
    handle = stream if isinstance(stream, Memory) else stream.fileno()
    with soundfile.SoundFile(handle, closefd=False) as file:
        if file.format not in FORMATS:
            raise AudioError(f"{name}: {file.format} is not read yet; convert it first: ffmpeg -i INPUT OUTPUT.wav")
        _expect_rate(file.samplerate, name)
        _expect_some(file.frames, name)
        if file.frames >= UNKNOWN_FRAMES:
            raise AudioError(f"{name}: its header gives no length (a stream?); mend it: ffmpeg -i INPUT OUTPUT.wav")
        start, stop = _stretch_frames(file.frames, file.samplerate, start_s, end_s, name)
        expect_no_longer((stop - start) / file.samplerate, longest_s, name)
        if start:
            file.seek(start)
        mono = _read_frames(file, stop - start)
        slack = MP3_SLACK_FRAMES if file.format == "MP3" else 0
        if len(mono) < max(1, stop - start - slack):
            raise AudioError(
                f"{name}: truncated or damaged: {stop - start} samples promised, {len(mono)} found; copy it again"
            )
        return mono, file.samplerate


def _read_frames(file: soundfile.SoundFile, frames: int) -> np.ndarray:
    """The next `frames` frames as mono float32, or as many as there are."""
    block_frames = max(1, BLOCK_SAMPLES // file.channels)
    blocks: list[np.ndarray] = []
    while frames > 0:
        block = file.read(min(frames, block_frames), dtype="float32", always_2d=True)
        if not len(block):
            break
        blocks.append(_mono(block))
        frames -= len(block)
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


def _mono(frames: np.ndarray) -> np.ndarray:
    """`(frames, channels)` -> `(frames,)`: the mean of the channels."""
    with np.errstate(all="ignore"):  # infinities are told by `_waveform`
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
    """Checked, resampled, float32."""
    peak = float(max(mono.max(), -mono.min()))  # no copy of the sound, as abs() makes
    if not math.isfinite(peak):
        raise AudioError(f"{source}: holds samples that are not finite (NaN or infinity); write it again without them")
    if peak > LOUDEST:
        raise AudioError(f"{source}: samples reach {peak:.0f} where 1 is full scale; divide 16-bit numbers by 32768")
    mono = np.ascontiguousarray(mono, dtype=np.float32)
    if rate_hz != SAMPLE_RATE_HZ:
        mono = soxr.resample(mono, rate_hz, SAMPLE_RATE_HZ, quality=QUALITY)
    _expect_some(len(mono), source)
    return Waveform(mono, source)


def _expect_rate(rate_hz: float, source: str) -> None:
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise AudioError(
            f"{source}: {rate_hz} samples per second is outside {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz; resample it"
        )


def _expect_some(samples: int, source: str) -> None:
    if samples <= 0:
        raise AudioError(f"{source}: holds no samples; record it again")
