"""`overtone listen`: live predictions from the microphone on stderr, and a timeline at the end (Ctrl-C or `--seconds`).

A new prediction for the last 3 s appears every 1.5 s. The audio is stored only for an output format that embeds it.
"""

import argparse
import contextlib
import queue
import sys
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any, TextIO

import numpy as np

from overtone.annotations.label_texts import NO_SPEECH
from overtone.audio.recording_buffer import RecordingBuffer, recording_buffer
from overtone.channels import channel_index
from overtone.cli.argtypes import positive_seconds, single_channel
from overtone.cli.errors import print_error
from overtone.cli.options import load_recogniser, no_adapt_argument, recogniser_arguments, threads_argument
from overtone.cli.output import check_dialect, check_output_suffix, choose_format
from overtone.cli.timeline import format_arguments, write_output
from overtone.errors import AudioError, MissingExtraError
from overtone.formats import TIMELINE_FORMATS, get_timeline_format
from overtone.formats.annotation_tiers import format_clock
from overtone.formats.html_player import MAX_EMBEDDED_S
from overtone.formats.table import BAR_EIGHTHS, bar, can_encode, emotion_label, runner_up
from overtone.inference.recogniser import Recogniser
from overtone.timeline import Segment, Timeline

CHUNK_S = 0.1
CLEAR_LINE = "\r\x1b[K"
EMOTION_CELLS = 21


