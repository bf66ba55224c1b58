"""A worker of the service that dies, hangs or refuses as its task says; run as a program of its own."""

import contextlib
import os
import signal
import socket
import sys
import time
from pathlib import Path

from overtone.service.ipc import Channel

COMMAND = (sys.executable, __file__)


def main() -> None:
    channel = Channel(socket.socket(fileno=os.dup(0)))
    setting, _ = channel.receive()
    if setting.get("model") == "refused":
        channel.send({"failed": "m.onnx: is broken"})
        return
    if setting.get("model") == "stillborn":
        sys.exit(3)
    channel.send({"ready": {"id": "odd", "emotions": ["happy", "sad"], "uncertain_below": 0.5}})
    while True:
        task, payload = channel.receive()
        if "path" in task:
            payload = Path(task["path"]).read_bytes()
        how = task.get("how") or payload.decode("ascii", "replace")
        if how == "once" and not Path(task["mark"]).exists():
            Path(task["mark"]).touch()
            how = "dies"
        if how == "dies":
            os.kill(os.getpid(), signal.SIGSEGV)
        if how.startswith("sleeps"):
            time.sleep(float(how.removeprefix("sleeps")))
        if how == "tells":
            channel.send({"processed_s": 1.0, "duration_s": 2.0})
            time.sleep(0.2)
        if how == "refuses":
            channel.send({"refused": "x: is no sound"})
            continue
        even = [0.75, 0.25]
        answer = {"probabilities": even, "branches": {"mel": even, "prosody": even}, "duration_s": 1.0, "prosody": {}}
        channel.send({"answer": answer, "pid": os.getpid(), "duration_s": 1.0, "segments": []}, payload)


if __name__ == "__main__":
    with contextlib.suppress(ConnectionError):
        main()
