"""The folder of a batch that many machines write: its answers as Parquet in parts, each whole or not at all.

    DIR/                         a folder that all machines see, or an address such as s3://bucket/answers
    ├── answers/
    │   └── part-00000.parquet   answers of the first inputs; part-00001.parquet, ...
    ├── parts/                   while it runs
    │   ├── plan.json            what is being done, as fingerprints
    │   └── 00000.json           that the part is done, and which inputs have no answer
    ├── failures.csv             once all is done; then parts/ goes
    └── batch.json               the plan, and how many were answered

Whoever answers a part again writes the same under the same name, so that nothing has to be locked: an input is never
there twice.
"""

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import Any

from overtone.batch import object_storage
from overtone.batch.checkpoint import FINGERPRINT_FILE, REPORT_FILE, BatchFingerprint, Report, check_same_batch
from overtone.batch.inputs import Value
from overtone.batch.job import ResultSchema
from overtone.datatypes import Prediction
from overtone.errors import OvertoneError
from overtone.formats import parquet

ANSWERS, PARTS, FAILURES = "answers", "parts", "failures.csv"
READERS = 16  # a store answers many at once, and each of them late


class ParquetSink:
    """Such a folder.

    Args:
        out: a path or an address.
    """

    def __init__(self, out: str) -> None:
        self._out = out
        self._parts = object_storage.join(out, PARTS)

    def report(self, plan: BatchFingerprint) -> Report | None:
        """The report of this very batch, where it is done.

        Raises:
            OvertoneError: another one was done here.
        """
        report = self._read(object_storage.join(self._out, REPORT_FILE))
        if report is not None:
            check_same_batch(self._out, plan, report)
            object_storage.remove(self._parts)  # killed just before it did so itself
        return report

    def begin(self, plan: BatchFingerprint) -> None:
        """Writes the plan down, or sees that it is the one that was begun.

        Raises:
            OvertoneError: another one was begun here, or the folder holds something else, or cannot be written.
        """
        begun = self._read(object_storage.join(self._parts, FINGERPRINT_FILE))
        if begun is not None:
            check_same_batch(self._out, plan, begun)
            return
        foreign = [name for folder in (self._out, self._parts) for name in self._names(folder) if name != PARTS]
        if foreign:
            raise OvertoneError(
                f"{self._out}: holds something else ({min(foreign)}); give --output a folder of its own"
            )
        self._write(object_storage.join(self._parts, FINGERPRINT_FILE), plan)

    def done(self) -> set[int]:
        """The parts that are done."""
        stems = (PurePosixPath(name).stem for name in self._names(self._parts))
        return {int(stem) for stem in stems if stem.isdigit()}

    def write(
        self, part: int, rows: ResultSchema, answers: Iterable[Prediction], failures: Sequence[Sequence[Value]]
    ) -> Mapping[str, int]:
        """Keeps a part.

        Args:
            part: its number.
            rows: what all answers have in common.
            answers: in the order of the inputs.
            failures: of inputs without an answer, as rows of `failures.csv`.

        Returns:
            How many "answers" and "failures" it has.

        Raises:
            OvertoneError: it cannot be written.
        """
        kept, content = list(answers), io.BytesIO()
        parquet.write(kept, content, rows.types, rows.any_answer())
        object_storage.write_bytes(
            object_storage.join(object_storage.join(self._out, ANSWERS), f"part-{part:05}.parquet"), content.getvalue()
        )
        self._write(
            object_storage.join(self._parts, f"{part:05}.json"), {"answers": len(kept), "failures": failures}
        )  # after the answers: it says that they are there
        return {"answers": len(kept), "failures": len(failures)}

    def finish(self, plan: BatchFingerprint, rows: ResultSchema, parts: Iterable[int]) -> Report:
        """Writes the failures of all parts, then the report, by which the batch is done.

        Raises:
            OvertoneError: a part cannot be read, or a file not be written.
        """
        failures: list[Sequence[Value]] = []
        answers = 0
        for part in self._all(parts):
            answers += part["answers"]
            failures += part["failures"]
        content = io.BytesIO()
        rows.write_failures(failures, content)
        object_storage.write_bytes(object_storage.join(self._out, FAILURES), content.getvalue())
        report = {**plan, "answers": answers, "failures": len(failures)}
        self._write(object_storage.join(self._out, REPORT_FILE), report)
        object_storage.remove(self._parts)
        return report

    def _all(self, parts: Iterable[int]) -> Iterator[dict[str, Any]]:
        """What is kept of each part, in order."""
        with ThreadPoolExecutor(READERS) as readers:
            places = [object_storage.join(self._parts, f"{part:05}.json") for part in parts]
            for place, part in zip(places, readers.map(self._read, places), strict=True):
                if part is None:
                    raise OvertoneError(f"{place}: is gone; does somebody else work in {self._out}? start it again")
                yield part

    def _names(self, folder: str) -> list[str]:
        """Names of what lies in a folder, without hidden ones: what was being written when its writer died."""
        try:
            return [name for name in object_storage.names_in(folder) if not name.startswith(".")]
        except OSError as error:
            raise OvertoneError(f"{folder}: cannot be listed: {error}; name another --output") from error

    def _write(self, place: str, held: Mapping[str, Any]) -> None:
        object_storage.write_bytes(place, (json.dumps(held, indent=1) + "\n").encode())

    def _read(self, place: str) -> dict[str, Any] | None:
        """What was written; None where there is nothing."""
        try:
            return dict(json.loads(object_storage.read_bytes(place)))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, TypeError) as error:
            raise OvertoneError(f"{place}: cannot be read: {error}; remove the folder, or name another") from error
