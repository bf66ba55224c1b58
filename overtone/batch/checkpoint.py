"""The folder of a batch: what is done of it lies there in parts, each whole or not at all, until all is done.

    DIR/
    ├── parts/              while it runs
    │   ├── plan.json       what is being done: model, options and inputs, as fingerprints
    │   └── 00000.jsonl     results of the first inputs, one a line; 00001.jsonl, ...
    ├── answers.csv         once all is done; then parts/ goes
    ├── failures.csv
    └── batch.json          the plan, and how many were answered

Files that end up in DIR are written in parts/ first, so that no kill leaves half of one behind.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from overtone._internal.atomic_write import atomic_file, describe_os_errors, write_text
from overtone.errors import OvertoneError

FINGERPRINT_FILE, REPORT_FILE = "plan.json", "batch.json"

BatchFingerprint = Mapping[str, Any]
Report = dict[str, Any]


class BatchCheckpoint:
    """The parts of one batch, in a folder that is its own as long as `opened` holds it."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._folder = out / "parts"
        self._lock_file = self._folder / ".lock"

    def has(self, number: int, size: int) -> bool:
        """Whether a part is there with as many results; one that a power cut has left empty is not."""
        try:
            return (self._folder / _name(number)).read_bytes().count(b"\n") == size
        except FileNotFoundError:
            return False

    def read(self, number: int) -> list[Any]:
        """The results of a part.

        Raises:
            OvertoneError: it cannot be read.
        """
        path = self._folder / _name(number)
        try:
            return [json.loads(line) for line in path.read_bytes().splitlines()]
        except (OSError, ValueError) as error:
            raise OvertoneError(f"{path}: cannot be read: {error}; remove it, and start the batch again") from error

    def write(self, number: int, results: Sequence[Any]) -> None:
        """Keeps the results of a part.

        Raises:
            OvertoneError: it cannot be written.
        """
        write_text(self._folder / _name(number), "".join(f"{json.dumps(result)}\n" for result in results))

    def put(self, name: str, write: Callable[[BinaryIO], object]) -> None:
        """Makes a file in the folder of the batch, whole or not at all.

        Raises:
            OvertoneError: it cannot be written.
        """
        with atomic_file(self._folder / name) as stream:
            write(stream)
        with describe_os_errors(self._out):
            (self._folder / name).replace(self._out / name)

    def finish(self, plan: BatchFingerprint, counts: Mapping[str, int]) -> Report:
        """Writes the report, by which the batch is done, and removes the parts."""
        report = {**plan, **counts}
        self.put(REPORT_FILE, lambda stream: stream.write((json.dumps(report, indent=1) + "\n").encode()))
        self.clear()
        return report

    def clear(self) -> None:
        """Removes the parts; where that fails they are only in the way."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def begin(self, plan: BatchFingerprint) -> None:
        """Writes the plan down, or sees that it is the one that was begun.

        Raises:
            OvertoneError: another one was begun here, or the folder holds something else.
        """
        begun = _read(self._folder / FINGERPRINT_FILE)
        if begun is not None:
            check_same_batch(str(self._out), plan, begun)
            return
        foreign = [path.name for path in self._out.iterdir() if path != self._folder]
        foreign += [path.name for path in self._folder.iterdir() if not path.name.startswith(".")]
        if foreign:
            self._leave_alone()
            raise OvertoneError(
                f"{self._out}: holds something else ({min(foreign)}); give --output a folder of its own"
            )
        write_text(self._folder / FINGERPRINT_FILE, json.dumps(plan, indent=1) + "\n")

    def _leave_alone(self) -> None:
        """Takes away what `locked` has made, and nothing else."""
        with suppress(OSError):
            self._lock_file.unlink()
            self._folder.rmdir()

    def report(self, plan: BatchFingerprint) -> Report | None:
        """The report of this very batch, where it is done.

        Raises:
            OvertoneError: another one was done here.
        """
        report = _read(self._out / REPORT_FILE)
        if report is not None:
            check_same_batch(str(self._out), plan, report)
        return report

    @contextmanager
    def locked(self) -> Iterator[None]:
        """No other process works in the folder meanwhile; the system gives it free however this one ends.

        Raises:
            OvertoneError: another one does, or the folder cannot be written.
        """
        with describe_os_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = self._lock_file.open("w")
        with lock:
            _lock(lock.fileno(), self._out)
            yield


@contextmanager
def open_checkpoint(out: Path, plan: BatchFingerprint) -> Iterator[tuple[BatchCheckpoint, Report | None]]:
    """The parts of a batch, and its report where it was done already.

    Raises:
        OvertoneError: the folder is another batch's, of another process, holds something else or cannot be written.
    """
    parts = BatchCheckpoint(out)
    if (report := parts.report(plan)) is None:
        with parts.locked():
            report = parts.report(plan)  # another process may have been about to end
            if report is None:
                parts.begin(plan)
                yield parts, None
                return
    parts.clear()  # killed just before it did so itself
    yield parts, report


def _name(number: int) -> str:
    return f"{number:05}.jsonl"


def _read(path: Path) -> dict[str, Any] | None:
    """A plan or a report; None where there is none."""
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError) as error:
        raise OvertoneError(f"{path}: cannot be read: {error}; remove the folder, or name another") from error


def check_same_batch(out: str, plan: BatchFingerprint, begun: BatchFingerprint) -> None:
    """Nothing, where the batch that was begun in a folder is this one.

    Raises:
        OvertoneError: it is another.
    """
    other = [key for key in plan if begun.get(key) != plan[key]]
    if other:
        raise OvertoneError(
            f"{out}: the batch in this folder has other {', other '.join(other)}; "
            "give --output another folder, or remove this one to begin anew"
        )


def _lock(handle: int, out: Path) -> None:
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OvertoneError(f"{out}: another process is at work in this folder; wait for it, or stop it") from error
    except OSError:  # a file system without locks
        return
