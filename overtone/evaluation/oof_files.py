"""Read and write out-of-fold predictions: `results/oof/<protocol>-<recipe>-<part>.csv`, and a run record as JSON.

The CSV has one row per clip and seed: `path,corpus,speaker,sentence,fold,seed,truth,p_<emotion>...`, probabilities with
six decimals; older files have no column `corpus`. The record `<protocol>-<recipe>.json` next to it holds the leak audit
of each part, and the settings.

A part is a branch of the recipe ("mel", "prosody", ...), their "fusion", one "member" of an ensemble, a model "adapted"
to the speaker, or a baseline ("svm"). A part contains no hyphen; protocols and recipes may.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from overtone._internal.atomic_write import write_text
from overtone.datatypes import BoolArray, FloatArray, LeakAudit, OofPredictions
from overtone.emotions import is_class_list
from overtone.errors import InputError, suggest
from overtone.evaluation.protocols import PROTOCOLS

NAME_OF_PROTOCOL = "|".join(sorted(map(re.escape, PROTOCOLS), key=len, reverse=True))  # the longest that matches
FILE_NAME = re.compile(rf"(?P<protocol>{NAME_OF_PROTOCOL})-(?P<recipe>.+)-(?P<part>[a-z0-9_]+)\.csv")
PART_NAME = re.compile(r"[a-z0-9_]+")
KEYS = ("path", "corpus", "speaker", "sentence", "fold", "seed", "truth")
SMALLEST = 1e-30  # a probability of 0 becomes this before division by a sum, which must not be 0
KEYS_WITHOUT_CORPUS = tuple(key for key in KEYS if key != "corpus")


@dataclass(frozen=True)
class RunRecord:
    """Audits and settings behind the CSV files of one protocol and recipe.

    Attributes:
        protocol: name of the protocol.
        recipe: name of the recipe.
        settings: field of `Recipe` -> value; or the settings of a baseline.
        parts: name of a part -> leak audit of all folds and seeds; see `leakage.audit_runs`.
        seeds: random seeds of the training runs.
        versions: package -> version used for training.
        uncertain_below: fold -> confidence below which a prediction is uncertain, mean over the seeds; empty if
            unknown.
    """

    protocol: str
    recipe: str
    settings: dict[str, Any]
    parts: dict[str, LeakAudit]
    seeds: tuple[int, ...]
    versions: dict[str, str]
    uncertain_below: dict[str, float] = field(default_factory=dict)


def csv_path(folder: Path, protocol: str, recipe: str, part: str) -> Path:
    """Return the path of the predictions of one part in `folder`, such as `results/oof`.

    Raises:
        InputError: the name of the part has other characters than a-z, 0-9 and _.
    """
    if not PART_NAME.fullmatch(part):
        raise InputError(f"invalid part '{part}': use a-z, 0-9 and _, since it becomes the end of a file name")
    return Path(folder) / f"{protocol}-{recipe}-{part}.csv"


def parse_csv_path(path: Path) -> tuple[str, str, str]:
    """Return protocol, recipe and part of a path by `csv_path`.

    Raises:
        InputError: the file has another name.
    """
    match = FILE_NAME.fullmatch(Path(path).name)
    if not match:
        protocol = Path(path).name.partition("-")[0]
        unknown = "" if protocol in PROTOCOLS else f"; no protocol '{protocol}'{suggest(protocol, PROTOCOLS)}"
        raise InputError(f"{path}: the name should be <protocol>-<recipe>-<part>.csv{unknown}")
    return match["protocol"], match["recipe"], match["part"]


def record_path(folder: Path, protocol: str, recipe: str) -> Path:
    """Return the path of the run record of one protocol and recipe in `folder`, such as `results/oof`."""
    return Path(folder) / f"{protocol}-{recipe}.json"


def write(predictions: OofPredictions, path: Path) -> None:
    """Write predictions as CSV, atomically.

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
    """Return the predictions in a CSV file.

    Raises:
        InputError: the file is missing, or not in the format of `write`; the message names file and line.
    """
    try:
        rows = list(csv.reader(io.StringIO(Path(path).read_text("utf-8"), newline=""), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot read predictions from {path}: {error}") from error
    if rows and tuple(rows[0][: len(KEYS) - 1]) == KEYS_WITHOUT_CORPUS:
        rows = [[*row[:1], "corpus" if line == 0 else "", *row[1:]] for line, row in enumerate(rows)]
    emotions = _parse_header(rows[0] if rows else [], path)
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(rows[0]):
            raise InputError(f"{path}, line {line}: {len(rows[0])} columns expected, {len(row)} found")
    try:
        return from_rows(emotions, rows[1:])
    except (ValueError, InputError) as error:
        raise InputError(f"{path}: {error}") from error


def from_rows(emotions: Sequence[str], rows: Iterable[Sequence[object]]) -> OofPredictions:
    """Return predictions from rows `(path, corpus, speaker, sentence, fold, seed, truth, probabilities ...)`.

    Args:
        emotions: the classes, in the order of the probabilities.
        rows: one per clip and seed.

    Raises:
        InputError: there are no rows, or `OofPredictions` rejects them.
    """
    columns = list(zip(*rows, strict=True)) or [()] * (len(KEYS) + len(emotions))
    keys = dict(zip(KEYS, columns, strict=False))
    texts = {name: np.array(keys[name], dtype=str) for name in KEYS if name != "seed"}
    probabilities = np.array(columns[len(KEYS) :], dtype=float).T
    return OofPredictions(tuple(emotions), seed=np.array(keys["seed"], dtype=int), probabilities=probabilities, **texts)


def restrict(probabilities: FloatArray, allowed: BoolArray) -> FloatArray:
    """Return probabilities of a choice among some of the emotions: 0 for the others, and a sum of 1.

    Args:
        probabilities: float64 `(..., emotions)`.
        allowed: bool `(emotions,)`, at least one True; if all are, the probabilities are returned unchanged.
    """
    if allowed.all():
        return probabilities
    kept: FloatArray = np.maximum(probabilities, SMALLEST) * allowed
    kept /= kept.sum(axis=-1, keepdims=True)
    return kept


def select(predictions: OofPredictions, rows: BoolArray) -> OofPredictions:
    """Return the predictions where `rows`, bool `(n,)`, is True."""
    columns = {name: column[rows] for name, column in vars(predictions).items() if name != "emotions"}
    return OofPredictions(predictions.emotions, **columns)


def write_record(record: RunRecord, path: Path) -> None:
    """Write a run record as JSON, atomically.

    Raises:
        OvertoneError: the file cannot be written.
    """
    write_text(path, json.dumps(asdict(record), indent=2) + "\n")


def read_record(path: Path) -> RunRecord:
    """Return the run record in a JSON file.

    Raises:
        InputError: the file is missing, or not in the format of `write_record`; the message names the file.
    """
    try:
        values = json.loads(Path(path).read_text("utf-8"))
        parts = {part: LeakAudit(**counts) for part, counts in values["parts"].items()}
        settings, versions = dict(values["settings"]), dict(values["versions"])
        thresholds = {fold: float(value) for fold, value in values.get("uncertain_below", {}).items()}
        seeds = tuple(values["seeds"])
        return RunRecord(values["protocol"], values["recipe"], settings, parts, seeds, versions, thresholds)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"cannot read audits from {path}: {error}") from error


def _parse_header(header: Sequence[str], path: Path) -> tuple[str, ...]:
    """Return the emotions of the probability columns."""
    expected = ",".join([*KEYS, "p_<emotion>..."])
    names = tuple(name.removeprefix("p_") for name in header[len(KEYS) :] if name.startswith("p_"))
    is_complete = tuple(header[: len(KEYS)]) == KEYS and len(names) == len(header) - len(KEYS)
    if not is_complete or not is_class_list(names):
        raise InputError(f"{path}, line 1: columns {expected} expected, {','.join(header) or 'nothing'} found")
    return names
