"""`overtone listen`: the microphone -> a live line on stderr, and the timeline when it ends (Ctrl-C, or `--seconds`).

An answer stands for the last 3 s and comes every 1.5 s, as soon as they are over. The sound is kept for a form that
plays it, else not.
"""

import argparse
import contextlib
import queue
import sys
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any, TextIO

import numpy as np

from overtone.audio.recording_buffer import RecordingBuffer, recording_buffer
from overtone.cli.errors import print_error
from overtone.cli.options import load_recogniser, recogniser_arguments, threads_argument
from overtone.cli.timeline import check_form, form_arguments, form_of, show
from overtone.errors import AudioError, MissingExtraError
from overtone.formats import plays_sound
from overtone.formats.annotation_tiers import format_clock
from overtone.formats.html_player import LONGEST_INSIDE_S
from overtone.formats.table import EIGHTHS, UNSURE, bar, runner_up, takes
from overtone.inference.recogniser import Recogniser
from overtone.timeline import Segment, Timeline

CHUNK_S = 0.1
CLEAR_LINE = "\r\x1b[K"
WIDEST_EMOTION = 21


def listen_arguments(parser: argparse.ArgumentParser) -> None:
    """--seconds --device --model --adapt-from --uncertain-below --threads --format --output."""
    parser.add_argument("--seconds", metavar="S", type=_seconds, help="stop after so long; without it, at Ctrl-C")
    parser.add_argument(
        "--device", metavar="NAME", help="of the microphone, or its number; without it, the default one"
    )
    recogniser_arguments(parser)
    threads_argument(parser)
    form_arguments(parser)


def listen(args: argparse.Namespace) -> int:
    """Hears the microphone and writes the timeline at the end."""
    sounddevice = _sounddevice()
    check_form(args.format, args.output)
    form = form_of(args.format, args.output)
    recogniser, left_out = load_recogniser(args)
    with contextlib.ExitStack() as stack:
        kept: RecordingBuffer | None = None
        try:
            with microphone(sounddevice, args.device) as (rate_hz, chunks):
                if plays_sound(form):
                    kept = stack.enter_context(recording_buffer(rate_hz, LONGEST_INSIDE_S))
                    chunks = kept.tee(chunks)
                timeline = heard(recogniser, rate_hz, chunks, sys.stderr, args.seconds, args.threads)
        except sounddevice.PortAudioError as error:
            raise AudioError(f"microphone: cannot be heard: {error}; see: python -m sounddevice") from error
        show(timeline, args.output, form, _sound(kept))
    return 1 if left_out else 0


def _sound(kept: RecordingBuffer | None) -> Iterator[np.ndarray] | None:
    """What was kept of the sound."""
    sound = None if kept is None else kept.blocks()
    if kept is not None and sound is None:
        print_error(f"microphone: the sound is not kept: {kept.why_not}")
    return sound


@contextlib.contextmanager
def microphone(sounddevice: ModuleType, device: str | None) -> Iterator[tuple[float, Iterator[np.ndarray]]]:
    """The rate of a microphone in Hz, and what it hears in chunks `(samples, 1)`, without end."""
    which = int(device) if device is not None and device.isdigit() else device
    rate_hz = float(sounddevice.query_devices(which, "input")["default_samplerate"])
    chunks: queue.SimpleQueue[np.ndarray] = queue.SimpleQueue()

    def take(samples: np.ndarray, *_: Any) -> None:
        chunks.put(samples.copy())  # it is PortAudio's own memory

    with sounddevice.InputStream(
        samplerate=rate_hz, blocksize=round(CHUNK_S * rate_hz), device=which, channels=1, dtype="float32", callback=take
    ):
        yield rate_hz, _without_end(chunks)


def heard(
    recogniser: Recogniser,
    rate_hz: float,
    chunks: Iterable[np.ndarray],
    screen: TextIO,
    seconds: float | None = None,
    threads: int = 1,
) -> Timeline:
    """The timeline of all chunks, until they end, Ctrl-C, or so many seconds; meanwhile a live line on the screen."""
    stream = recogniser.stream(rate_hz, source="microphone", threads=threads)
    begin, end = (CLEAR_LINE, "") if screen.isatty() else ("", "\n")
    fancy = takes(screen, EIGHTHS + "█")
    samples = 0
    try:
        for chunk in chunks:
            samples += len(chunk)
            for segment in stream.push(chunk):
                print(f"{begin}{live_line(segment, fancy)}", end=end, file=screen, flush=True)
            if seconds is not None and samples >= seconds * rate_hz:
                break
    except KeyboardInterrupt:
        pass  # that is how one stops to listen
    if screen.isatty():
        print(begin, end="", file=screen, flush=True)
    return stream.finish()


def live_line(segment: Segment, fancy: bool) -> str:
    """One window on one line."""
    answer = segment.prediction
    if answer is None:
        return f"{format_clock(segment.end_s, 1)}  nobody speaks"
    emotion = UNSURE.format(answer.emotion) if answer.uncertain else answer.emotion
    confidence = f"{bar(answer.confidence, fancy)} {answer.confidence:4.0%}"
    return f"{format_clock(segment.end_s, 1)}  {emotion:{WIDEST_EMOTION}}  {confidence}  {runner_up(answer)}"


def _without_end(chunks: queue.SimpleQueue[np.ndarray]) -> Iterator[np.ndarray]:
    while True:
        yield chunks.get()


def _sounddevice() -> ModuleType:
    try:
        import sounddevice
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "'overtone listen' needs sounddevice, which is not installed: pip install 'overtone[listen]'"
        ) from error
    except OSError as error:  # its wheels for Linux come without the library
        raise MissingExtraError(
            f"'overtone listen' needs PortAudio ({error}); install it, on Debian: apt install libportaudio2"
        ) from error
    return sounddevice


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return seconds
