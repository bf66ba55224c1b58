"""Audio streams that one worker processes at the same time, each under an id given by the service."""

import io

import numpy as np

from overtone.errors import AudioError
from overtone.formats.timeline_json import segment_to_object, write
from overtone.inference.recogniser import Recogniser
from overtone.inference.streaming import Stream
from overtone.service.ipc import Message

ENCODINGS: dict[str, np.dtype] = {"pcm16": np.dtype("<i2"), "float32": np.dtype("<f4")}

Reply = tuple[Message, bytes]


class WorkerStreams:
    """The open streams of a worker; each public method is a task.

    Args:
        recogniser: processes the streams.
    """

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._streams: dict[str, WorkerStream] = {}

    def open(self, task: Message, payload: bytes) -> Reply:
        """Open a stream; the task holds the client's first message and the limits of the service."""
        self._streams[task["stream"]] = WorkerStream(
            self._recogniser.stream(task["rate_hz"], source=task["name"], adapt=task["adapt"]),
            ENCODINGS[task["encoding"]],
            task["channels"],
            task["rate_hz"],
            task["max_duration_s"],
        )
        return {"emotions": self._recogniser.emotions, "model": self._recogniser.card["id"]}, b""

    def push(self, task: Message, payload: bytes) -> Reply:
        """Add a chunk of samples; the reply lists the segments that it completes."""
        return {"segments": self._get(task).push(payload)}, b""

    def finish(self, task: Message, payload: bytes) -> Reply:
        """End a stream; the payload of the reply is its timeline as JSON."""
        try:
            text = io.StringIO()
            write(self._get(task).stream.finish(), text)
            return {}, text.getvalue().encode()
        finally:
            self.close(task, b"")

    def close(self, task: Message, payload: bytes) -> Reply:
        """Discard a stream, if it is open."""
        if (discarded := self._streams.pop(task["stream"], None)) is not None:
            discarded.stream.close()
        return {}, b""

    def _get(self, task: Message) -> "WorkerStream":
        if task["stream"] not in self._streams:
            raise AudioError("stream: lost, because its worker process has died; open another stream")
        return self._streams[task["stream"]]


class WorkerStream:
    """A stream that takes samples as bytes.

    Args:
        stream: processes the samples.
        dtype: type of a sample.
        channels: interleaved channels.
        rate_hz: frames per second.
        max_duration_s: duration limit of the stream.
    """

    def __init__(self, stream: Stream, dtype: np.dtype, channels: int, rate_hz: float, max_duration_s: float) -> None:
        self.stream = stream
        self._dtype, self._channels = dtype, channels
        self._remaining_frames = round(max_duration_s * rate_hz)
        self._max_duration_s = max_duration_s

    def push(self, content: bytes) -> list[Message]:
        """Add samples and return the segments that they complete, as JSON objects.

        Raises:
            AudioError: a partial frame, or more audio than the limit.
        """
        frame_bytes = self._dtype.itemsize * self._channels
        if len(content) % frame_bytes:
            raise AudioError(f"stream: a chunk of {len(content)} bytes is not a multiple of {frame_bytes}")
        frames = np.frombuffer(content, self._dtype).reshape(-1, self._channels)
        self._remaining_frames -= len(frames)
        if self._remaining_frames < 0:
            raise AudioError(f"stream: more than {self._max_duration_s:.0f} s of audio; open another stream")
        return [segment_to_object(segment) for segment in self.stream.push(frames)]
