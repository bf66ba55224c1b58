"""Predictions on disk: a finished run folder of `overtone train`, or out-of-fold predictions of `overtone evaluate`.

Reading them needs no torch. Each has the leak audit and the thresholds of uncertainty that were stored with it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from overtone.datatypes import FloatArray, LeakAudit, OofPredictions
from overtone.errors import InputError, OptionError, suggest
from overtone.evaluation import oof_files
from overtone.evaluation.calibration import UNCERTAIN_BELOW
from overtone.recipe import FUSION, FUSION_VARIANTS

FINISHED_FILES = ("weights.safetensors", "report.html")  # a run folder that holds both is complete
RUN_PREDICTIONS = "predictions-"  # start of the names of the prediction files in a run folder
MAX_LISTED = 4


@dataclass(frozen=True)
class StoredPredictions:
    """Predictions of one part of a model, and what is stored with them.

    Attributes:
        name: name of the model: that of the run folder, or of the CSV file.
        path: the CSV file.
        predictions: its content.
        protocol: name of the protocol; "" where unknown.
        audit: leak audit of the test clips of all folds and seeds; None where unknown.
        uncertain_below: fold -> confidence below which its predictions are uncertain.
    """

    name: str
    path: Path
    predictions: OofPredictions
    protocol: str = ""
    audit: LeakAudit | None = None
    uncertain_below: Mapping[str, float] = field(default_factory=dict)

    @property
    def thresholds(self) -> FloatArray:
        """The confidence below which each prediction is uncertain, float `(n,)`; `UNCERTAIN_BELOW` where unknown."""
        folds = self.predictions.fold.tolist()
        return np.array([self.uncertain_below.get(fold, UNCERTAIN_BELOW) for fold in folds])


def read_stored(path: Path, part: str | None = None) -> StoredPredictions:
    """Return the predictions at a path.

    Args:
        path: a run folder; a folder of out-of-fold predictions of one recipe and protocol; or a CSV file of either.
        part: the part to read from a folder, such as "adapted"; None for the fusion, or the only part there is.

    Raises:
        InputError: the path is missing, the run is unfinished or has no test set, the folder holds predictions of no or
            of several models, or a file is damaged.
        OptionError: the run has no such part.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; name a run folder, a folder or CSV file of predictions")
    if path.is_file():
        return _read_file(path)
    return _read_run(path, part or FUSION) if (path / "run.json").exists() else _read_file(_only_file(path, part))


def _read_file(path: Path) -> StoredPredictions:
    """Return the predictions in a CSV file, with its audit if its name and folder say where that is."""
    of_run = path.name.startswith(RUN_PREDICTIONS) and (path.parent / "run.json").exists()
    if of_run:
        return _read_run(path.parent, path.stem.removeprefix(RUN_PREDICTIONS))
    predictions, match = oof_files.read(path), oof_files.FILE_NAME.fullmatch(path.name)
    if not match:
        return StoredPredictions(path.stem, path, predictions)
    protocol, recipe, part = match["protocol"], match["recipe"], match["part"]
    record_path = oof_files.record_path(path.parent, protocol, recipe)
    if not record_path.exists():
        return StoredPredictions(path.stem, path, predictions, protocol)
    record = oof_files.read_record(record_path)
    return StoredPredictions(
        path.stem, path, predictions, protocol, record.parts.get(part), dict(record.uncertain_below)
    )


def _read_run(folder: Path, part: str) -> StoredPredictions:
    """Return the predictions of one part of a run for its test set."""
    if not all((folder / name).is_file() for name in FINISHED_FILES):
        raise InputError(f"{folder}: holds no finished training run; complete it with overtone train --resume")
    path = folder / f"{RUN_PREDICTIONS}{part}.csv"
    if not path.is_file():
        parts = [file.stem.removeprefix(RUN_PREDICTIONS) for file in folder.glob(f"{RUN_PREDICTIONS}*.csv")]
        if parts:
            raise OptionError(f"{folder}: the run has no predictions of part '{part}'{suggest(part, parts)}")
        raise InputError(
            f"{folder}: the run has no test set, so it has no predictions; compare its model, "
            f"{folder / 'model.onnx'}, on labelled clips with --data"
        )
    run = _read_json(folder / "run.json")
    try:
        counts = run["audits"][FUSION if part in FUSION_VARIANTS else part]
        audit, protocol = LeakAudit(**counts), str(run["protocol"])
        threshold = float(_read_json(folder / "calibration.json")["uncertain_below"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{folder}: run.json or calibration.json is damaged, or of another version of Overtone ({error!r}); train "
            "again"
        ) from error
    predictions = oof_files.read(path)
    name = folder.resolve().name + (f" {part}" if part != FUSION else "")
    thresholds = dict.fromkeys(predictions.fold.tolist(), threshold)
    return StoredPredictions(name, path, predictions, protocol, audit, thresholds)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); train again, or choose another run") from error


def _only_file(folder: Path, part: str | None) -> Path:
    """Return the CSV file of a part in a folder of out-of-fold predictions of one recipe and protocol."""
    files = {path: oof_files.FILE_NAME.fullmatch(path.name) for path in sorted(folder.glob("*.csv"))}
    parts = {path: match["part"] for path, match in files.items() if match}
    if not parts:
        raise InputError(
            f"{folder}: holds neither a run (run.json) nor out-of-fold predictions (<protocol>-<recipe>-<part>.csv); "
            "name the folder of one run, or a CSV file"
        )
    found = [path for path, name in parts.items() if name == (part or FUSION)]
    if not found and part is None and len(parts) == 1:
        found = list(parts)
    if len(found) != 1:
        names = [path.name for path in found or parts]
        listed = ", ".join(names[:MAX_LISTED]) + (", ..." if len(names) > MAX_LISTED else "")
        reason = "several models" if found else f"no predictions of part '{part or FUSION}'"
        raise InputError(f"{folder}: holds {reason}; name one CSV file: {listed}")
    return found[0]
