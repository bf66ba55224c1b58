"""Path, bytes or file object -> a sound that is open, whole, and of a kind that is read here; or an `AudioError`."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

import soundfile

from overtone.audio.containers import NamedBytesIO, check_complete
from overtone.audio.mp3 import TaggedStream, with_xing_header
from overtone.audio.pyav_reader import PyavReader, open_track
from overtone.errors import AudioError

# As libsndfile calls them: those that are known to be whole or refused. It reads others, cut ones without a word.
FORMATS = frozenset({"WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF"})

MIN_RATE_HZ = 8_000
MAX_RATE_HZ = 192_000
UNKNOWN_FRAMES = 2**62  # libsndfile gives 2**63 - 1 for "the header does not say"

OpenAudio: TypeAlias = soundfile.SoundFile | PyavReader
Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO


@contextlib.contextmanager
def open_source(source: Source) -> Iterator[OpenAudio]:
    """The sound, at its first frame; what goes wrong while it is open and decoded is an `AudioError` too.

    Args:
        source: path, content as bytes, or an object with `read()` that gives bytes.

    Raises:
        AudioError: missing, not permitted, a folder, empty, not a sound, truncated, damaged, without samples, outside
            8 to 192 kHz, or of a kind that needs PyAV where it is not installed. The message names the file and what
            to do.
    """
    name = source_name(source)
    try:
        with _stream(source, name) as stream:
            kind = check_complete(stream, name)
            if kind is not None:
                with open_track(stream, kind, name) as found:
                    _check_sound(found, name)
                    yield found
                return
            whole = with_xing_header(stream, name)
            # An open descriptor rather than the path: libsndfile then goes by content alone, whatever the name says.
            handle = whole if isinstance(whole, NamedBytesIO | TaggedStream) else whole.fileno()
            with soundfile.SoundFile(handle, closefd=False) as file:
                _check_known(file.format, name)
                _check_sound(file, name)
                yield file
    except soundfile.SoundFileError as error:
        reason = getattr(error, "error_string", str(error)).strip(" .") or "unknown format"
        raise AudioError(
            f"{name}: not a sound that can be read, or damaged ({reason}); try: ffmpeg -i INPUT OUTPUT.wav"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AudioError(f"{name}: cannot be read: {reason}") from error


def source_name(source: Source) -> str:
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
        return NamedBytesIO(source)
    if isinstance(source, str | os.PathLike):
        if not name:
            raise AudioError("'': an empty name; give the name of a sound file")
        return _opened_path(Path(source), name)
    if not hasattr(source, "read"):
        raise AudioError(f"{name}: expected a path, bytes or a file object, got {type(source).__name__}")
    content = source.read()
    if not isinstance(content, bytes):
        raise AudioError(f"{name}: the file object gives {type(content).__name__}; open it in binary mode ('rb')")
    return NamedBytesIO(content)


def _opened_path(path: Path, name: str) -> BinaryIO:
    try:
        kind = path.stat().st_mode
        if stat.S_ISREG(kind):
            return path.open("rb", buffering=0)  # unbuffered: libsndfile goes on from where the descriptor stands
        if stat.S_ISFIFO(kind):
            return NamedBytesIO(path.read_bytes())
    except FileNotFoundError as error:
        raise AudioError(f"{name}: no such file") from error
    except PermissionError as error:
        raise AudioError(f"{name}: no permission to read it; see: chmod +r") from error
    what = "a folder; name a sound file in it" if stat.S_ISDIR(kind) else "not a regular file"
    raise AudioError(f"{name}: is {what}")


def _check_known(form: str, name: str) -> None:
    if form not in FORMATS:
        raise AudioError(f"{name}: {form} is not read yet; convert it first: ffmpeg -i INPUT OUTPUT.wav")


def _check_sound(file: OpenAudio, name: str) -> None:
    check_not_empty(file.frames, name)
    check_sample_rate(file.samplerate, name)
    if file.frames >= UNKNOWN_FRAMES:
        raise AudioError(f"{name}: its header gives no length (a stream?); mend it: ffmpeg -i INPUT OUTPUT.wav")


def check_sample_rate(rate_hz: float, source: str) -> None:
    """Nothing, where so many samples per second are read here.

    Raises:
        AudioError: they are not.
    """
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise AudioError(
            f"{source}: {rate_hz} samples per second is outside {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz; resample it"
        )


def check_not_empty(samples: int, source: str) -> None:
    """Nothing, where there are samples.

    Raises:
        AudioError: there are none.
    """
    if samples <= 0:
        raise AudioError(f"{source}: holds no samples; record it again")