def listen_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --seconds, --device, --channel, --no-adapt, the options of the recogniser and those of the output."""
    parser.add_argument(
        "--seconds", metavar="S", type=positive_seconds, help="stop after S seconds (default: record until Ctrl-C)"
    )
    parser.add_argument(
        "--device", metavar="NAME",
        help="the name or number of the microphone, as listed by python -m sounddevice (default: the system default)",
    )  # fmt: skip
    parser.add_argument(
        "--channel", metavar="left|right|N|mix", type=single_channel,
        help="the channel of a device with several: left or right of two, a number from 1, or mix, the mean of all "
        "(default: the device is opened with one channel)",
    )  # fmt: skip
    recogniser_arguments(parser)
    no_adapt_argument(parser)
    threads_argument(parser)
    format_arguments(parser)


def listen(args: argparse.Namespace) -> int:
    """Recognise what the microphone records and write the timeline at the end."""
    sounddevice = _import_sounddevice()
    check_output_suffix(args.format, args.output, TIMELINE_FORMATS)
    format_name = choose_format(args.format, args.output, TIMELINE_FORMATS)
    check_dialect(args.csv_dialect, format_name, TIMELINE_FORMATS)
    recogniser, skipped_clips = load_recogniser(args)
    with contextlib.ExitStack() as stack:
        buffer: RecordingBuffer | None = None
        try:
            with microphone(sounddevice, args.device, args.channel) as (rate_hz, chunks):
                if get_timeline_format(format_name).embeds_audio:
                    buffer = stack.enter_context(recording_buffer(rate_hz, MAX_EMBEDDED_S))
                    chunks = buffer.tee(chunks)
                timeline = record_timeline(
                    recogniser, rate_hz, chunks, sys.stderr, args.seconds, args.threads, adapt=not args.no_adapt
                )
        except sounddevice.PortAudioError as error:
            raise AudioError(
                f"microphone: cannot be recorded: {error}; list the devices with: python -m sounddevice"
            ) from error
        write_output(timeline, args.output, format_name, _recorded_audio(buffer), dialect=args.csv_dialect)
    return 1 if skipped_clips else 0


def _recorded_audio(buffer: RecordingBuffer | None) -> Iterator[np.ndarray] | None:
    """Return the stored audio; None if none was stored, with a message if storing it failed."""
    audio = None if buffer is None else buffer.blocks()
    if buffer is not None and audio is None:
        print_error(f"microphone: the audio was not stored: {buffer.failure}")
    return audio


@contextlib.contextmanager
def microphone(
    sounddevice: ModuleType, device: str | None, channel: str | None = None
) -> Iterator[tuple[float, Iterator[np.ndarray]]]:
    """Yield the sample rate of a microphone in Hz, and an endless iterator over its chunks `(samples, 1)`.

    Args:
        sounddevice: the package.
        device: name or number of the device; None for the default one.
        channel: the channel to use, as `overtone.channels.parse_channel` returns it, or the mean of all; None to open
            the device with one channel.

    Raises:
        AudioError: the device has no such channel.
    """
    name_or_number = int(device) if device is not None and device.isdigit() else device
    found = sounddevice.query_devices(name_or_number, "input")
    rate_hz, channels = float(found["default_samplerate"]), 1
    index: int | None = None
    if channel is not None:
        channels = int(found["max_input_channels"])
        index = channel_index(channel, channels, f"microphone '{found['name']}'")
    chunks: queue.SimpleQueue[np.ndarray] = queue.SimpleQueue()

    def on_chunk(samples: np.ndarray, *_: Any) -> None:
        mono = samples.mean(axis=1, keepdims=True) if index is None else samples[:, index : index + 1]
        chunks.put(mono.copy())  # PortAudio reuses this memory

    with sounddevice.InputStream(
        samplerate=rate_hz,
        blocksize=round(CHUNK_S * rate_hz),
        device=name_or_number,
        channels=channels,
        dtype="float32",
        callback=on_chunk,
    ):
        yield rate_hz, _iterate_forever(chunks)


def record_timeline(
    recogniser: Recogniser,
    rate_hz: float,
    chunks: Iterable[np.ndarray],
    screen: TextIO,
    seconds: float | None = None,
    threads: int = 1,
    adapt: bool = True,
) -> Timeline:
    """Return the timeline of all chunks, and meanwhile show the latest prediction.

    Args:
        recogniser: the model.
        rate_hz: samples per second of the chunks.
        chunks: consecutive audio `(samples, 1)`; recording ends with them, at Ctrl-C or after `seconds`.
        screen: stream for the live predictions: one line that is overwritten on a terminal, else a line each.
        seconds: duration after which to stop; None for no limit.
        threads: CPU threads to use.
        adapt: whether to adapt the recording to itself.
    """
    stream = recogniser.stream(rate_hz, source="microphone", threads=threads, adapt=adapt)
    start, end = (CLEAR_LINE, "") if screen.isatty() else ("", "\n")
    block_characters = can_encode(screen, BAR_EIGHTHS + "█")
    samples = 0
    try:
        for chunk in chunks:
            samples += len(chunk)
            for segment in stream.push(chunk):
                print(f"{start}{live_line(segment, block_characters)}", end=end, file=screen, flush=True)
            if seconds is not None and samples >= seconds * rate_hz:
                break
    except KeyboardInterrupt:
        pass  # Ctrl-C is the normal way to stop
    if screen.isatty():
        print(start, end="", file=screen, flush=True)
    return stream.finish()


def live_line(segment: Segment, block_characters: bool) -> str:
    """Return the line for one window: time, emotion, confidence and runner-up."""
    prediction = segment.prediction
    if prediction is None:
        return f"{format_clock(segment.end_s, 1)}  {NO_SPEECH}"
    emotion = emotion_label(prediction)
    confidence = f"{bar(prediction.confidence, block_characters)} {prediction.confidence:4.0%}"
    return f"{format_clock(segment.end_s, 1)}  {emotion:{EMOTION_CELLS}}  {confidence}  {runner_up(prediction)}"


def _iterate_forever(chunks: queue.SimpleQueue[np.ndarray]) -> Iterator[np.ndarray]:
    while True:
        yield chunks.get()


def _import_sounddevice() -> ModuleType:
    try:
        import sounddevice
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "'overtone listen' needs sounddevice, which is not installed: pip install 'overtone[listen]'"
        ) from error
    except OSError as error:  # its wheels for Linux do not include PortAudio
        raise MissingExtraError(
            f"'overtone listen' needs PortAudio ({error}); install it, on Debian: apt install libportaudio2"
        ) from error
    return sounddevice
