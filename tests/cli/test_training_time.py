"""The line that says before the first epoch how long training runs take."""

import re
from pathlib import Path

import pytest
import small_corpus
from small_corpus import JOINT, Corpus

from overtone.cli import training_time
from overtone.cli.main import main
from overtone.cli.training_time import describe_estimate
from overtone.training.time_estimate import Estimate

LINE = r"1 run, 1 network: about \d+ (s|min) \(features of 192 clips, with augmented ones, \d+ s, training \d+ s\)"


def test_an_estimate_is_one_line() -> None:
    assert describe_estimate(Estimate(5, 25, 11_520, 1e9, 250, 3600)) == (
        "5 runs, 25 networks: about 1.1 h (features of 11520 clips, with augmented ones, 4 min, training 1.0 h)"
    )
    assert describe_estimate(Estimate(1, 1, 0, 0, 0, 40)) == "1 run, 1 network: about 40 s (training 40 s)"


@pytest.fixture
def arguments(one_thread: None, smaller_corpus: Corpus, tmp_path: Path) -> list[str]:
    """Return the options of a training of seconds."""
    recipe = small_corpus.recipe_file(tmp_path, JOINT)
    return [f"--data={smaller_corpus.folder}", f"--recipe={recipe}", f"--cache={tmp_path / 'cache'}"]


@pytest.mark.slow
def test_it_comes_before_the_first_epoch_of_every_command(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(training_time, "MIN_CLIP_EPOCHS", 0)
    evaluation = [*arguments, "--folds=1", "--seeds=0", f"--runs={tmp_path / 'runs'}", f"--oof={tmp_path / 'oof'}"]
    assert main(["evaluate", *evaluation]) == 0
    lines = capsys.readouterr().err.splitlines()
    (first,) = [number for number, line in enumerate(lines) if re.fullmatch(LINE, line)]
    assert first < min(number for number, line in enumerate(lines) if " of 3 steps" in line)

    assert main(["evaluate", *evaluation]) == 0
    assert "about" not in capsys.readouterr().err, "nothing is left to train"

    assert main(["train", *arguments, f"--output={tmp_path / 'run'}", "--no-export"]) == 0
    assert "1 run, 1 network: about" in capsys.readouterr().err
    for options in ([], ["--resume"]):
        main(["train", *arguments, f"--output={tmp_path / 'run'}", "--no-export", *options])
        assert "about" not in capsys.readouterr().err

    (tmp_path / "experiment.toml").write_text(
        f'[data]\nravdess = "{arguments[0].removeprefix("--data=")}"\n'
        f'[[evaluate]]\nrecipe = "recipe.toml"\nprotocols = ["luna5"]\nfolds = ["2"]\nseeds = [0]\n'
    )
    folders = [f"--runs={tmp_path / 'runs-2'}", f"--oof={tmp_path / 'oof-2'}", arguments[2]]
    assert main(["experiment", str(tmp_path / "experiment.toml"), *folders]) == 0
    assert "1 run, 1 network: about" in capsys.readouterr().err


def test_trainings_of_seconds_have_no_estimate(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("overtone.training.time_estimate.estimate", lambda *_, **__: pytest.fail("measured"))
    assert main(["train", *arguments, f"--output={tmp_path / 'run'}", "--no-export"]) == 0
    assert "about" not in capsys.readouterr().err
