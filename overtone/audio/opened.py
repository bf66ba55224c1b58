"""Path, bytes or file object -> a sound that is open, whole, and of a kind that is read here; or an `AudioError`."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

import soundfile

from overtone.audio.container import Memory, expect_whole
from overtone.audio.mp3 import Tagged, with_length
from overtone.audio.track import Track, track
from overtone.errors import AudioError

# As libsndfile calls them: those that are known to be whole or refused. It reads others, cut ones without a word.
FORMATS = frozenset({"WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF"})

LOWEST_RATE_HZ = 8_000
HIGHEST_RATE_HZ = 192_000
UNKNOWN_FRAMES = 2**62  # libsndfile gives 2**63 - 1 for "the header does not say"

Opened: TypeAlias = soundfile.SoundFile | Track
Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO


@contextlib.contextmanager
def opened(source: Source) -> Iterator[Opened]:
    """The sound, at its first frame; what goes wrong while it is open and decoded is an `AudioError` too.

    Args:
        source: path, content as bytes, or an object with `read()` that gives bytes.

    Raises:
        AudioError: missing, not permitted, a folder, empty, not a sound, truncated, damaged, without samples, outside
            8 to 192 kHz, or of a kind that needs PyAV where it is not installed. The message names the file and what
            to do.
    """
    name = name_of(source)
    try:
        with _stream(source, name) as stream:
            kind = expect_whole(stream, name)
            if kind is not None:
                with track(stream, kind, name) as found:
                    _expect_sound(found, name)
                    yield found
                return
            whole = with_length(stream, name)
            # An open descriptor rather than the path: libsndfile then goes by content alone, whatever the name says.
            handle = whole if isinstance(whole, Memory | Tagged) else whole.fileno()
            with soundfile.SoundFile(handle, closefd=False) as file:
                _expect_known(file.format, name)
                _expect_sound(file, name)
                yield file
    except soundfile.SoundFileError as error:
        reason = getattr(error, "error_string", str(error)).strip(" .") or "unknown format"
        raise AudioError(
            f"{name}: not a sound that can be read, or damaged ({reason}); try: ffmpeg -i INPUT OUTPUT.wav"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AudioError(f"{name}: cannot be read: {reason}") from error


def name_of(source: Source) -> str:
    """The name of a source, for messages."""
    if isinstance(source, bytes | bytearray | memoryview):
        return "sound in memory"
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "sound from a file object"


def _stream(source: Source, name: str) -> BinaryIO:
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


def _expect_known(form: str, name: str) -> None:
    if form not in FORMATS:
        raise AudioError(f"{name}: {form} is not read yet; convert it first: ffmpeg -i INPUT OUTPUT.wav")


def _expect_sound(file: Opened, name: str) -> None:
    expect_some(file.frames, name)
    expect_rate(file.samplerate, name)
    if file.frames >= UNKNOWN_FRAMES:
        raise AudioError(f"{name}: its header gives no length (a stream?); mend it: ffmpeg -i INPUT OUTPUT.wav")


def expect_rate(rate_hz: float, source: str) -> None:
    """Nothing, where so many samples per second are read here.

    Raises:
        AudioError: they are not.
    """
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise AudioError(
            f"{source}: {rate_hz} samples per second is outside {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz; resample it"
        )


def expect_some(samples: int, source: str) -> None:
    """Nothing, where there are samples.

    Raises:
        AudioError: there are none.
    """
    if samples <= 0:
        raise AudioError(f"{source}: holds no samples; record it again")
