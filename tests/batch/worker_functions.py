"""Task functions that kill their worker processes; a separate module, since the workers import it and little else."""

import os
import signal
import time
from pathlib import Path

from overtone.errors import ModelError


def make_doubler():
    return lambda task: 2 * task


def make_crashing(folder: str):
    """Dies as the task says; "once" dies at the first attempt only, which it records in the folder."""

    def run(task: str) -> str:
        marker = Path(folder) / "marker"
        if task == "killed" or (task == "once" and not marker.exists()):
            if task == "once":
                marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if task == "exits":
            os._exit(7)
        return task.upper()

    return run


def make_nothing():
    raise ModelError("m.onnx: is broken")


def die_at_startup():
    os._exit(3)


def make_pid_reporter():
    """Sleeps as many seconds as the task says and returns the process id."""
    return lambda task: (time.sleep(task), os.getpid())[1]


def make_hanging(model: str, name: str):
    """Recognises, but hangs on files with this name."""
    from overtone.batch import input_tasks, recogniser_config

    input_tasks.MAX_TASK_S = 1
    input_tasks.is_special = lambda path: path.name == name and signal.pause()
    config = recogniser_config.RecogniserConfig(model)
    return recogniser_config.make_task_function(config, recogniser_config.hash_files(Path(model)))
