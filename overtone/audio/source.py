"""Opens a path, bytes or a file object as audio; incomplete files and other formats are an `AudioError`."""

import contextlib
import io
import os
import re
import select
import stat
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, TypeAlias

import soundfile

from overtone._internal.file_objects import read_file_object
from overtone.audio.byte_streams import SafeBytesIO, SplicedStream
from overtone.audio.consecutive import ConsecutiveAudio
from overtone.audio.containers import Recording, find_recordings
from overtone.audio.ffmpeg_formats import ContainerFormat
from overtone.audio.pyav_import import has_pyav
from overtone.audio.pyav_reader import PyavReader, open_track
from overtone.errors import AudioError

# libsndfile's names of the formats whose truncation is detected here. It silently decodes truncated files of others.
FORMATS = frozenset({"WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF"})

MIN_RATE_HZ = 8_000
MAX_RATE_HZ = 192_000
PIPE_TIMEOUT_S = 30.0  # until a program writes to a named pipe
UNKNOWN_FRAMES = 2**62  # libsndfile returns 2**63 - 1 if the header declares no length

OpenAudio: TypeAlias = soundfile.SoundFile | PyavReader | ConsecutiveAudio
Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO


class RepeatableContent(io.BytesIO):
    """The content of a pipe or a file object, which decoding reads as a whole: it can be read again and again.

    Attributes:
        name: the name of the source, for messages.
    """

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content)
        self.name = name

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the whole content."""
        return self.getvalue()


@contextlib.contextmanager
def open_source(source: Source) -> Iterator[OpenAudio]:
    """Open audio at its first frame; errors while it is open and decoded are an `AudioError` too.

    Args:
        source: path, content as bytes, or an object whose `read()` returns bytes.

    Raises:
        AudioError: missing, not permitted, a folder, empty, not audio, truncated, damaged, without samples, outside
            8 to 192 kHz, or of a format that needs PyAV, which is not installed. The message names the file and the
            remedy.
    """
    name = source_name(source)
    try:
        with _open_stream(source, name) as stream, contextlib.ExitStack() as stack:
            try:
                file = stack.enter_context(_open_recordings(stream, name))
            except (soundfile.SoundFileError, AudioError):
                from overtone.audio.other_content import check_no_other_content  # audio does not need it

                check_no_other_content(stream, name)
                raise
            yield file
    except soundfile.SoundFileError as error:
        reason = getattr(error, "error_string", str(error)).strip(" .") or "unknown format"
        raise AudioError(
            f"{name}: not a readable audio file, or damaged ({reason}); try: ffmpeg -i INPUT OUTPUT.wav"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AudioError(f"{name}: cannot be read: {reason}") from error


def _open_recordings(stream: BinaryIO, name: str) -> AbstractContextManager[OpenAudio]:
    """Return all recordings of a file, open at the first frame in a `with` statement."""
    recordings = find_recordings(stream, name)
    return _open_recording(recordings[0], name) if len(recordings) == 1 else _open_all(recordings, name)


def _open_recording(recording: Recording, name: str) -> AbstractContextManager[soundfile.SoundFile | PyavReader]:
    """Return one recording, open at its first frame in a `with` statement."""
    stream = recording.stream
    if recording.container_format is not None:
        return _open_checked_track(stream, recording.container_format, name)
    # An open descriptor rather than the path: libsndfile then ignores the suffix of the name.
    handle = stream if isinstance(stream, SafeBytesIO | SplicedStream) else stream.fileno()
    try:
        file = soundfile.SoundFile(handle, closefd=False)
    except soundfile.SoundFileError:
        from overtone.audio.fallback_formats import fallback_format  # most files do not need it

        fallback = fallback_format(stream)
        if fallback is None or not has_pyav():
            raise
        return _open_checked_track(stream, fallback, name)
    _check_format(file.format, name)
    _check_audio(file, name)
    return file


@contextlib.contextmanager
def _open_checked_track(stream: BinaryIO, container_format: ContainerFormat, name: str) -> Iterator[PyavReader]:
    with open_track(stream, container_format, name) as track:
        _check_audio(track, name)
        yield track


@contextlib.contextmanager
def _open_all(recordings: Sequence[Recording], name: str) -> Iterator[ConsecutiveAudio]:
    """Open several recordings as one."""
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(_open_recording(recording, name)) for recording in recordings]
        yield ConsecutiveAudio(files, name)


def source_name(source: Source) -> str:
    """Return the name of a source, for messages."""
    if isinstance(source, bytes | bytearray | memoryview):
        return "audio in memory"
    if isinstance(source, str | os.PathLike):
        return os.fsdecode(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "audio from a file object"


def read_pipe(path: str | os.PathLike[str]) -> RepeatableContent | None:
    """Return the content of a named pipe, which can be read only once; None for anything else.

    Raises:
        AudioError: the pipe cannot be read, or no program writes to it.
    """
    try:
        if not stat.S_ISFIFO(Path(path).stat().st_mode):
            return None
    except (OSError, ValueError):
        return None  # opening it raises the error
    try:
        return RepeatableContent(_read_fifo(path), source_name(path))
    except OSError as error:
        raise AudioError(f"{os.fspath(path)}: cannot be read: {error.strerror or error}") from error


def _read_fifo(path: str | os.PathLike[str]) -> bytes:
    """Return what is written to a named pipe.

    Opening one waits for a program that writes to it, and would wait for ever if there is none.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as pipe:
        if not select.select([pipe], [], [], PIPE_TIMEOUT_S)[0]:
            raise AudioError(f"{os.fspath(path)}: no program has written to this pipe for {PIPE_TIMEOUT_S:.0f} s")
        os.set_blocking(pipe.fileno(), True)
        return pipe.read()


