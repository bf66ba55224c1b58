"""Groups of inputs that refer to each other: the statistics of each group, from which its inputs are then predicted.

    groups = assign_groups(inputs, "speaker")                # a column of the manifest, or "folder"
    file, clips = measure_groups(job, folder, processes, progress)
    make_function = partial(make_adapted_function, config, model_hash, str(file))

    DIR/parts/
    ├── reference-00000.npy     running sums per group over the first reference clips; reference-00001.npy, ...
    └── groups.npy              the sums of all parts, which the worker processes read

Only running sums are kept, on disk. They are added in the order of the inputs, so that predictions do not depend on
interruptions or on the number of processes.
"""

import io
import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from overtone._internal.atomic_write import describe_os_errors, write_bytes
from overtone._internal.progress import Progress
from overtone.batch.input_tasks import Task, choice_of, recognise_input, run_on_input
from overtone.batch.inputs import CHANNEL_COLUMN, Input, Inputs
from overtone.batch.job import BatchJob, Groups, to_task
from overtone.batch.object_storage import is_url
from overtone.batch.process_pool import TaskFunction, WorkerDied, run_tasks
from overtone.batch.recogniser_config import RecogniserConfig, load_checked
from overtone.errors import InputError, suggest
from overtone.inference.recogniser import Recogniser
from overtone.inference.speaker_statistics import MIN_CLIPS, RunningStatistics

FOLDER = "folder"  # groups by folder, unless the manifest has a column of this name
# Reference clips per group, spread evenly over it: the mean of 200 clips deviates by 0.07 standard deviations, and more
# clips would cost more time than they add.
MAX_GROUP_CLIPS = 200
PART_CLIPS = 64
GROUPS_FILE = "groups.npy"

Sums = npt.NDArray[np.float64]


def assign_groups(inputs: Inputs, by: str) -> Groups:
    """Return the number of the group of each input; None for an input of an unknown or a too small group.

    Args:
        inputs: all inputs.
        by: a column of the manifest, whose empty cells are unknown; or "folder".

    Raises:
        InputError: the inputs have no such column.
    """
    if by in inputs.columns:
        column = inputs.columns.index(by)
        names = [_column_value(row, column) for row in inputs.rows]
    elif by == CHANNEL_COLUMN and inputs.has_channels:
        names = [row.channel or None for row in inputs.rows]
    elif by == FOLDER:
        names = [_folder(row) for row in inputs.rows]
    else:
        known = (*inputs.columns, *([CHANNEL_COLUMN] if inputs.has_channels else []), FOLDER)
        raise InputError(f"{inputs.manifest or 'the inputs'}: no column '{by}' to group by{suggest(by, known)}")
    sizes = Counter(names)
    numbers = {name: number for number, name in enumerate(n for n in sizes if n is not None and sizes[n] >= MIN_CLIPS)}
    return tuple(None if name is None else numbers.get(name) for name in names)


def measure_groups(job: BatchJob, folder: Path, processes: int, progress: Progress) -> tuple[Path, int]:
    """Compute the statistics of all groups, or what remains of them.

    Inputs that cannot be recognised are left out here; the predictions report them.

    Args:
        job: the batch.
        folder: of the checkpoint.
        processes: the maximum number of processes.
        progress: called with the number of reference clips done, and the number of all steps of the batch.

    Returns:
        The file for `make_adapted_function`, and the number of reference clips.
    """
    clips = _select_clips(job.inputs.rows, job.groups)
    parts = [clips[start : start + PART_CLIPS] for start in range(0, len(clips), PART_CLIPS)]
    missing = [number for number in range(len(parts)) if _read_part(folder, number) is None]
    done, total = len(clips) - sum(len(parts[number]) for number in missing), len(clips) + len(job.inputs.rows)
    incomplete: defaultdict[int, dict[int, Any]] = defaultdict(dict)  # part -> position in the part -> result
    tasks = (
        (number * PART_CLIPS + position, to_task(job.inputs.rows[clip]))
        for number in missing
        for position, clip in enumerate(parts[number])
    )
    make_function = partial(make_features_function, job.config, job.fingerprint["model"])
    for task_number, result in run_tasks(make_function, tasks, processes):
        number, position = divmod(task_number, PART_CLIPS)
        incomplete[number][position] = result
        if len(incomplete[number]) == len(parts[number]):
            results = incomplete.pop(number)
            _write_part(folder, number, [(job.groups[clip], results[k]) for k, clip in enumerate(parts[number])])
        done += 1
        progress(done, total, "")
    groups = 1 + max((group for group in job.groups if group is not None), default=0)
    return _merge_parts(folder, len(parts), groups), len(clips)


