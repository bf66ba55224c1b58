"""The engine of many machines: a cluster of Ray answers the parts of a batch; any of its nodes may die meanwhile.

Tasks of Ray and not its Ray Data, which retries the block that has killed its process for ever: one poisoned file would
hold up the batch. Here a part whose process dies is answered again with each input apart (`overtone.batch.ray_task`).
Ray sends nothing but numbers of answers back; sounds are read, and answers written, by the nodes themselves.
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
from overtone.batch.recogniser_config import RecogniserConfig
from overtone.errors import MissingExtraError, OvertoneError

FORMS = ("parquet",)
SMALLEST_PART, LARGEST_PART = 64, 4096  # inputs
TARGET_PARTS = 1000  # more would only be more files
MAX_PART_DEATHS = 10  # of processes at one part, after which it is not the fault of chance
AHEAD = 2  # parts per core that the cluster has at hand: one it is at and one to go on with at once
LISTENING_S = 20.0  # in which a head must answer
PATIENCE_S = 5.0  # after which to look whether the cluster has grown


def run(job: BatchJob, out: str, jobs: int | None, progress: Progress) -> Report:
    """Answers what is left of a batch by the cluster that the environment names, as `ray` itself finds it.

    Args:
        job: the batch.
        out: a folder that every node sees under this name, or an address.
        jobs: processes at a time; None for one per core of the cluster.
        progress: told of inputs done.

    Raises:
        MissingExtraError: Ray is not installed.
        OvertoneError: there is no cluster, a node is not equipped for the batch, the folder belongs to something else
            or cannot be written.
    """
    out = (
        object_storage.plain(out)
        if object_storage.is_address(object_storage.plain(out))
        else str(Path.cwd() / object_storage.plain(out))
    )
    dataset = ParquetSink(out)
    if (report := dataset.report(job.plan)) is not None:
        return report
    cut = Partitioner(job.inputs.rows, part_inputs(len(job.inputs.rows)), job.shard)
    with _Cluster() as cluster:
        dataset.begin(job.plan)
        there = dataset.done()
        missing = [part for part in cut.parts if part not in there]
        done = len(cut) - sum(len(cut.rows(part)) for part in missing)
        for part in cluster.answered(_share(job, out), cut, missing, jobs):
            done += len(cut.rows(part))
            progress(done, len(cut), "")
    return dataset.finish(job.plan, job.rows, cut.parts)


def part_inputs(inputs: int) -> int:
    """Inputs of a part: as many as keep the number of parts at a thousand, a power of two within bounds."""
    size = SMALLEST_PART
    while size < LARGEST_PART and inputs > size * TARGET_PARTS:
        size *= 2
    return size


def _share(job: BatchJob, out: str) -> RayTask:
    here, setting = Path.cwd(), job.setting
    model = str(here / setting.model) if setting.model else ""
    clips = None if setting.adapt_from is None else tuple(str(here / clip) for clip in setting.adapt_from)
    absolute = RecogniserConfig(model, setting.uncertain_below, clips)
    expected = tuple((name, str(job.plan[name])) for name in ("model", "adaptation", "code"))
    return RayTask(out, absolute, expected, job.rows)


class _Cluster:
    """The running cluster, from which we part in the end."""

    def __init__(self) -> None:
        self._ray = ray_package()
        self._is_ours = not self._ray.is_initialized()
        if not self._is_ours:
            return
        try:
            _check_listening(os.environ.get("RAY_ADDRESS", ""))
            self._ray.init(address="auto", log_to_driver=False, logging_level="ERROR")
        except (OSError, RuntimeError, ValueError) as error:
            raise OvertoneError(
                f"no Ray cluster can be reached from here ({error}); start one with 'ray start --head', or name it in "
                "RAY_ADDRESS; docs/scale.md tells more"
            ) from error

    def __enter__(self) -> "_Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_ours:
            self._ray.shutdown()

    def answered(self, share: RayTask, cut: Partitioner, missing: Sequence[int], jobs: int | None) -> Iterator[int]:
        """The parts, in the order in which they are done.

        Raises:
            OvertoneError: a node is not equipped for it, or cannot write.
        """
        # Ray's own retries would do the same again, which is no good where an input is to blame.
        task = self._ray.remote(num_cpus=1, max_retries=0, scheduling_strategy="SPREAD")(run_part)
        share = self._ray.put(share)
        left = deque((part, 0) for part in missing)
        running: dict[Any, tuple[int, int]] = {}
        while left or running:
            while left and len(running) < (jobs or AHEAD * self._cores()):
                part, deaths = left.popleft()
                rows = [row.absolute() for row in cut.rows(part)]
                running[task.remote(share, part, rows, deaths > 0)] = part, deaths
            ready, _ = self._ray.wait(list(running), timeout=PATIENCE_S)
            for one in ready:
                part, deaths = running.pop(one)
                if self._is_done(one, part, deaths + 1):
                    yield part
                else:
                    left.appendleft((part, deaths + 1))

    def _is_done(self, one: Any, part: int, deaths: int) -> bool:
        """Whether a part was answered; not, where its process or its node has died."""
        try:
            told = self._ray.get(one)
        except self._ray.exceptions.RayTaskError as error:
            raise OvertoneError(
                f"ray: a node cannot do its work: {error.cause!r}; is the same Overtone installed on every node?"
            ) from error
        except self._ray.exceptions.RayError as error:
            if deaths < MAX_PART_DEATHS:
                return False
            raise OvertoneError(f"ray: {deaths} processes died at part {part}: {error}") from error
        if "failed" in told:
            raise OvertoneError(told["failed"])
        return True

    def _cores(self) -> int:
        """Of all nodes that live."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))


def _check_listening(address: str) -> None:
    """Nothing, where somebody listens at `host:port`; Ray itself would try for many minutes.

    Raises:
        OSError: nobody does.
    """
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit() and "://" not in host:
        try:
            socket.create_connection((host, int(port)), timeout=LISTENING_S).close()
        except OSError as error:
            raise OSError(f"{address}: {error.strerror or error}") from error


def ray_package() -> Any:
    """The package `ray`, which reports to nobody.

    Raises:
        MissingExtraError: it is not installed.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ModuleNotFoundError as error:
        raise MissingExtraError("engine ray needs Ray, which is not installed: pip install 'overtone[ray]'") from error
    return ray
