"""The files of a Hugging Face dataset: splits, configurations, saved datasets, and files that are missing."""

import json
from pathlib import Path

import pytest
from hub_dataset import rows, save_to_disk, write_arrow, write_parquet

from overtone.batch.inputs import collect_inputs
from overtone.corpora import manifest
from overtone.errors import CorpusError

pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVERTONE_CACHE", str(tmp_path_factory.mktemp("cache")))


def clips(location: Path | str) -> list[str]:
    return [utterance.clip for utterance in manifest.read(Path(location)).utterances]


def splits(location: Path | str) -> list[tuple[str, str]]:
    inputs = collect_inputs([f"manifest={location}"])
    place = inputs.columns.index("split")
    return [(row.name, str(row.values[place])) for row in inputs.rows]


@pytest.mark.parametrize("folder", ["data", "."])
def test_splits_of_parquet_files_and_their_selection(tmp_path: Path, folder: str) -> None:
    write_parquet(tmp_path / folder / "train-00000-of-00002.parquet", rows([0, 1]))
    write_parquet(tmp_path / folder / "train-00001-of-00002.parquet", rows([2, 3]))
    write_parquet(tmp_path / folder / "test-00000-of-00001-0123456789abcdef.parquet", rows([4, 5]))
    assert splits(tmp_path) == [
        *[(f"{k}.wav", "test") for k in (4, 5)],
        *[(f"{k}.wav", "train") for k in (0, 1, 2, 3)],
    ]
    assert clips(f"{tmp_path}#train") == ["0", "1", "2", "3"]
    assert not manifest.read(tmp_path).hints
    with pytest.raises(CorpusError, match="no split 'dev' in it; splits: test, train"):
        clips(f"{tmp_path}#dev")


@pytest.mark.parametrize(
    ("file", "split"),
    [
        ("data/train.clean.100-00000-of-00001.parquet", "train.clean.100"),
        ("data/emo-test-00000-of-00001.parquet", "test"),
        ("data/dev_part.parquet", "dev"),
        ("train/0000.parquet", "train"),
        ("train/train-00000-of-00001.parquet", "train"),
        ("emo/default/0000.parquet", "default"),
    ],
)
def test_the_split_is_in_the_name_of_the_file_or_its_folder(tmp_path: Path, file: str, split: str) -> None:
    write_parquet(tmp_path / file, rows([0]))
    assert splits(tmp_path) == [("0.wav", split)]


def test_names_are_unique_in_all_files(tmp_path: Path) -> None:
    other = rows([3])
    other[0]["audio"]["path"] = "1.wav"
    write_parquet(tmp_path / "data/train-00000-of-00001.parquet", rows([0, 1]))
    write_parquet(tmp_path / "data/validation.parquet", other)
    assert splits(tmp_path) == [
        ("0.wav", "train"),
        ("1.wav", "train"),
        ("data/validation.parquet:row 1", "validation"),
    ]


def test_files_that_are_missing_are_a_hint(tmp_path: Path) -> None:
    write_parquet(tmp_path / "data/train-00001-of-00003.parquet", rows([0, 1]))
    assert manifest.read(tmp_path).hints == (f"{tmp_path}: only 1 of the 3 files of data/train are there",)


def test_one_of_several_configurations_has_to_be_selected(tmp_path: Path) -> None:
    write_parquet(tmp_path / "de/train-00000-of-00001.parquet", rows([0, 1]))
    write_parquet(tmp_path / "de/test-00000-of-00001.parquet", rows([4, 5]))
    write_parquet(tmp_path / "en/train/0000.parquet", rows([2, 3]))
    with pytest.raises(CorpusError, match=r"several configurations.* #de, #en"):
        clips(tmp_path)
    with pytest.raises(CorpusError, match="several configurations"):
        clips(f"{tmp_path}#train")
    assert clips(f"{tmp_path}#en") == ["2", "3"]
    assert clips(f"{tmp_path}#de/train") == ["0", "1"]
    assert clips(f"{tmp_path}#de/test,en/train") == ["4", "5", "2", "3"]
    for path in (tmp_path / "en").rglob("*.parquet"):
        path.unlink()
    assert clips(f"{tmp_path}#test") == ["4", "5"]


def test_saved_datasets(tmp_path: Path) -> None:
    assert clips(save_to_disk(tmp_path / "one", rows([0, 1, 2]))) == ["0", "1", "2"]
    folder = tmp_path / "several"
    for split, seeds in (("train", [0, 1, 2]), ("test", [3, 4])):
        save_to_disk(folder / split, rows(seeds))
    (folder / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "test"]}))
    assert splits(folder) == [*[(f"{k}.wav", "train") for k in (0, 1, 2)], *[(f"{k}.wav", "test") for k in (3, 4)]]
    assert clips(f"{folder}#test") == ["3", "4"]


def test_a_folder_in_the_cache_of_datasets(tmp_path: Path) -> None:
    write_arrow(tmp_path / "emo-train-00000-of-00001.arrow", rows([0, 1]))
    write_arrow(tmp_path / "emo-test.arrow", rows([2, 3]), is_file=True)
    write_arrow(tmp_path / "cache-0123.arrow", rows([4, 5]))
    (tmp_path / "dataset_info.json").write_text("{}")
    assert splits(tmp_path) == [*[(f"{k}.wav", "test") for k in (2, 3)], *[(f"{k}.wav", "train") for k in (0, 1)]]


def test_an_incomplete_saved_dataset_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    save_to_disk(tmp_path, rows([0, 1]))
    (tmp_path / "data-00000-of-00001.arrow").rename(tmp_path / "other.arrow")
    with pytest.raises(CorpusError, match=r"data-00000-of-00001\.arrow: is missing"):
        clips(tmp_path)
    for state in ("[]", "{}", "{", '{"_data_files": [1]}'):
        (tmp_path / "state.json").write_text(state)
        with pytest.raises(CorpusError, match=r"state\.json: .*save"):
            clips(tmp_path)
    (tmp_path / "dataset_dict.json").write_text('{"splits": []}')
    with pytest.raises(CorpusError, match="no Parquet or Arrow file"):
        clips(tmp_path)


def test_other_tables_in_the_folder_are_preferred(tmp_path: Path) -> None:
    write_parquet(tmp_path / "data/train-00000-of-00001.parquet", rows([0, 1]))
    (tmp_path / "mine.csv").write_text("path,emotion\na.wav,sad\n")
    (tmp_path / "a.wav").touch()
    assert clips(tmp_path) == ["a"]
