"""The output folder of a batch on many machines: a Parquet dataset whose parts are written atomically.

    DIR/                         a folder that all machines see, or a URL such as s3://bucket/predictions
    ├── predictions/
    │   └── part-00000.parquet   predictions of the first inputs; part-00001.parquet, ...
    ├── parts/                   while the batch runs
    │   ├── fingerprint.json     model, options, inputs and code, as fingerprints
    │   └── 00000.json           marks a part as done, and lists its failures
    ├── failures.csv             once all parts are done; parts/ is then removed
    └── batch.json               the fingerprint, and the numbers of predictions and failures

A part that is run again is written again under the same name with the same content, so that the folder needs no lock
and holds no input twice.
"""

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import Any

from overtone.batch import object_storage
from overtone.batch.checkpoint import (
    FAILURES_FILE,
    FINGERPRINT_FILE,
    OLD_FINGERPRINT_FILE,
    REPORT_FILE,
    BatchFingerprint,
    Report,
    check_same_batch,
    foreign_files_error,
    obsolete_batch_error,
)
from overtone.batch.job import ResultSchema
from overtone.corpora.tables.rows import Value
from overtone.datatypes import Prediction
from overtone.errors import OvertoneError
from overtone.formats import parquet

PREDICTIONS_FOLDER, PARTS_FOLDER = "predictions", "parts"
READ_THREADS = 16  # object storage has a high latency, but serves many requests at once


class ParquetSink:
    """The output folder.

    Args:
        output: a path or a URL.
    """

    def __init__(self, output: str) -> None:
        self._output = output
        self._parts = object_storage.join(output, PARTS_FOLDER)

    def read_report(self, fingerprint: BatchFingerprint) -> Report | None:
        """Return the report of this batch, or None if the batch is not finished.

        Raises:
            OvertoneError: the folder holds another batch, or one made by an earlier version.
        """
        if self._read(object_storage.join(self._parts, OLD_FINGERPRINT_FILE)) is not None:
            raise obsolete_batch_error(self._output)
        report = self._read(object_storage.join(self._output, REPORT_FILE))
        if report is not None:
            check_same_batch(self._output, fingerprint, report)
            object_storage.remove_folder(self._parts)  # in case `finish` was killed before it did so
        return report

    def start(self, fingerprint: BatchFingerprint) -> None:
        """Store the fingerprint, or compare it with the stored one.

        Raises:
            OvertoneError: the folder holds another batch or other files, or cannot be written.
        """
        stored = self._read(object_storage.join(self._parts, FINGERPRINT_FILE))
        if stored is not None:
            check_same_batch(self._output, fingerprint, stored)
            return
        folders = (self._output, self._parts)
        foreign = [name for folder in folders for name in self._list_names(folder) if name != PARTS_FOLDER]
        if foreign:
            raise foreign_files_error(self._output, foreign)
        self._write(object_storage.join(self._parts, FINGERPRINT_FILE), fingerprint)

    def completed_parts(self) -> set[int]:
        """Return the numbers of the parts that are done."""
        stems = (PurePosixPath(name).stem for name in self._list_names(self._parts))
        return {int(stem) for stem in stems if stem.isdigit()}

    def write_part(
        self,
        part: int,
        schema: ResultSchema,
        predictions: Sequence[Prediction],
        failures: Sequence[Sequence[Value]],
    ) -> Mapping[str, int]:
        """Store a part.

        Args:
            part: its number.
            schema: the properties that all predictions share.
            predictions: in the order of the inputs.
            failures: of inputs without a prediction, as rows of `failures.csv`.

        Returns:
            The numbers of "predictions" and "failures".

        Raises:
            OvertoneError: the part cannot be written.
        """
        content = io.BytesIO()
        parquet.write_table(predictions, content, schema.types, schema.placeholder())
        folder = object_storage.join(self._output, PREDICTIONS_FOLDER)
        object_storage.write_bytes(object_storage.join(folder, f"part-{part:05}.parquet"), content.getvalue())
        # Written after the predictions, since it marks the part as done.
        self._write(self._part_file(part), {"predictions": len(predictions), "failures": failures})
        return {"predictions": len(predictions), "failures": len(failures)}

    def finish(self, fingerprint: BatchFingerprint, schema: ResultSchema, parts: Iterable[int]) -> Report:
        """Write the failures of all parts, then the report, which marks the batch as done; return the report.

        Raises:
            OvertoneError: a part cannot be read, or a file cannot be written.
        """
        failures: list[Sequence[Value]] = []
        predictions = 0
        for part in self._read_parts(parts):
            predictions += part["predictions"]
            failures += part["failures"]
        content = io.BytesIO()
        schema.write_failures(failures, content)
        object_storage.write_bytes(object_storage.join(self._output, FAILURES_FILE), content.getvalue())
        counts = {"predictions": predictions, "failures": len(failures)}
        report = {**fingerprint, "relative_to": schema.relative_to, **counts}
        self._write(object_storage.join(self._output, REPORT_FILE), report)
        object_storage.remove_folder(self._parts)
        return report

    def _part_file(self, part: int) -> str:
        return object_storage.join(self._parts, f"{part:05}.json")

    def _read_parts(self, parts: Iterable[int]) -> Iterator[dict[str, Any]]:
        """Yield the stored counts and failures of each part, in order."""
        files = [self._part_file(part) for part in parts]
        with ThreadPoolExecutor(READ_THREADS) as executor:
            for file, part in zip(files, executor.map(self._read, files), strict=True):
                if part is None:
                    raise OvertoneError(
                        f"{file}: has disappeared; check that no other process uses {self._output}, "
                        "and run the command again"
                    )
                yield part

    def _list_names(self, folder: str) -> list[str]:
        """Return the names in a folder without hidden ones: temporary files of writers that died."""
        try:
            return [name for name in object_storage.list_names(folder) if not name.startswith(".")]
        except OSError as error:
            raise OvertoneError(f"{folder}: cannot be listed: {error}; choose another output folder") from error

    def _write(self, location: str, content: Mapping[str, Any]) -> None:
        object_storage.write_bytes(location, (json.dumps(content, indent=1) + "\n").encode())

    def _read(self, location: str) -> dict[str, Any] | None:
        """Return the content of a JSON file, or None if it does not exist."""
        try:
            return dict(json.loads(object_storage.read_bytes(location)))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, TypeError) as error:
            raise OvertoneError(
                f"{location}: cannot be read: {error}; remove its folder, or choose another one"
            ) from error
