"""The bundled models can be rebuilt by one command, which resumes."""

import json
from pathlib import Path

import numpy as np
import pytest
import small_corpus
import soundfile
from synthetic_audio import RATE_HZ

import overtone
from overtone.emotions import get_label_map
from overtone.errors import TrainingError
from overtone.inference.bundled_models import NAMES
from overtone.recipe import Recipe, read_recipe
from tools import train_bundled_model
from tools.train_bundled_model import Stage

EMODB_SPEAKERS = ("03", "08", "09", "10", "11", "12")
EMODB_LETTERS = {"N": 0, "F": 2, "T": 3, "W": 4}  # neutral, happy, sad, angry; positions in `ravdess.EMOTIONS`


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with two small corpora under the names of real ones."""
    folder = tmp_path / "data"
    small_corpus.write(folder / "ravdess", small_corpus.FEW_EMOTIONS)
    (folder / "emodb" / "wav").mkdir(parents=True)
    rng = np.random.default_rng(3)
    for speaker in EMODB_SPEAKERS:
        for letter, number in EMODB_LETTERS.items():
            path = folder / "emodb" / "wav" / f"{speaker}a01{letter}a.wav"
            soundfile.write(path, small_corpus.clip(number, rng), RATE_HZ)
    return folder


@pytest.fixture
def small_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """One model of two trainings of a few seconds."""

    def models(runs: Path) -> dict[str, tuple[Stage, ...]]:
        joint = small_corpus.recipe(small_corpus.JOINT)
        first = Recipe(**{**joint.as_dict(), "name": "first", "phases": joint.phases, "epochs": 1})
        return {"small": (Stage(first, ("emodb",), runs / "first"), Stage(joint, ("ravdess",), runs / "joint"))}

    monkeypatch.setattr(train_bundled_model, "models", models)


def test_every_bundled_model_has_its_trainings(tmp_path: Path) -> None:
    assert set(train_bundled_model.models(tmp_path)) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_bundled_model_is_that_of_its_last_training(name: str, tmp_path: Path) -> None:
    *earlier, final = train_bundled_model.models(tmp_path)[name]
    card = overtone.load(name).card
    assert (card["id"], card["protocol"], card["seed"]) == (name, "all", 0)
    assert card["recipe"] == final.recipe.as_dict() | {"phases": [list(phase) for phase in final.recipe.phases]}
    first = {corpus for stage in earlier for corpus in stage.corpora}
    assert card["init_corpora"] == sorted(first) and not first & set(final.corpora)
    assert {row["corpus"] for row in card["training_data"]} == {*first, *final.corpora}
    if final.labels:
        assert set(card["emotions"]) <= set(get_label_map(final.labels).values())


def test_labels_are_mapped(data: Path, tmp_path: Path) -> None:
    stage = Stage(read_recipe("encoder"), ("ravdess",), tmp_path, labels="4-classes-calm-as-neutral")
    unmapped = Stage(read_recipe("encoder"), ("ravdess",), tmp_path)
    assert {clip.emotion for clip in stage.read(data)} <= set(get_label_map(stage.labels).values())
    assert len(stage.read(data)) <= len(unmapped.read(data)) == 96


@pytest.mark.slow
def test_it_says_what_it_needs_and_resumes_after_an_interruption(
    one_thread: None,
    data: Path,
    small_models: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output, runs = tmp_path / "bundled", tmp_path / "runs"
    output.mkdir()
    arguments = [f"--{name}={path}" for name, path in (("data", data), ("runs", runs), ("output", output))]
    arguments += [f"--cache={tmp_path / 'cache'}", f"--oof={tmp_path / 'oof'}"]

    assert train_bundled_model.main([*arguments, "--plan"]) == 0
    plan = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in plan] == ["first", "joint"] and not runs.exists()
    assert "24 clips of emodb" in plan[0] and "96 clips of ravdess" in plan[1]

    def fail(*_: object, **__: object) -> Path:
        raise TrainingError("interrupted")

    with monkeypatch.context() as patch:  # after both trainings, before the export
        patch.setattr(train_bundled_model, "export_run", fail)
        assert train_bundled_model.main(arguments) == 1
    assert "interrupted" in capsys.readouterr().err
    assert not list(output.iterdir())
    weights = (runs / "first" / "weights.safetensors").stat().st_mtime_ns

    monkeypatch.setattr("tools.train_bundled_model.export_run", without_oof(train_bundled_model.export_run))
    assert train_bundled_model.main(arguments) == 0
    assert "finished already" in capsys.readouterr().out
    assert (runs / "first" / "weights.safetensors").stat().st_mtime_ns == weights
    card = overtone.load(output / "small.onnx").card
    assert card["init_corpora"] == ["emodb"] and card["id"] == "small"
    assert (output / "small.md").read_text("utf-8").startswith("# Model card: small")
    assert json.loads((runs / "joint" / "run.json").read_text("utf-8"))["init"]["training_data"][0]["corpus"] == "emodb"


def without_oof(export_run: object) -> object:
    """The export with the scores of the run itself: small recipes have no out-of-fold predictions."""

    def export(clips: object, folder: Path, *, model_id: str, **options: Path) -> Path:
        return export_run(clips, folder, model_id=model_id)  # type: ignore[operator, no-any-return]

    return export


def test_a_missing_corpus_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train_bundled_model.main(["--data", str(tmp_path), "--models", "lite"]) == 1
    assert f"{tmp_path}/ravdess" in capsys.readouterr().err


def test_an_unknown_model_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train_bundled_model.main(["--data", str(tmp_path), "--models", "light"]) == 1
    assert "lite" in capsys.readouterr().err
