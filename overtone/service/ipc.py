"""Messages between the service and a worker, over a socket: what JSON knows, and bytes beside it; with a deadline."""

import json
import socket
import struct
import time
from typing import Any

HEAD = struct.Struct("<IQ")  # bytes of JSON, bytes beside it
MAX_MESSAGE_BYTES = 2**32  # of one message: a worker that has gone wrong cannot make us ask for more memory
FOREVER: float | None = None

Message = dict[str, Any]


class Channel:
    """One end of a socket.

    Args:
        end: connected; the channel closes it.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, message: Message, payload: bytes = b"", within_s: float | None = FOREVER) -> None:
        """Sends a message.

        Raises:
            TimeoutError: the other end does not take it in time.
            ConnectionError: the other end has gone.
        """
        text = json.dumps(message).encode()
        self._end.settimeout(within_s)
        self._end.sendall(HEAD.pack(len(text), len(payload)) + text)
        if payload:
            self._end.sendall(payload)

    def receive(self, within_s: float | None = FOREVER) -> tuple[Message, bytes]:
        """The next message.

        Raises:
            TimeoutError: none is whole in time.
            ConnectionError: the other end has gone, or has gone wrong.
        """
        until = None if within_s is None else time.monotonic() + within_s
        text_bytes, payload_bytes = HEAD.unpack(self._exactly(HEAD.size, until))
        if payload_bytes > MAX_MESSAGE_BYTES:
            raise ConnectionError("the other end does not speak as it should")
        text = self._exactly(text_bytes, until)
        try:
            message = json.loads(text)
        except ValueError as error:
            raise ConnectionError("the other end does not speak as it should") from error
        return message, bytes(self._exactly(payload_bytes, until))

    def close(self) -> None:
        """Ends the channel: the other end learns so."""
        self._end.close()

    def _exactly(self, count: int, until: float | None) -> bytearray:
        taken = bytearray(count)
        view, place = memoryview(taken), 0
        while place < count:
            if until is not None:
                self._end.settimeout(max(1e-3, until - time.monotonic()))
            else:
                self._end.settimeout(None)
            got = self._end.recv_into(view[place:])
            if not got:
                raise ConnectionError("the other end has gone")
            place += got
        return taken
