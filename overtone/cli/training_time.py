"""Says before the first epoch how long training runs will take."""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from overtone.cli.progress import DISABLE_VARIABLE, duration
from overtone.errors import OvertoneError

if TYPE_CHECKING:
    from overtone.training.time_estimate import Estimate, Job

# Training clips times epochs and networks: trainings of fewer take little longer than an estimate.
MIN_CLIP_EPOCHS = 2000


def print_estimate(jobs: Sequence["Job"], args: argparse.Namespace) -> None:
    """Print on stderr how long these runs take; nothing if none is left to train, or if it takes seconds.

    Args:
        jobs: the runs.
        args: the parsed arguments, with `cache` and, optionally, `processes`.
    """
    from overtone.training.time_estimate import clip_epochs, estimate

    jobs = [job for job in jobs if job.configs]
    if os.environ.get(DISABLE_VARIABLE) or not jobs:
        return
    with suppress(OvertoneError):  # the training reports it, of all clips and not only of those that are tried here
        if sum(map(clip_epochs, jobs)) >= MIN_CLIP_EPOCHS:
            found = estimate(jobs, cache=args.cache, processes=getattr(args, "processes", 1))
            print(describe_estimate(found), file=sys.stderr, flush=True)


def describe_estimate(found: "Estimate") -> str:
    """Return an estimate as a line, such as `5 runs, 25 networks: about 12 min (training 12 min)`."""
    parts = [f"training {duration(found.training_s)}"]
    if found.feature_clips:
        parts.insert(0, f"features of {found.feature_clips} clips, with augmented ones, {duration(found.feature_s)}")
    runs, networks = _count(found.runs, "run"), _count(found.networks, "network")
    return f"{runs}, {networks}: about {duration(found.seconds)} ({', '.join(parts)})"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("s" if number != 1 else "")
