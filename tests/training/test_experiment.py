"""Experiment files: the corpora and the matrix of evaluations they describe, and messages for invalid ones."""

from pathlib import Path

import pytest

from overtone.errors import OptionError
from overtone.training.experiment import DATA_VARIABLE, Evaluation, read

DATA = '[data]\nravdess = "../data/ravdess"\n'
EVALUATIONS = """
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
COMPLETE = DATA + EVALUATIONS


@pytest.fixture(autouse=True)
def no_data_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove $OVERTONE_DATA of the environment in which the tests run."""
    monkeypatch.delenv(DATA_VARIABLE, raising=False)


def write(folder: Path, text: str) -> Path:
    """Write an experiment file and return its path."""
    path = folder / "x.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_evaluation_per_recipe_and_protocol(tmp_path: Path) -> None:
    experiment = read(write(tmp_path, COMPLETE))
    assert experiment.data == (("ravdess", tmp_path / "../data/ravdess"),)
    assert experiment.labels is None
    assert experiment.evaluations == (
        Evaluation("overtone", "luna5", (0, 1)),
        Evaluation("overtone", "random", (0, 1)),
        Evaluation(str(tmp_path / "mine.toml"), "loso", (7,), tmp_path / "runs/before"),
    )


def test_labels_and_folds(tmp_path: Path) -> None:
    text = 'labels = "4-classes"\n' + COMPLETE.replace("seeds = [7]", 'seeds = [7]\nfolds = ["emodb"]')
    experiment = read(write(tmp_path, text))
    assert experiment.labels == "4-classes"
    assert [evaluation.folds for evaluation in experiment.evaluations] == [(), (), ("emodb",)]


def test_a_label_file_is_relative_to_the_experiment(tmp_path: Path) -> None:
    text = 'labels = "own.toml"\n' + COMPLETE
    with pytest.raises(OptionError, match=r"own\.toml"):
        read(write(tmp_path, text))
    (tmp_path / "own.toml").write_text('tired = "bored"\nsad = "sad"\n')
    assert read(write(tmp_path, text)).labels == str(tmp_path / "own.toml")
    (tmp_path / "own.toml").write_text("tired = 3\n")
    with pytest.raises(OptionError, match=r"own\.toml.*'tired'"):
        read(write(tmp_path, text))


def test_corpora_are_in_the_folder_of_the_environment_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "corpora"))
    experiment = read(write(tmp_path, 'corpora = ["nemo", "ravdess"]\n' + EVALUATIONS))
    assert experiment.data == (("nemo", tmp_path / "corpora" / "nemo"), ("ravdess", tmp_path / "corpora" / "ravdess"))
    assert len(experiment.evaluations) == 3


@pytest.mark.parametrize("value", [None, ""])
def test_corpora_are_in_the_default_folder_without_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is not None:
        monkeypatch.setenv(DATA_VARIABLE, value)
    experiment = read(write(tmp_path, 'corpora = ["ravdess"]\n' + EVALUATIONS))
    assert experiment.data == (("ravdess", Path("../shared/data/ravdess")),)  # relative to the working directory


def test_corpora_and_further_folders_are_combined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_VARIABLE, "/corpora")
    experiment = read(write(tmp_path, 'corpora = ["emodb", "nemo"]\n' + COMPLETE))
    assert experiment.data == (
        ("emodb", Path("/corpora/emodb")),
        ("nemo", Path("/corpora/nemo")),
        ("ravdess", tmp_path / "../data/ravdess"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('labels = "4-clases"\n' + COMPLETE, "no label map is called '4-clases'; did you mean '4-classes'"),
        ("labels = 4\n" + COMPLETE, "'labels' must be the name of a label map or a TOML file, got 4"),
        (COMPLETE.replace('"runs/before"', "3"), "evaluate 2: 'init_from' must be the folder of a run, got 3"),
        (COMPLETE + "folds = 3", "evaluate 2: 'folds' must be a list of names, got 3"),
        ("[data", "not a TOML file"),
        ("", r"at least one table \[\[evaluate\]\]"),
        (DATA, r"at least one table \[\[evaluate\]\]"),
        (EVALUATIONS, r"x\.toml: needs data, such as: corpora = \[\"ravdess\"\]"),
        ("corpora = []\n" + EVALUATIONS, "needs data"),
        ('corpora = "ravdess"\n' + EVALUATIONS, "'corpora' must be a list of names, got 'ravdess'"),
        ("corpora = [1]\n" + EVALUATIONS, r"'corpora' must be a list of names, got \[1\]"),
        ('corpora = ["ravdes"]\n' + EVALUATIONS, "'ravdes' is not known; did you mean 'ravdess'"),
        ('corpora = ["nemo", "ravdess"]\n' + COMPLETE, "'ravdess' is listed twice"),
        ('corpora = ["nemo", "nemo"]\n' + EVALUATIONS, "'nemo' is listed twice"),
        ("data = 3\n" + EVALUATIONS, r"\[data\] must hold lines such as: ravdess ="),
        ("[data]\nravdess = 3\n" + EVALUATIONS, r"\[data\] must hold lines such as: ravdess ="),
        ('[data]\nravdes = "x"\n' + EVALUATIONS, "'ravdes' is not known; did you mean 'ravdess'"),
        ('[dat]\nravdess = "x"', "'dat' is not known; did you mean 'data'"),
        (COMPLETE.replace("seeds = [7]", "seeds = 7"), "evaluate 2: 'seeds' must be a list of whole numbers, got 7"),
        (COMPLETE.replace('"loso"', '"lso"'), "evaluate 2: 'lso' is not known; did you mean 'loso'"),
        (COMPLETE.replace('"overtone"', "3"), "evaluate 1: 'recipe' must be"),
        (COMPLETE.replace("seeds = [0, 1]", "seed = [0, 1]"), "evaluate 1: 'seed' is not known; did you mean 'seeds'"),
        (COMPLETE.replace('["loso"]', '"loso"'), "'protocols' must be a list"),
        (DATA + "[[evaluate]]\n", "evaluate 1: 'recipe' must be"),
    ],
)
def test_invalid_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        read(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"none\.toml: cannot be read: No such file"):
        read(tmp_path / "none.toml")
