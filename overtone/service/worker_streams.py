"""Streams that a worker hears at the same time, each under the name that the service gave it."""

import io

import numpy as np

from overtone.errors import AudioError
from overtone.formats.timeline_json import segment_object, write
from overtone.inference.recogniser import Recogniser
from overtone.inference.streaming import Stream
from overtone.service.ipc import Message

ENCODINGS: dict[str, np.dtype] = {"pcm16": np.dtype("<i2"), "float32": np.dtype("<f4")}

Reply = tuple[Message, bytes]


class WorkerStreams:
    """The streams; every method is a task of a worker.

    Args:
        recogniser: that hears them.
    """

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._open: dict[str, WorkerStream] = {}

    def open(self, task: Message, payload: bytes) -> Reply:
        """Begins a stream; the task is the hello of the client with limits of ours."""
        self._open[task["stream"]] = WorkerStream(
            self._recogniser.stream(task["rate_hz"], source=task["name"]),
            ENCODINGS[task["encoding"]],
            task["channels"],
            task["rate_hz"],
            task["longest_s"],
        )
        return {"emotions": self._recogniser.emotions, "model": self._recogniser.card["id"]}, b""

    def push(self, task: Message, payload: bytes) -> Reply:
        """Takes a chunk; the segments that it completes."""
        return {"segments": self._named(task).push(payload)}, b""

    def finish(self, task: Message, payload: bytes) -> Reply:
        """Ends a stream; its timeline as JSON."""
        try:
            text = io.StringIO()
            write(self._named(task).stream.finish(), text)
            return {}, text.getvalue().encode()
        finally:
            self.close(task, b"")

    def close(self, task: Message, payload: bytes) -> Reply:
        """Forgets a stream."""
        if (one := self._open.pop(task["stream"], None)) is not None:
            one.stream.close()
        return {}, b""

    def _named(self, task: Message) -> "WorkerStream":
        if task["stream"] not in self._open:
            raise AudioError("stream: was lost with the process that heard it; begin another one")
        return self._open[task["stream"]]


class WorkerStream:
    """A stream, and how its bytes are read."""

    def __init__(self, stream: Stream, kind: np.dtype, channels: int, rate_hz: float, longest_s: float) -> None:
        self.stream = stream
        self._kind, self._channels = kind, channels
        self._left_frames = round(longest_s * rate_hz)
        self._longest_s = longest_s

    def push(self, content: bytes) -> list[Message]:
        """The segments that so many bytes complete, as JSON knows them."""
        frame_bytes = self._kind.itemsize * self._channels
        if len(content) % frame_bytes:
            raise AudioError(f"stream: a chunk of {len(content)} bytes, which is no multiple of {frame_bytes}")
        frames = np.frombuffer(content, self._kind).reshape(-1, self._channels)
        self._left_frames -= len(frames)
        if self._left_frames < 0:
            raise AudioError(f"stream: more than {self._longest_s:.0f} s of sound; begin another one")
        return [segment_object(segment) for segment in self.stream.push(frames)]
