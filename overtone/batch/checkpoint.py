"""The output folder of a batch on one machine, with the checkpoint from which a stopped batch resumes.

    DIR/
    ├── parts/               while the batch runs
    │   ├── fingerprint.json model, options, inputs and code, as fingerprints
    │   └── 00000.jsonl      results of the first inputs, one per line; 00001.jsonl, ...
    ├── predictions.csv      once all parts are done; parts/ is then removed
    ├── failures.csv
    └── batch.json           the fingerprint, and the numbers of predictions and failures

Every file is written atomically: the output files are first written in parts/ and then moved to DIR.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from overtone._internal.atomic_write import atomic_file, describe_os_errors, write_text
from overtone.errors import OvertoneError

FINGERPRINT_FILE, REPORT_FILE, FAILURES_FILE = "fingerprint.json", "batch.json", "failures.csv"
OLD_FINGERPRINT_FILE, OLD_REPORT_KEY = "plan.json", "answers"  # of batches made before the first release

BatchFingerprint = Mapping[str, Any]
Report = dict[str, Any]


class BatchCheckpoint:
    """The checkpoint of one batch; `open_checkpoint` locks and checks its folder.

    Args:
        output: the output folder of the batch.

    Attributes:
        folder: the folder of the checkpoint.
    """

    def __init__(self, output: Path) -> None:
        self._output = output
        self._folder = self.folder = output / "parts"
        self._lock_file = self._folder / ".lock"

    def has(self, part: int, size: int) -> bool:
        """Return whether a part is stored with `size` results; a power cut may have left an empty file."""
        try:
            return (self._folder / _part_name(part)).read_bytes().count(b"\n") == size
        except FileNotFoundError:
            return False

    def read(self, part: int) -> list[Any]:
        """Return the results of a part.

        Raises:
            OvertoneError: the part cannot be read.
        """
        path = self._folder / _part_name(part)
        try:
            return [json.loads(line) for line in path.read_bytes().splitlines()]
        except (OSError, ValueError) as error:
            raise OvertoneError(f"{path}: cannot be read: {error}; remove it and run the command again") from error

    def write(self, part: int, results: Sequence[Any]) -> None:
        """Store the results of a part.

        Raises:
            OvertoneError: the part cannot be written.
        """
        write_text(self._folder / _part_name(part), "".join(f"{json.dumps(result)}\n" for result in results))

    def write_output(self, name: str, write: Callable[[BinaryIO], object]) -> None:
        """Write a file of the output folder atomically.

        Args:
            name: name of the file.
            write: writes the content to the stream it is called with.

        Raises:
            OvertoneError: the file cannot be written.
        """
        with atomic_file(self._folder / name) as stream:
            write(stream)
        with describe_os_errors(self._output):
            (self._folder / name).replace(self._output / name)

    def finish(self, fingerprint: BatchFingerprint, facts: Mapping[str, Any]) -> Report:
        """Write the report, which marks the batch as done, remove the parts, and return the report."""
        report = {**fingerprint, **facts}
        self.write_output(REPORT_FILE, lambda stream: stream.write((json.dumps(report, indent=1) + "\n").encode()))
        self.clear()
        return report

    def clear(self) -> None:
        """Remove the parts; a failure is ignored, since they are no longer used."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self, fingerprint: BatchFingerprint) -> None:
        """Store the fingerprint, or compare it with the stored one.

        Raises:
            OvertoneError: the folder holds another batch or other files.
        """
        stored = _read_json(self._folder / FINGERPRINT_FILE)
        if stored is not None:
            check_same_batch(str(self._output), fingerprint, stored)
            return
        foreign = [path.name for path in self._output.iterdir() if path != self._folder]
        foreign += [path.name for path in self._folder.iterdir() if not path.name.startswith(".")]
        if foreign:
            self._remove_lock()
            raise foreign_files_error(str(self._output), foreign)
        write_text(self._folder / FINGERPRINT_FILE, json.dumps(fingerprint, indent=1) + "\n")

    def _remove_lock(self) -> None:
        """Remove the files that `lock` has created, and nothing else."""
        with suppress(OSError):
            self._lock_file.unlink()
            self._folder.rmdir()

    def read_report(self, fingerprint: BatchFingerprint) -> Report | None:
        """Return the report of this batch, or None if the batch is not finished.

        Raises:
            OvertoneError: the folder holds another batch, or one made by an earlier version.
        """
        if _read_json(self._folder / OLD_FINGERPRINT_FILE) is not None:
            raise obsolete_batch_error(str(self._output))
        report = _read_json(self._output / REPORT_FILE)
        if report is not None:
            check_same_batch(str(self._output), fingerprint, report)
        return report

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the folder against other processes; the system releases the lock however this process ends.

        Raises:
            OvertoneError: another process holds the lock, or the folder cannot be written.
        """
        with describe_os_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            lock_file = self._lock_file.open("w")
        with lock_file:
            _flock(lock_file.fileno(), self._output)
            yield


@contextmanager
def open_checkpoint(output: Path, fingerprint: BatchFingerprint) -> Iterator[tuple[BatchCheckpoint, Report | None]]:
    """Yield the locked checkpoint of a batch, and its report if the batch is already finished.

    Raises:
        OvertoneError: the folder holds another batch or other files, is in use by another process, or cannot be
            written.
    """
    checkpoint = BatchCheckpoint(output)
    if (report := checkpoint.read_report(fingerprint)) is None:
        with checkpoint.lock():
            report = checkpoint.read_report(fingerprint)  # another process may have finished it before the lock
            if report is None:
                checkpoint.start(fingerprint)
                yield checkpoint, None
                return
    checkpoint.clear()  # in case the process was killed between writing the report and removing the parts
    yield checkpoint, report


def check_same_batch(output: str, fingerprint: BatchFingerprint, stored: BatchFingerprint) -> None:
    """Check that the batch stored in a folder is this one.

    Raises:
        OvertoneError: it is another batch, or an earlier version of Overtone made it.
    """
    if OLD_REPORT_KEY in stored:
        raise obsolete_batch_error(output)
    changed = [key for key in fingerprint if stored.get(key) != fingerprint[key]]
    if changed:
        raise OvertoneError(
            f"{output}: the batch in this folder differs in {', '.join(changed)}; "
            "choose another output folder, or remove this one to start again"
        )


def obsolete_batch_error(output: str) -> OvertoneError:
    """Return the error for a folder with the file names or keys of an earlier version."""
    return OvertoneError(
        f"{output}: the batch in this folder was made by an earlier version of Overtone; choose another output folder"
    )


def foreign_files_error(output: str, names: Sequence[str]) -> OvertoneError:
    """Return the error for a folder with files that belong to no batch."""
    return OvertoneError(f"{output}: contains other files ({min(names)}); choose an empty output folder")


def _part_name(part: int) -> str:
    return f"{part:05}.jsonl"


def _read_json(path: Path) -> dict[str, Any] | None:
    """Return a stored fingerprint or report, or None if there is none."""
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError) as error:
        raise OvertoneError(f"{path}: cannot be read: {error}; remove its folder, or choose another one") from error


def _flock(file_descriptor: int, output: Path) -> None:
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows
        return
    try:
        fcntl.flock(file_descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OvertoneError(f"{output}: another process is using this folder; wait for it, or stop it") from error
    except OSError:  # a file system without locks
        return
