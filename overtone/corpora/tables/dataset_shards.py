"""Finds the files of a Hugging Face dataset: Parquet as on the hub, or Arrow as `save_to_disk` writes it.

    emotions/                                   emotions/                       emotions/
    └── data/                                   ├── de/                         ├── dataset_dict.json
        ├── train-00000-of-00002.parquet        │   └── train-...parquet        ├── train/
        ├── train-00001-of-00002.parquet        └── en/                         │   ├── data-00000-of-00001.arrow
        └── test-00000-of-00001.parquet             └── test-...parquet         │   ├── dataset_info.json
                                                                                │   └── state.json
                                                                                └── test/

`de` and `en` are configurations of one dataset, which may contain the same recordings: one has to be selected.

Source: Hugging Face hub, "Data files configuration"; `datasets` 5, `Dataset.save_to_disk`.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from overtone.corpora.tables.hub_features import INFO_NAME
from overtone.corpora.tables.rows import Table
from overtone.corpora.tables.splits import SPLITS, with_split
from overtone.corpora.tables.table_files import SUFFIXES, read_file
from overtone.errors import CorpusError

DATA_FOLDER = "data"
DICT_NAME, STATE_NAME = "dataset_dict.json", "state.json"
NUMBERED = re.compile(r"(?P<split>.*?)-?(?P<number>\d{5})-of-(?P<count>\d{5})")  # also with a hash behind it
CONVERTED = re.compile(r"\d{4,}")  # CONFIG/SPLIT/0000.parquet, as the hub converts datasets


class Shard(NamedTuple):
    """A file of a dataset.

    Attributes:
        path: of the file.
        split: such as "train"; "" where unknown.
        config: the configuration; "" if the dataset has only one.
    """

    path: Path
    split: str
    config: str = ""

    @property
    def selections(self) -> set[str]:
        """What selects it."""
        both = f"{self.config}/{self.split}" if self.config and self.split else ""
        return {self.split, self.config, both} - {""}


def is_here(folder: Path) -> bool:
    """Return whether a folder is such a dataset; not if there are other tables in the folder itself."""
    if any((folder / name).is_file() for name in (DICT_NAME, STATE_NAME)):
        return True
    if (folder / INFO_NAME).is_file() and any(folder.glob("*.arrow")):
        return True
    tables = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
    shards = _parquet_shards(folder)
    return bool(shards) and {shard.path for shard in shards} >= set(tables)


def read(folder: Path, selection: str, expected: str) -> list[Table]:
    """Return the tables of the files, with a column `split`.

    Args:
        folder: of the dataset.
        selection: names of splits, of configurations, or CONFIG/SPLIT, separated by commas; "" for all splits.
        expected: description of the expected content, for messages.

    Raises:
        CorpusError: a file is missing or cannot be read, nothing is selected, or there are several configurations of
            which none is.
        MissingExtraError: pyarrow is not installed.
    """
    shards = _select(folder, selection, _saved_shards(folder) or _parquet_shards(folder))
    tables = [with_split(read_file(str(shard.path), expected, str(folder)), shard.split) for shard in shards]
    hints = tuple(_missing(folder, shards))
    return [replace(tables[0], hints=(*tables[0].hints, *hints)), *tables[1:]]


def _select(folder: Path, selection: str, shards: Sequence[Shard]) -> list[Shard]:
    if not shards:
        raise CorpusError(f"{folder}: no Parquet or Arrow file of the dataset in it; copy or download it again")
    names = selection.split(",") if selection else []
    known = sorted(set().union(*(shard.selections for shard in shards)))
    for name in names:
        if name not in known:
            raise CorpusError(f"{folder}: no split '{name}' in it; splits: {', '.join(known) or 'none'}")
    selected = [shard for shard in shards if not names or shard.selections & set(names)]
    configs = sorted({shard.config for shard in selected})
    if len(configs) > 1 and not all((shard.selections - {shard.split}) & set(names) for shard in selected):
        choices = ", ".join(f"#{name}" for name in configs)
        raise CorpusError(
            f"{folder}: has several configurations, perhaps of the same recordings; select one or more, separated by "
            f"commas, after the name of the folder: {choices}"
        )
    return selected


def _parquet_shards(folder: Path) -> list[Shard]:
    """Return the Parquet files in a folder, in its folder `data`, or else in those of configurations."""
    here = [_shard(path) for path in sorted(folder.glob("*.parquet")) if NUMBERED.match(path.stem)]
    here += [_shard(path) for path in sorted((folder / DATA_FOLDER).glob("*.parquet"))]
    if here:
        return here
    files = sorted([*folder.glob("*/*.parquet"), *folder.glob("*/*/*.parquet")])
    found = [shard for path in files if (shard := _nested_shard(path, folder))]
    configs = {shard.config for shard in found}
    return [shard._replace(config="") for shard in found] if len(configs) == 1 else found


def _nested_shard(path: Path, folder: Path) -> Shard | None:
    """Return a file in CONFIG, SPLIT or CONFIG/SPLIT; None if it has another name than files of datasets have."""
    *folders, name = path.relative_to(folder).parts
    if folders[0].startswith("."):
        return None
    if CONVERTED.fullmatch(path.stem):
        return Shard(path, folders[-1], "/".join(folders[:-1]))
    if not NUMBERED.match(name) or len(folders) > 1:
        return None
    return _shard(path, "" if folders[0].lower() in SPLITS else folders[0])


def _shard(path: Path, config: str = "") -> Shard:
    """Return a file whose name contains the split, such as "train-00000-of-00002" or "emotions-train"."""
    numbered = NUMBERED.match(path.stem)
    name = numbered["split"] if numbered else path.stem
    words = [word for word in re.split(r"[-_.]", name) if word.lower() in SPLITS]
    is_name = numbered and "-" not in name  # such as "train.clean.100"
    return Shard(path, name if is_name else next(iter(words), name if numbered else ""), config)


def _saved_shards(folder: Path) -> list[Shard]:
    """Return the Arrow files of a saved dataset, of a dictionary of them, or of a folder in the cache of `datasets`."""
    if (folder / DICT_NAME).is_file():
        splits = _read_json(folder / DICT_NAME).get("splits", [])
        return [shard for split in splits for shard in _state_shards(folder / str(split), str(split))]
    if (folder / STATE_NAME).is_file():
        return _state_shards(folder)
    files = [path for path in sorted(folder.glob("*.arrow")) if not path.name.startswith("cache-")]
    stems = [re.sub(r"-\d{5}-of-\d{5}$", "", path.stem) for path in files]
    return [Shard(path, stem.rpartition("-")[2]) for path, stem in zip(files, stems, strict=True)]


def _state_shards(folder: Path, split: str = "") -> list[Shard]:
    state = _read_json(folder / STATE_NAME)
    try:
        paths = [folder / file["filename"] for file in state["_data_files"]]
    except (KeyError, TypeError) as error:
        raise CorpusError(f"{folder / STATE_NAME}: does not list the files of the dataset; save it again") from error
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise CorpusError(f"{missing[0]}: is missing, although {STATE_NAME} lists it; copy the dataset again")
    return [Shard(path, split or str(state.get("_split") or "")) for path in paths]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path}: cannot be read as JSON: {error}; save the dataset again") from error
    if not isinstance(content, dict):
        raise CorpusError(f"{path}: is no JSON object; save the dataset again")
    return content


def _missing(folder: Path, shards: Sequence[Shard]) -> Iterator[str]:
    """Yield a hint for each split of which files are missing, as after a download that was stopped."""
    numbers: defaultdict[tuple[Path, str, str], set[str]] = defaultdict(set)
    for shard in shards:
        numbered = NUMBERED.match(shard.path.stem)
        if numbered:
            numbers[shard.path.parent, shard.split, numbered["count"]].add(numbered["number"])
    for (parent, split, count), found in numbers.items():
        if len(found) < int(count):
            place = (parent / split).relative_to(folder)
            yield f"{folder}: only {len(found)} of the {int(count)} files of {place} are there"
