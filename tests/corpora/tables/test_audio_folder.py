"""Folders in the layout of Hugging Face datasets: tables of metadata, and folders of classes."""

from pathlib import Path

import pytest

from overtone.batch.inputs import collect_inputs
from overtone.corpora import manifest
from overtone.errors import CorpusError


def write(folder: Path, **texts: str) -> Path:
    """Write files; `__` in a name separates folders, `_` stands for the dot."""
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def labels(location: Path | str) -> dict[str, str]:
    return {utterance.clip: utterance.emotion for utterance in manifest.read(Path(location)).utterances}


def test_metadata_next_to_the_files(tmp_path: Path) -> None:
    write(
        tmp_path, metadata_csv="file_name,label,transcription\nin/a.wav,sad,oh\nb.wav,Joy,no\n", in__a_wav="", b_wav=""
    )
    assert labels(tmp_path) == {"in/a": "sad", "b": "happy"}


def test_metadata_of_splits_and_their_selection(tmp_path: Path) -> None:
    write(
        tmp_path,
        train__metadata_jsonl='{"file_name": "a.wav", "emotion": "sad", "age": 30}\n',
        test__metadata_csv="file_name,emotion\na.wav,calm\n",
        train__a_wav="",
        test__a_wav="",
    )
    assert labels(tmp_path) == {"test/a": "calm", "train/a": "sad"}
    assert labels(f"{tmp_path}#train") == {"train/a": "sad"}
    with pytest.raises(CorpusError, match="no split 'dev' in it; splits: test, train"):
        labels(f"{tmp_path}#dev")
    inputs = collect_inputs([f"manifest={tmp_path}"])
    assert inputs.columns == ("emotion", "split", "age")
    assert [(row.name, row.path, row.values) for row in inputs.rows] == [
        ("test/a.wav", f"{tmp_path}/test/a.wav", ("calm", "test", None)),
        ("train/a.wav", f"{tmp_path}/train/a.wav", ("sad", "train", 30)),
    ]


def test_other_tables_in_a_folder_are_preferred_to_those_of_its_subfolders(tmp_path: Path) -> None:
    write(tmp_path, mine_csv="path,emotion\na.wav,sad\n", a_wav="", old__metadata_csv="file_name,label\nb.wav,calm\n")
    assert labels(tmp_path) == {"a": "sad"}


def test_a_folder_per_class(tmp_path: Path) -> None:
    folder = write(
        tmp_path, train__angry__1_wav="", train__very__sad__2_MP3="", test__sad__3_wav="", train__4_wav="", notes_txt=""
    )
    write(tmp_path, _hidden__sad__5_wav="")
    scan = manifest.read(folder)
    assert {u.clip: u.emotion for u in scan.utterances} == {
        "test/sad/3": "sad",
        "train/angry/1": "angry",
        "train/very/sad/2": "sad",
    }
    assert scan.ignored == {"in no folder of a class": 1}
    assert labels(f"{folder}#test") == {"test/sad/3": "sad"}
    inputs = collect_inputs([f"manifest={folder}"])
    assert inputs.columns == ("label", "split")
    assert len(inputs.rows) == 4 and ("train/4.wav", (None, "train")) in [(row.name, row.values) for row in inputs.rows]


def test_folders_of_splits_alone_are_no_classes(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"no utterance in it \(2 x in no folder of a class\)"):
        manifest.read(write(tmp_path, train__1_wav="", test__2_wav=""))


def test_a_folder_of_a_batch_is_searched_unless_it_is_called_a_manifest(tmp_path: Path) -> None:
    write(tmp_path, metadata_csv="file_name\na.wav\n", a_wav="", b_wav="")
    assert [row.name for row in collect_inputs([str(tmp_path)]).rows] == [f"{tmp_path}/a.wav", f"{tmp_path}/b.wav"]
    assert [row.name for row in collect_inputs([f"manifest={tmp_path}"]).rows] == ["a.wav"]
