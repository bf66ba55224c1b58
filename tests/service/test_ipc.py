"""Messages arrive unchanged, and every wait has a timeout."""

import os
import socket
import threading
import time

import pytest

from overtone.service.ipc import HEADER, MAX_MESSAGE_BYTES, Channel


def test_messages_arrive_unchanged() -> None:
    ours, theirs = map(Channel, socket.socketpair())
    content = os.urandom(3_000_000)
    sender = threading.Thread(target=ours.send, args=({"task": "ü"}, content))
    sender.start()
    assert theirs.receive(30) == ({"task": "ü"}, content)
    sender.join()
    theirs.send({}, timeout_s=5)
    assert ours.receive() == ({}, b"")
    ours.close()
    with pytest.raises(ConnectionError):
        theirs.receive(5)
    theirs.close()


def test_send_and_receive_time_out() -> None:
    ours, theirs = map(Channel, socket.socketpair())
    begin_s = time.monotonic()
    with pytest.raises(TimeoutError):
        ours.receive(0.2)
    with pytest.raises(TimeoutError):
        ours.send({}, bytes(50_000_000), timeout_s=0.2)
    assert time.monotonic() - begin_s < 5
    ours.close()
    theirs.close()


@pytest.mark.parametrize("content", [HEADER.pack(2, MAX_MESSAGE_BYTES + 1) + b"{}", HEADER.pack(3, 0) + b"{x}"])
def test_invalid_messages_are_connection_errors(content: bytes) -> None:
    peer, end = socket.socketpair()
    with peer:
        peer.sendall(content)
        channel = Channel(end)
        with pytest.raises(ConnectionError, match="invalid message"):
            channel.receive(5)
        channel.close()
