"""The engine for many machines: a Ray cluster runs the parts of a batch, and any of its nodes may die meanwhile.

It uses Ray tasks rather than Ray Data, which retries a block whose process died without limit: one file that crashes
the decoder would block the batch. Here a part whose process died is run again with its inputs isolated (see
`overtone.batch.ray_task`). Nodes read the audio and write the predictions themselves; Ray returns only counts.
"""

import os
import socket
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from overtone._internal.progress import Progress
from overtone.batch import object_storage
from overtone.batch.checkpoint import Report
from overtone.batch.job import BatchJob, Partitioner
from overtone.batch.parquet_sink import ParquetSink
from overtone.batch.ray_task import RayTask, run_part
from overtone.errors import MissingExtraError, OvertoneError

FORMATS = ("parquet",)
MIN_PART_SIZE, MAX_PART_SIZE = 64, 4096  # inputs
TARGET_PARTS = 1000  # more parts would only mean more files
MAX_PART_DEATHS = 10  # process deaths per part; more cannot be a coincidence
PARTS_PER_CORE = 2  # submitted to the cluster: one in progress, and one to start without waiting for the command
CONNECT_TIMEOUT_S = 20.0
WAIT_TIMEOUT_S = 5.0  # interval at which the size of the cluster is checked again


def run(job: BatchJob, output: str, processes: int | None, progress: Progress) -> Report:
    """Run the remaining parts of a batch on the Ray cluster of the environment, and return its report.

    Args:
        job: the batch.
        output: a folder that every node sees under this path, or a URL.
        processes: the maximum number of processes; None for one per core of the cluster.
        progress: called with the number of inputs done.

    Raises:
        MissingExtraError: Ray is not installed.
        OvertoneError: there is no cluster, a node has other code or another model, or the folder holds other files or
            cannot be written.
    """
    output = object_storage.resolve_file_url(output)
    if not object_storage.is_url(output):
        output = str(Path.cwd() / output)
    sink = ParquetSink(output)
    if (report := sink.read_report(job.fingerprint)) is not None:
        return report
    partition = Partitioner(job.inputs.rows, part_size(len(job.inputs.rows)), job.shard)
    with _Cluster() as cluster:
        sink.start(job.fingerprint)
        completed = sink.completed_parts()
        missing = [part for part in partition.parts if part not in completed]
        done = len(partition) - sum(len(partition.rows(part)) for part in missing)
        for part in cluster.run_parts(_make_task(job, output), partition, missing, processes):
            done += len(partition.rows(part))
            progress(done, len(partition), "")
    return sink.finish(job.fingerprint, job.schema, partition.parts)


def part_size(inputs: int) -> int:
    """Return the number of inputs per part: a power of two that gives about a thousand parts, within the limits."""
    size = MIN_PART_SIZE
    while size < MAX_PART_SIZE and inputs > size * TARGET_PARTS:
        size *= 2
    return size


def _make_task(job: BatchJob, output: str) -> RayTask:
    folder, config = Path.cwd(), job.config
    model = str(folder / config.model) if config.model else ""
    clips = None if config.reference is None else tuple(str(folder / clip) for clip in config.reference)
    absolute = config._replace(model=model, reference=clips)
    expected = tuple((name, str(job.fingerprint[name])) for name in ("model", "reference", "code"))
    return RayTask(output, absolute, expected, job.schema)


class _Cluster:
    """A connection to the running cluster; the end of the `with` closes it."""

    def __init__(self) -> None:
        self._ray = import_ray()
        self._owns_connection = not self._ray.is_initialized()
        if not self._owns_connection:
            return
        try:
            _check_listening(os.environ.get("RAY_ADDRESS", ""))
            self._ray.init(address="auto", log_to_driver=False, logging_level="ERROR")
        except (OSError, RuntimeError, ValueError) as error:
            raise OvertoneError(
                f"cannot connect to a Ray cluster ({error}); start one with 'ray start --head', or set RAY_ADDRESS; "
                "see docs/scale.md"
            ) from error

    def __enter__(self) -> "_Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        if self._owns_connection:
            self._ray.shutdown()

    def run_parts(
        self, task: RayTask, partition: Partitioner, missing: Sequence[int], processes: int | None
    ) -> Iterator[int]:
        """Run parts and yield their numbers in order of completion.

        Args:
            task: what each node runs.
            partition: number of a part -> its inputs.
            missing: numbers of the parts to run.
            processes: at most so many at once; None for a few per core of the cluster, so that none waits.

        Raises:
            OvertoneError: a node has other code or another model, or cannot write.
        """
        # Ray's own retries would repeat the same task, which is useless if an input kills the process.
        remote_run = self._ray.remote(num_cpus=1, max_retries=0, scheduling_strategy="SPREAD")(run_part)
        task_reference = self._ray.put(task)
        queue = deque((part, 0) for part in missing)
        running: dict[Any, tuple[int, int]] = {}  # Ray's reference to a result -> part, deaths so far
        while queue or running:
            while queue and len(running) < (processes or PARTS_PER_CORE * self._count_cores()):
                part, deaths = queue.popleft()
                rows = [row.absolute() for row in partition.rows(part)]
                running[remote_run.remote(task_reference, part, rows, deaths > 0)] = part, deaths
            ready, _ = self._ray.wait(list(running), timeout=WAIT_TIMEOUT_S)
            for reference in ready:
                part, deaths = running.pop(reference)
                if self._is_done(reference, part, deaths + 1):
                    yield part
                else:
                    queue.appendleft((part, deaths + 1))

    def _is_done(self, reference: Any, part: int, deaths: int) -> bool:
        """Return whether a part is done; False if its process or its node died."""
        try:
            result = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise OvertoneError(
                f"ray: a task failed on a node: {error.cause!r}; install the same version of Overtone on every node"
            ) from error
        except self._ray.exceptions.RayError as error:
            if deaths < MAX_PART_DEATHS:
                return False
            raise OvertoneError(f"ray: {deaths} processes died while running part {part}: {error}") from error
        if "failed" in result:
            raise OvertoneError(result["failed"])
        return True

    def _count_cores(self) -> int:
        """Return the number of cores of all live nodes."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))


def _check_listening(address: str) -> None:
    """Check that a `host:port` accepts connections, since Ray itself would retry for many minutes.

    Raises:
        OSError: it does not.
    """
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit() and "://" not in host:
        try:
            socket.create_connection((host, int(port)), timeout=CONNECT_TIMEOUT_S).close()
        except OSError as error:
            raise OSError(f"{address}: {error.strerror or error}") from error


def import_ray() -> Any:
    """Return the package `ray`, with its usage statistics disabled.

    Raises:
        MissingExtraError: Ray is not installed.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ModuleNotFoundError as error:
        raise MissingExtraError("engine ray needs Ray, which is not installed: pip install 'overtone[ray]'") from error
    return ray
