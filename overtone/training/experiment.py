"""A TOML file -> a matrix of evaluations: recipes by protocols by seeds, one after the other, each resumable.

# ladder.toml
labels = "4-classes"             # optional: a label map for all corpora, or a TOML file relative to this file
corpora = ["ravdess"]            # folders of $OVERTONE_DATA, which is ../shared/data if not set
train_corpora = ["emogator"]     # optional: likewise, in every training set and never tested
[data]                           # optional: further corpora, with paths relative to this file
emodb = "../data/emodb"

[[evaluate]]
recipe = "overtone"              # a name, or a TOML file relative to this file
protocols = ["luna5", "random"]
seeds = [0, 1, 2]
init_from = "runs/pretrained"    # optional: a finished run on other corpora
folds = ["1", "2"]               # optional: only these
"""

import os
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from overtone.corpora import CORPORA
from overtone.corpora.label_mapping import LABEL_FILE_SUFFIX, read_label_map
from overtone.errors import OptionError, suggest
from overtone.evaluation.protocols import PROTOCOLS

TABLES = ("labels", "corpora", "train_corpora", "data", "evaluate")
KEYS = ("recipe", "protocols", "seeds", "init_from", "folds")
DATA_VARIABLE = "OVERTONE_DATA"
DEFAULT_DATA = Path("../shared/data")  # relative to the working directory


@dataclass(frozen=True)
class Evaluation:
    """One cell of the matrix.

    Attributes:
        recipe: name or path of a recipe.
        protocol: a name in `protocols.PROTOCOLS`.
        seeds: one training run per fold and seed.
        init_from: folder of a run on other corpora that initialises the network; None to train from scratch.
        folds: only these; all if empty.
    """

    recipe: str
    protocol: str
    seeds: tuple[int, ...]
    init_from: Path | None = None
    folds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Experiment:
    """The content of an experiment file.

    Attributes:
        data: corpus and its folder, in the order of the file.
        train_data: likewise, of the corpora for training only.
        evaluations: in the order of the file, protocol by protocol.
        labels: name of a label map, or path of its TOML file; None for none.
    """

    data: tuple[tuple[str, Path], ...]
    evaluations: tuple[Evaluation, ...]
    labels: str | None = None
    train_data: tuple[tuple[str, Path], ...] = ()


def data_folder() -> Path:
    """The folder of all corpora: $OVERTONE_DATA, or ../shared/data if it is not set."""
    return Path(os.environ.get(DATA_VARIABLE) or DEFAULT_DATA)


def read(path: Path) -> Experiment:
    """The experiment in a TOML file.

    Raises:
        OptionError: no such file, not TOML, an unknown or missing key, a value of the wrong type, or a corpus listed
            twice.
    """
    path = Path(path)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"{path}: not a TOML file: {error}") from error
    _check_known(tables, TABLES, str(path))
    rows = tables.get("evaluate")
    if not isinstance(rows, list) or not rows:
        raise OptionError(f"{path}: needs at least one table [[evaluate]] with 'recipe', 'protocols' and 'seeds'")
    evaluations = [cell for k, row in enumerate(rows, 1) for cell in _cells(row, path.parent, f"{path}, evaluate {k}")]
    return Experiment(_data(tables, path), tuple(evaluations), _labels(tables, path), _train_data(tables, path))


def _labels(tables: dict[str, Any], path: Path) -> str | None:
    """Name or path of the label map, which is checked; None for none."""
    labels = tables.get("labels")
    if labels is None:
        return None
    if not isinstance(labels, str):
        raise OptionError(f"{path}: 'labels' must be the name of a label map or a TOML file, got {labels!r}")
    name = str(path.parent / labels) if labels.lower().endswith(LABEL_FILE_SUFFIX) else labels
    read_label_map(name)
    return name


def _data(tables: dict[str, Any], path: Path) -> tuple[tuple[str, Path], ...]:
    """Corpus and folder, of the list `corpora` and the table `[data]`."""
    corpora, folders = tables.get("corpora", []), tables.get("data", {})
    _check_names(tables.get("train_corpora", []), "train_corpora", path)
    _check_names(corpora, "corpora", path)
    if not isinstance(folders, dict) or not all(isinstance(folder, str) for folder in folders.values()):
        raise OptionError(f'{path}: [data] must hold lines such as: ravdess = "../data/ravdess"')
    if not corpora and not folders:
        raise OptionError(f'{path}: needs data, such as: corpora = ["ravdess"]')
    names = [*corpora, *folders, *tables.get("train_corpora", [])]
    _check_known(names, tuple(CORPORA), f"{path}, corpora, train_corpora and [data]")
    if len(set(names)) < len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise OptionError(
            f"{path}: '{repeated}' is listed twice; name each corpus once, in 'corpora', 'train_corpora' or [data]"
        )
    named = [(name, data_folder() / name) for name in corpora]
    return (*named, *((name, path.parent / folder) for name, folder in folders.items()))


def _train_data(tables: dict[str, Any], path: Path) -> tuple[tuple[str, Path], ...]:
    """Corpus and folder, of the list `train_corpora`."""
    return tuple((name, data_folder() / name) for name in tables.get("train_corpora", []))


def _check_names(names: object, key: str, path: Path) -> None:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise OptionError(f"{path}: '{key}' must be a list of names, got {names!r}")


def _cells(row: dict[str, Any], folder: Path, source: str) -> list[Evaluation]:
    """The evaluations of one table, one per protocol."""
    _check_known(row, KEYS, source)
    recipe, protocols, seeds = row.get("recipe"), row.get("protocols", []), row.get("seeds", [])
    if not isinstance(recipe, str):
        raise OptionError(f"{source}: 'recipe' must be a name or a TOML file, got {recipe!r}")
    if not _is_list_of(str, protocols):
        raise OptionError(f"{source}: 'protocols' must be a list of names, got {protocols!r}")
    if not _is_list_of(int, seeds):
        raise OptionError(f"{source}: 'seeds' must be a list of whole numbers, got {seeds!r}")
    _check_known(protocols, tuple(PROTOCOLS), source)
    folds = row.get("folds", [])
    if folds and not _is_list_of(str, folds):
        raise OptionError(f"{source}: 'folds' must be a list of names, got {folds!r}")
    init, name = row.get("init_from"), str(folder / recipe) if recipe.endswith(".toml") else recipe
    if init is not None and not isinstance(init, str):
        raise OptionError(f"{source}: 'init_from' must be the folder of a run, got {init!r}")
    init_from = folder / init if init else None
    return [Evaluation(name, protocol, tuple(seeds), init_from, tuple(folds)) for protocol in protocols]


def _is_list_of(kind: type, value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(item) is kind for item in value)


def _check_known(names: Iterable[str], known: Sequence[str], source: str) -> None:
    for name in names:
        if name not in known:
            raise OptionError(f"{source}: '{name}' is not known{suggest(name, known)}")