def make_features_function(config: RecogniserConfig, model_hash: str) -> TaskFunction:
    """Return the function that computes the speaker features of one input in a worker process, as "features".

    Raises:
        ModelError: the model cannot be loaded, or its hash is not `model_hash`.
    """
    recogniser = load_checked(config, model_hash)

    def measure(task: Task) -> dict[str, Any]:
        channel = choice_of(task, config.choice).channel
        return run_on_input(lambda audio: {"features": recogniser.speaker_features(audio.read(channel)).tolist()}, task)

    return measure


def make_adapted_function(config: RecogniserConfig, model_hash: str, groups_file: str) -> TaskFunction:
    """Return the function that recognises one input in a worker process, adapted to its group.

    Its task is a pair: the task of the input, and the number of its group or None.

    Raises:
        ModelError: the model cannot be loaded, or its hash is not `model_hash`.
    """
    recogniser = load_checked(config, model_hash)
    sums: Sums = np.load(groups_file, mmap_mode="r")

    def run_task(task: tuple[Task, int | None]) -> dict[str, Any]:
        input_task, group = task
        adapted = recogniser if group is None else _adapt(recogniser, sums[group])
        return recognise_input(adapted, input_task, config.choice)

    return run_task


def _adapt(recogniser: Recogniser, sums: Sums) -> Recogniser:
    """Return the recogniser, adapted to a group that has enough clips."""
    statistics = RunningStatistics.from_array(sums)
    return recogniser if statistics.clips < MIN_CLIPS else recogniser.adapt_to(statistics.statistics())


def _column_value(row: Input, column: int) -> str | None:
    value = row.values[column]
    return None if value is None or value == "" else str(value)


def _folder(row: Input) -> str:
    path = row.name if row.origin else row.absolute().path  # the name in a table, not the file that it was copied to
    return path.rpartition("/")[0] if is_url(path) else os.path.dirname(os.path.normpath(path))  # noqa: PTH120


def _select_clips(rows: Sequence[Input], groups: Groups) -> list[int]:
    """Return the positions of the reference clips of all groups, in order: at most `MAX_GROUP_CLIPS` per group."""
    members: defaultdict[int, list[int]] = defaultdict(list)
    for position, (row, group) in enumerate(zip(rows, groups, strict=True)):
        if group is not None and not row.error:
            members[group].append(position)
    selected = []
    for positions in members.values():
        count = min(len(positions), MAX_GROUP_CLIPS)
        selected += [positions[k * len(positions) // count] for k in range(count)]
    return sorted(selected)


def _write_part(folder: Path, number: int, results: Sequence[tuple[int | None, Any]]) -> None:
    """Store the sums of each group over the clips of a part, float64 `(groups, 1 + sums)`, the group in front."""
    groups: dict[int, RunningStatistics] = {}
    for group, result in results:
        if group is not None and not isinstance(result, WorkerDied) and "features" in result:
            features = np.array(result["features"], np.float32)
            groups.setdefault(group, RunningStatistics()).add(features)
    rows = [np.concatenate([[group], statistics.to_array()]) for group, statistics in groups.items()]
    content = io.BytesIO()
    np.save(content, np.stack(rows) if rows else np.zeros((0, 0)))
    write_bytes(_part_file(folder, number), content.getvalue())


def _read_part(folder: Path, number: int) -> Sums | None:
    """Return a stored part; None if it is missing, or incomplete after a power cut."""
    try:
        rows: Sums = np.load(_part_file(folder, number))
    except (OSError, ValueError, EOFError):
        return None
    return rows


def _merge_parts(folder: Path, parts: int, groups: int) -> Path:
    """Write the sums of each group over all parts, float64 `(groups, sums)`; a row of zeros for a group without any."""
    file = folder / GROUPS_FILE
    merged: Sums | None = None
    with describe_os_errors(file):
        for number in range(parts):
            rows = _read_part(folder, number)
            if rows is None or not len(rows):
                continue
            if merged is None:
                shape = (groups, rows.shape[1] - 1)
                merged = np.lib.format.open_memmap(file, "w+", np.float64, shape)
            for row in rows:
                statistics = RunningStatistics.from_array(merged[int(row[0])])
                statistics.merge(RunningStatistics.from_array(row[1:]))
                merged[int(row[0])] = statistics.to_array()
        if merged is None:
            np.save(file, np.zeros((groups, 2)))
    return file


def _part_file(folder: Path, number: int) -> Path:
    return folder / f"reference-{number:05}.npy"
