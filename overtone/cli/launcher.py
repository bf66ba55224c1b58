"""Starts training runs in separate processes, as `overtone train` command lines, for `evaluate` and `reproduce`."""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from overtone.cli.progress import DISABLE_VARIABLE

if TYPE_CHECKING:  # at run time, the command must be able to report that torch is missing
    from overtone.training.cross_validation import Launcher
    from overtone.training.run_config import RunConfig

PREFIX = "overtone: "  # of every error message on stderr


def training_launcher(args: argparse.Namespace) -> "Launcher":
    """Return a launcher that runs one training in a process with one thread.

    Args:
        args: the parsed arguments with `data`, `train_data`, `corpus`, `recipe`, `labels`, `cache` and, optionally,
            `only_known_labels`, `tensorboard` and `init_from`.

    Returns:
        A function that starts or resumes the training of a run in its folder, and returns "" or the reason why it
        failed.
    """
    options = _training_options(args)

    def launch(config: "RunConfig", folder: Path) -> str:
        run_options = [f"--protocol={config.protocol}", f"--fold={config.fold}", f"--seed={config.seed}"]
        run_options += [f"--output={folder}", "--resume", "--no-export"]
        process = subprocess.run(
            [sys.executable, "-m", "overtone", "train", *options, *run_options],
            # The last line on stderr is that of an error, not of progress.
            env={**os.environ, "OMP_NUM_THREADS": "1", DISABLE_VARIABLE: "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        return _failure_reason(process)

    return launch


def _training_options(args: argparse.Namespace) -> list[str]:
    """Return the options of `overtone train` that are the same for all runs of a command."""
    options = [*(f"--data={data}" for data in args.data), *(f"--train-data={data}" for data in args.train_data)]
    options += [f"--corpus={args.corpus}", f"--recipe={args.recipe}"]
    for name in ("labels", "cache", "init_from"):
        value = getattr(args, name, None)
        if value:
            options.append(f"--{name.replace('_', '-')}={value}")
    flags = [name for name in ("only_known_labels", "tensorboard") if getattr(args, name, False)]
    return [*options, *(f"--{name.replace('_', '-')}" for name in flags)]


def _failure_reason(process: "subprocess.CompletedProcess[str]") -> str:
    """Return the last error message of a process without its prefix; "" if the process succeeded."""
    if not process.returncode:
        return ""
    lines = process.stderr.strip().splitlines() or [
        f"exit code {process.returncode} without a message; possibly out of memory"
    ]
    return next((line for line in reversed(lines) if line.startswith(PREFIX)), lines[-1]).removeprefix(PREFIX)
