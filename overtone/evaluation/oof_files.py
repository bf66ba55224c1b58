"""Out-of-fold predictions <-> `results/oof/<protocol>-<recipe>-<part>.csv`, and their audits <-> the `.json` beside.

The CSV has one row per clip and seed: `path,speaker,sentence,fold,seed,truth,p_<emotion>...`, probabilities with six
decimals. `write` and `read` are an inverse pair; so are `write_record` and `read_record`.
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from overtone._internal.atomic_write import write_text
from overtone.datatypes import LeakAudit, OofPredictions
from overtone.emotions import EMOTIONS
from overtone.errors import InputError, suggest
from overtone.recipe import PARTS

# Beside the parts of a model: one network of an ensemble alone; a model or baseline that knows the speaker; a baseline.
KNOWN_PARTS = (*PARTS, "member", "adapted", "svm")
KEYS = ("path", "speaker", "sentence", "fold", "seed", "truth")


@dataclass(frozen=True)
class RunRecord:
    """What the CSV files of one protocol and recipe cannot hold.

    Attributes:
        protocol: name of the protocol.
        recipe: name of the recipe.
        parts: name out of `KNOWN_PARTS` -> audit, each count summed over folds and seeds.
        settings: field of `Recipe` -> value: what that recipe was; or what a baseline was.
        seeds: seeds of the trainings.
        versions: package -> version it was made with.
    """

    protocol: str
    recipe: str
    settings: dict[str, Any]
    parts: dict[str, LeakAudit]
    seeds: tuple[int, ...]
    versions: dict[str, str]


def csv_path(folder: Path, protocol: str, recipe: str, part: str) -> Path:
    """Where the predictions of one part lie below the folder `results/oof`."""
    if part not in KNOWN_PARTS:
        raise InputError(f"no part '{part}'{suggest(part, KNOWN_PARTS)}")
    return Path(folder) / f"{protocol}-{recipe}-{part}.csv"


def record_path(folder: Path, protocol: str, recipe: str) -> Path:
    """Where the audits of one protocol and recipe lie below the folder `results/oof`."""
    return Path(folder) / f"{protocol}-{recipe}.json"


def write(predictions: OofPredictions, path: Path) -> None:
    """Writes predictions as CSV, whole or not at all.

    Raises:
        OvertoneError: the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*KEYS, *(f"p_{emotion}" for emotion in predictions.emotions)])
    keys = zip(*(getattr(predictions, name).tolist() for name in KEYS), strict=True)
    for key, row in zip(keys, predictions.probabilities.tolist(), strict=True):
        writer.writerow([*key, *(f"{p:.6f}" for p in row)])
    write_text(path, text.getvalue())


def read(path: Path) -> OofPredictions:
    """The predictions of a CSV.

    Raises:
        InputError: missing, or not as `write` leaves it; the message names file and line.
    """
    try:
        rows = list(csv.reader(io.StringIO(Path(path).read_text("utf-8"), newline=""), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot read predictions from {path}: {error}") from error
    emotions = _emotions_of(rows[0] if rows else [], path)
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(rows[0]):
            raise InputError(f"{path}, line {line}: {len(rows[0])} columns expected, {len(row)} found")
    try:
        return _from_rows(emotions, rows[1:])
    except (ValueError, InputError) as error:
        raise InputError(f"{path}: {error}") from error


def from_rows(emotions: Sequence[str], rows: Iterable[Sequence[object]]) -> OofPredictions:
    """Predictions from rows `(path, speaker, sentence, fold, seed, truth, probability of each emotion ...)`.

    Raises:
        InputError: no rows, or rows that are not as `OofPredictions` expects them.
    """
    return _from_rows(tuple(emotions), list(rows))


def write_record(audits: RunRecord, path: Path) -> None:
    """Writes audits as JSON, whole or not at all.

    Raises:
        OvertoneError: the file cannot be written.
    """
    write_text(path, json.dumps(asdict(audits), indent=2) + "\n")


def read_record(path: Path) -> RunRecord:
    """The audits of a JSON file.

    Raises:
        InputError: missing, or not as `write_record` leaves it; the message names the file.
    """
    try:
        held = json.loads(Path(path).read_text("utf-8"))
        parts = {part: LeakAudit(**counts) for part, counts in held["parts"].items()}
        settings, versions = dict(held["settings"]), dict(held["versions"])
        return RunRecord(held["protocol"], held["recipe"], settings, parts, tuple(held["seeds"]), versions)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"cannot read audits from {path}: {error}") from error


def _emotions_of(header: Sequence[str], path: Path) -> tuple[str, ...]:
    expected = ",".join([*KEYS, "p_<emotion>..."])
    names = tuple(name.removeprefix("p_") for name in header[len(KEYS) :] if name.startswith("p_"))
    whole = tuple(header[: len(KEYS)]) == KEYS and len(names) == len(header) - len(KEYS)
    if not whole or not names or list(names) != [emotion for emotion in EMOTIONS if emotion in names]:
        raise InputError(f"{path}, line 1: columns {expected} expected, {','.join(header) or 'nothing'} found")
    return names


def _from_rows(emotions: tuple[str, ...], rows: list) -> OofPredictions:
    columns = list(zip(*rows, strict=True)) or [()] * (len(KEYS) + len(emotions))
    keys = dict(zip(KEYS, columns, strict=False))
    texts = {name: np.array(keys[name], dtype=str) for name in KEYS if name != "seed"}
    probabilities = np.array(columns[len(KEYS) :], dtype=float).T
    return OofPredictions(emotions, seed=np.array(keys["seed"], dtype=int), probabilities=probabilities, **texts)
