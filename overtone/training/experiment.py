"""A TOML file -> a matrix of evaluations: recipes by protocols by seeds, one after the other, each resumable.

# ladder.toml; paths are relative to this file
labels = "4-classes"             # optional: a label map for all corpora
[data]
ravdess = "../data/ravdess"

[[evaluate]]
recipe = "overtone"              # a name, or a TOML file
protocols = ["luna5", "random"]
seeds = [0, 1, 2]
init_from = "runs/pretrained"   # optional: a finished run on other corpora
folds = ["1", "2"]               # optional: only these
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from overtone.corpora import CORPORA
from overtone.emotions import get_label_map
from overtone.errors import OptionError, suggest
from overtone.evaluation.protocols import PROTOCOLS

TABLES = ("labels", "data", "evaluate")
KEYS = ("recipe", "protocols", "seeds", "init_from", "folds")


@dataclass(frozen=True)
class Evaluation:
    """One cell of the matrix.

    Attributes:
        recipe: name or path of a recipe.
        protocol: a name in `splits.PROTOCOLS`.
        seeds: one training per fold and seed.
        init_from: folder of a run on other corpora to begin with; None for none.
        folds: only these; all where none is named.
    """

    recipe: str
    protocol: str
    seeds: tuple[int, ...]
    init_from: Path | None = None
    folds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Experiment:
    """What a file asks for.

    Attributes:
        data: corpus and where it lies, in the order of the file.
        evaluations: in the order of the file, protocol by protocol.
        labels: name of a label map; None for none.
    """

    data: tuple[tuple[str, Path], ...]
    evaluations: tuple[Evaluation, ...]
    labels: str | None = None


def read(path: Path) -> Experiment:
    """The experiment that a TOML file describes.

    Raises:
        OptionError: no such file, not TOML, a key that is not known or missing, or a value of another kind.
    """
    path = Path(path)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"{path}: not a TOML file: {error}") from error
    _check_known(tables, TABLES, str(path))
    data, rows = tables.get("data"), tables.get("evaluate")
    if not isinstance(data, dict) or not data or not all(isinstance(where, str) for where in data.values()):
        raise OptionError(f'{path}: needs a table [data] with lines such as: ravdess = "../data/ravdess"')
    if not isinstance(rows, list) or not rows:
        raise OptionError(f"{path}: needs at least one table [[evaluate]] with 'recipe', 'protocols' and 'seeds'")
    _check_known(data, tuple(CORPORA), f"{path}, [data]")
    labels = tables.get("labels")
    if labels is not None:
        get_label_map(str(labels))
    evaluations = [cell for k, row in enumerate(rows, 1) for cell in _cells(row, path.parent, f"{path}, evaluate {k}")]
    return Experiment(
        tuple((corpus, path.parent / where) for corpus, where in data.items()), tuple(evaluations), labels
    )


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
    start, named = row.get("init_from"), folder / recipe if recipe.endswith(".toml") else recipe
    if start is not None and not isinstance(start, str):
        raise OptionError(f"{source}: 'init_from' must be the folder of a run, got {start!r}")
    beginning = folder / start if start else None
    return [Evaluation(str(named), protocol, tuple(seeds), beginning, tuple(folds)) for protocol in protocols]


def _is_list_of(kind: type, value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(each) is kind for each in value)


def _check_known(found: Any, known: Sequence[str], source: str) -> None:
    for name in found:
        if name not in known:
            raise OptionError(f"{source}: '{name}' is not known{suggest(name, known)}")
