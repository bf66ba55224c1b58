"""A process that recognises for the service: it may crash or hang, and costs the one request that it was at.

Its standard input is a socket to the service. It is told what to be, says `{"ready": card}`, and then does tasks one
after the other: each is a message with the name of the task as "do", and perhaps bytes. What cannot be done because of
what the client sent is a result too: `{"refused": why}`. It ends when the service does.
"""

import io
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from overtone._internal.prediction_codec import encode_prediction
from overtone.audio.blocks import blocks, measure_duration
from overtone.audio.decode import check_duration, read
from overtone.audio.source import source_name
from overtone.datatypes import SAMPLE_RATE_HZ
from overtone.errors import InputError, OvertoneError
from overtone.formats import write_timeline
from overtone.inference.recogniser import Recogniser, load
from overtone.inference.streaming import Stream
from overtone.service.ipc import Channel, Message
from overtone.service.timeline_codec import decode, encode
from overtone.service.worker_streams import WorkerStreams
from overtone.speaker_turns import read_turns
from overtone.timeline import Segment

PARENT_LOOK_S = 1.0
MAX_OVERLAPPING_SPEAKERS = 16  # speakers who have a turn, over the whole recording

Reply = tuple[Message, bytes]


class TaskHandler:
    """What such a process can do.

    Args:
        recogniser: that answers.
        tell: takes messages on the way to a result.
    """

    def __init__(self, recogniser: Recogniser, tell: Callable[[Message], None]) -> None:
        self._recogniser = recogniser
        self._tell = tell
        streams = WorkerStreams(recogniser)
        self._known: dict[str, Callable[[Message, bytes], Reply]] = {
            "recognise": self._recognise,
            "timeline": self._timeline,
            "write": self._write,
            "open": streams.open,
            "push": streams.push,
            "finish": streams.finish,
            "close": streams.close,
        }

    def do(self, task: Message, payload: bytes) -> Reply:
        """The result of one task."""
        try:
            return self._known[task["do"]](task, payload)
        except OvertoneError as error:
            return {"refused": _renamed(str(error), task)}, b""

    def _recognise(self, task: Message, payload: bytes) -> Reply:
        """The numbers of the answer for a sound file, which is the payload."""
        waveform = read(payload, longest_s=task["longest_s"])
        return {"answer": encode_prediction(self._recogniser.recognise(waveform))}, b""

    def _timeline(self, task: Message, payload: bytes) -> Reply:
        """The timeline of a file, as `compact_result` packs it; says on the way how much of it has been heard."""
        duration_s = measure_duration(task["path"])
        check_duration(duration_s, task["longest_s"], task["path"])
        turns = None if task["turns"] is None else read_turns(Path(task["turns"]), task["name"])
        _check_overlap(turns or (), duration_s, task["name"])
        stream = Stream(self._recogniser, SAMPLE_RATE_HZ, task["name"], turns)
        heard = 0
        for block in blocks(task["path"]):
            for first in range(0, len(block), 10 * SAMPLE_RATE_HZ):  # often enough to be stopped
                part = block[first : first + 10 * SAMPLE_RATE_HZ]
                stream.feed(part)
                heard += len(part)
                self._tell({"processed_s": heard / SAMPLE_RATE_HZ, "duration_s": duration_s})
        return {"duration_s": duration_s}, encode(stream.finish())

    def _write(self, task: Message, payload: bytes) -> Reply:
        """A timeline, packed, in a form."""
        content = io.BytesIO()
        stream = io.TextIOWrapper(content, "utf-8", "surrogateescape", newline="")
        write_timeline(decode(payload), stream, task["form"], is_here=False)
        stream.flush()
        return {}, content.getvalue()


def _check_overlap(turns: Iterable[Segment], duration_s: float, name: str) -> None:
    """Nothing, where turns lie so that the work is that for a few recordings: each is heard by itself.

    Raises:
        InputError: they lie upon each other more often than people speak at the same time.
    """
    if sum(turn.duration_s for turn in turns) > MAX_OVERLAPPING_SPEAKERS * duration_s:
        raise InputError(f"{name}: more than {MAX_OVERLAPPING_SPEAKERS} turns at the same time all along; give fewer")


def _renamed(text: str, task: Message) -> str:
    """A message under the name that the client gave, not that of our file."""
    for ours in (task.get("turns"), task.get("path"), source_name(b"")):
        text = text.replace(ours, task["name"]) if ours and "name" in task else text
    return text


def work(channel: Channel) -> None:
    """Does tasks until the service is gone."""
    setting, _ = channel.receive()
    os.nice(setting["nice"])
    try:
        recogniser = load(setting["model"] or None, uncertain_below=setting["uncertain_below"])
    except OvertoneError as error:
        channel.send({"failed": str(error)})
        return
    tasks = TaskHandler(recogniser, channel.send)
    channel.send({"ready": {**recogniser.card, "uncertain_below": recogniser.uncertain_below}})
    while True:
        channel.send(*tasks.do(*channel.receive()))


def _end_with(parent: int) -> None:
    """Ends this process, whatever it is at, once its parent is another."""
    while os.getppid() == parent:
        time.sleep(PARENT_LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)


def _quieten_decoders() -> None:
    """What libraries in C print over damaged files goes nowhere; what Python prints still goes to stderr."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)


def _tell_no_names(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Tells where this process came to grief and of what kind of error, but nothing of what a client has sent."""
    sys.stderr.write("".join(traceback.format_tb(trace)) + f"{kind.__name__}\n")


if __name__ == "__main__":
    sys.excepthook = _tell_no_names
    _quieten_decoders()
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    with suppress(ConnectionError):
        work(Channel(socket.socket(fileno=os.dup(0))))
