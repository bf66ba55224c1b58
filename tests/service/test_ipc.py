"""Messages come as they were sent, in time or not at all."""

import os
import socket
import threading
import time

import pytest

from overtone.service.ipc import HEAD, MAX_MESSAGE_BYTES, Channel


def test_messages_come_whole() -> None:
    ours, theirs = map(Channel, socket.socketpair())
    content = os.urandom(3_000_000)
    sender = threading.Thread(target=ours.send, args=({"do": "ü"}, content))
    sender.start()
    assert theirs.receive(30) == ({"do": "ü"}, content)
    sender.join()
    theirs.send({}, within_s=5)
    assert ours.receive() == ({}, b"")
    ours.close()
    with pytest.raises(ConnectionError):
        theirs.receive(5)
    theirs.close()


def test_nobody_is_waited_for_for_ever() -> None:
    ours, theirs = map(Channel, socket.socketpair())
    begin_s = time.monotonic()
    with pytest.raises(TimeoutError):
        ours.receive(0.2)
    with pytest.raises(TimeoutError):
        ours.send({}, bytes(50_000_000), within_s=0.2)
    assert time.monotonic() - begin_s < 5
    ours.close()
    theirs.close()


@pytest.mark.parametrize("said", [HEAD.pack(2, MAX_MESSAGE_BYTES + 1) + b"{}", HEAD.pack(3, 0) + b"{x}"])
def test_who_has_gone_wrong_is_not_listened_to(said: bytes) -> None:
    wire, end = socket.socketpair()
    with wire:
        wire.sendall(said)
        channel = Channel(end)
        with pytest.raises(ConnectionError, match="does not speak as it should"):
            channel.receive(5)
        channel.close()
