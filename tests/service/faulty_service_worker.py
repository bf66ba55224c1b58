"""A worker program for tests that dies, hangs or rejects as its task says."""

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
    config, _ = channel.receive()
    if config.get("model") == "broken":
        channel.send({"failed": "m.onnx: is broken"})
        return
    if config.get("model") == "dies at start":
        sys.exit(3)
    channel.send({"ready": {"id": "faulty", "predicted_emotions": ["happy", "sad"], "uncertain_below": 0.5}})
    while True:
        task, payload = channel.receive()
        if "path" in task:
            payload = Path(task["path"]).read_bytes()
        behaviour = task.get("behaviour") or payload.decode("ascii", "replace")
        if behaviour == "dies once" and not Path(task["marker"]).exists():
            Path(task["marker"]).touch()
            behaviour = "dies"
        if behaviour == "dies":
            os.kill(os.getpid(), signal.SIGSEGV)
        if behaviour.startswith("sleeps"):
            time.sleep(float(behaviour.removeprefix("sleeps")))
        if behaviour == "reports":
            channel.send({"processed_s": 1.0, "duration_s": 2.0})
            time.sleep(0.2)
        if behaviour == "rejects":
            channel.send({"rejected": "x: is not an audio file"})
            continue
        probabilities = [0.75, 0.25]
        prediction = {
            "probabilities": probabilities,
            "branches": {"mel": probabilities, "prosody": probabilities},
            "duration_s": 1.0,
            **{"speech_s": 1.0, "arousal": 0.75, "valence": None},
            "prosody": {},
            "reference_clips": 0,
            "channel": "",
        }
        channel.send({"prediction": prediction, "pid": os.getpid(), "duration_s": 1.0, "segments": []}, payload)


if __name__ == "__main__":
    with contextlib.suppress(ConnectionError):
        main()
