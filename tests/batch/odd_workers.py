"""Work for worker processes that dies in many ways; a module of its own, since they import it, and little else."""

import os
import signal
import time
from pathlib import Path

from overtone.errors import ModelError


def doubler():
    return lambda task: 2 * task


def dying(folder: str):
    """Does as the task says; "once" dies at the first attempt alone, of which it leaves a mark in the folder."""

    def work(task: str) -> str:
        mark = Path(folder) / "mark"
        if task == "killed" or (task == "once" and not mark.exists()):
            if task == "once":
                mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if task == "exits":
            os._exit(7)
        return task.upper()

    return work


def refusing():
    raise ModelError("m.onnx: is broken")


def stillborn():
    os._exit(3)


def pid_of_worker():
    return lambda task: (time.sleep(task), os.getpid())[1]


def hanging(model: str, name: str):
    """Recognises, but for files of one name, of which it never gets back."""
    from overtone.batch import recogniser_config

    recogniser_config.MAX_TASK_S = 1
    recogniser_config.is_special = lambda path: path.name == name and signal.pause()
    return recogniser_config.make_work(recogniser_config.RecogniserConfig(model), recogniser_config.sha256(Path(model)))
