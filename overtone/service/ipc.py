"""Messages between the service and a worker over a socket: a JSON object and a binary payload, with timeouts."""

import json
import socket
import struct
import time
from typing import Any

HEADER = struct.Struct("<IQ")  # sizes of the JSON text and of the payload in bytes
MAX_MESSAGE_BYTES = 2**32  # bounds the memory that a corrupt header can make us allocate
NO_TIMEOUT: float | None = None

Message = dict[str, Any]


class Channel:
    """One end of a connected socket that carries messages.

    Args:
        connection: the socket; the channel closes it.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    def send(self, message: Message, payload: bytes = b"", timeout_s: float | None = NO_TIMEOUT) -> None:
        """Send a message.

        Raises:
            TimeoutError: the peer does not read it in time.
            ConnectionError: the peer has closed the connection.
        """
        text = json.dumps(message).encode()
        self._socket.settimeout(timeout_s)
        self._socket.sendall(HEADER.pack(len(text), len(payload)) + text)
        if payload:
            self._socket.sendall(payload)

    def receive(self, timeout_s: float | None = NO_TIMEOUT) -> tuple[Message, bytes]:
        """Return the next message and its payload.

        Raises:
            TimeoutError: no complete message arrives in time.
            ConnectionError: the peer has closed the connection, or sends invalid data.
        """
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        text_bytes, payload_bytes = HEADER.unpack(self._read_exactly(HEADER.size, deadline_s))
        if payload_bytes > MAX_MESSAGE_BYTES:
            raise ConnectionError("invalid message from the peer: the payload is too large")
        text = self._read_exactly(text_bytes, deadline_s)
        try:
            message = json.loads(text)
        except ValueError as error:
            raise ConnectionError("invalid message from the peer: no JSON") from error
        return message, bytes(self._read_exactly(payload_bytes, deadline_s))

    def close(self) -> None:
        """Close the connection; the peer gets a `ConnectionError`."""
        self._socket.close()

    def _read_exactly(self, count: int, deadline_s: float | None) -> bytearray:
        content = bytearray(count)
        view, position = memoryview(content), 0
        while position < count:
            if deadline_s is not None:
                self._socket.settimeout(max(1e-3, deadline_s - time.monotonic()))
            else:
                self._socket.settimeout(None)
            read_bytes = self._socket.recv_into(view[position:])
            if not read_bytes:
                raise ConnectionError("the peer has closed the connection")
            position += read_bytes
        return content