def _open_stream(source: Source, name: str) -> BinaryIO:
    """Open the source as a seekable binary stream."""
    if isinstance(source, bytes | bytearray | memoryview):
        return SafeBytesIO(source.tobytes() if isinstance(source, memoryview) else source)
    if isinstance(source, str | os.PathLike):
        if not name:
            raise AudioError("'': an empty name; give the name of an audio file")
        return _open_path(Path(name), name)
    if not hasattr(source, "read"):
        raise AudioError(f"{name}: expected a path, bytes or a file object, got {type(source).__name__}")
    return SafeBytesIO(read_file_object(source))


def _open_path(path: Path, name: str) -> BinaryIO:
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            return path.open("rb", buffering=0)  # unbuffered: libsndfile reads from the position of the descriptor
        if stat.S_ISFIFO(mode):
            return SafeBytesIO(_read_fifo(path))
    except FileNotFoundError as error:
        is_url = re.match(r"\w\w+:/", name) is not None
        problem = "is an address, not a file; download it, and give the file" if is_url else "no such file"
        if path.is_symlink():  # a list of the folder shows it
            problem = "is a link to a file that does not exist; copy or download the file itself"
        raise AudioError(f"{name}: {problem}") from error
    except PermissionError as error:
        raise AudioError(f"{name}: no permission to read it; see: chmod +r") from error
    problem = "a folder; give the name of an audio file in it" if stat.S_ISDIR(mode) else "not a regular file"
    raise AudioError(f"{name}: is {problem}")


def _check_format(format_name: str, name: str) -> None:
    if format_name not in FORMATS:
        raise AudioError(f"{name}: {format_name} is not supported; convert it first: ffmpeg -i INPUT OUTPUT.wav")


def _check_audio(file: soundfile.SoundFile | PyavReader, name: str) -> None:
    check_not_empty(file.frames, name)
    check_sample_rate(file.samplerate, name)
    if file.frames >= UNKNOWN_FRAMES:
        raise AudioError(f"{name}: its header declares no length (a stream?); repair it: ffmpeg -i INPUT OUTPUT.wav")


def check_sample_rate(rate_hz: float, source: str) -> None:
    """Check that a sampling rate is supported.

    Raises:
        AudioError: it is not.
    """
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise AudioError(
            f"{source}: {rate_hz} samples per second is outside {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz; resample it"
        )


def check_not_empty(samples: int, source: str) -> None:
    """Check that there are samples.

    Raises:
        AudioError: there are none.
    """
    if samples <= 0:
        raise AudioError(f"{source}: contains no samples; record it again")
