"""The matrix that an experiment's file asks for."""

from pathlib import Path

import pytest

from overtone.errors import OptionError
from overtone.training.experiment import Evaluation, read

WHOLE = """
[data]
ravdess = "../data/ravdess"
emodb = "emodb"
[[evaluate]]
recipe = "overtone"
protocols = ["luna5", "random"]
seeds = [0, 1]
[[evaluate]]
recipe = "mine.toml"
protocols = ["loso"]
seeds = [7]
init_from = "runs/before"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "x.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_cell_per_recipe_and_protocol(tmp_path: Path) -> None:
    found = read(written(tmp_path, WHOLE.replace('emodb = "emodb"\n', "")))
    assert found.data == (("ravdess", tmp_path / "../data/ravdess"),)
    assert found.evaluations == (
        Evaluation("overtone", "luna5", (0, 1)),
        Evaluation("overtone", "random", (0, 1)),
        Evaluation(str(tmp_path / "mine.toml"), "loso", (7,), tmp_path / "runs/before"),
    )


def test_labels_and_folds(tmp_path: Path) -> None:
    text = 'labels = "4-classes"\n' + WHOLE.replace("seeds = [7]", 'seeds = [7]\nfolds = ["emodb"]')
    found = read(written(tmp_path, text))
    assert found.labels == "4-classes"
    assert [cell.folds for cell in found.evaluations] == [(), (), ("emodb",)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('labels = "4-clases"\n' + WHOLE, "no label map is called '4-clases'; did you mean '4-classes'"),
        (WHOLE.replace('"runs/before"', "3"), "evaluate 2: 'init_from' must be the folder of a run, got 3"),
        (WHOLE + "folds = 3", "evaluate 2: 'folds' must be a list of names, got 3"),
        ("[data", "not a TOML file"),
        ("", r"needs a table \[data\]"),
        ('[data]\nravdess = "x"', r"at least one table \[\[evaluate\]\]"),
        ('[data]\nravdes = "x"\n[[evaluate]]\n', "'ravdes' is not known; did you mean 'ravdess'"),
        ('[dat]\nravdess = "x"', "'dat' is not known; did you mean 'data'"),
        (WHOLE.replace("seeds = [7]", "seeds = 7"), "evaluate 2: 'seeds' must be a list of whole numbers, got 7"),
        (WHOLE.replace('"loso"', '"lso"'), "evaluate 2: 'lso' is not known; did you mean 'loso'"),
        (WHOLE.replace('"overtone"', "3"), "evaluate 1: 'recipe' must be"),
        (WHOLE.replace("seeds = [0, 1]", "seed = [0, 1]"), "evaluate 1: 'seed' is not known; did you mean 'seeds'"),
        (WHOLE.replace('["loso"]', '"loso"'), "'protocols' must be a list"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        read(written(tmp_path, text.replace('emodb = "emodb"\n', "")))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"none\.toml: cannot be read: No such file"):
        read(tmp_path / "none.toml")
