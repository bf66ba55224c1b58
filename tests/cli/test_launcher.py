"""`training_launcher`: the command line of one training, and the reason of its failure."""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import small_corpus
from small_corpus import Corpus

from overtone.cli import launcher
from overtone.cli.launcher import training_launcher
from overtone.cli.main import Parser
from overtone.cli.train import train_arguments

pytest.importorskip("torch")

from overtone.recipe import read_recipe
from overtone.training.run_config import RunConfig, run_metadata
from overtone.training.run_folder import is_finished, matches_run

FOLDER = Path("runs/luna5-paper/seed4-fold2")


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, Any]]]:
    """Replaces `subprocess.run` with a stub that succeeds, and records the command and options of every process."""
    started: list[tuple[list[str], dict[str, Any]]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        started.append((command, options))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(launcher.subprocess, "run", run)
    return started


def arguments(**values: Any) -> argparse.Namespace:
    """Return the parsed arguments of a command that trains."""
    defaults = {"data": ["ravdess=x"], "train_data": [], "corpus": "ravdess", "recipe": "paper"}
    defaults |= {"labels": None, "only_known_labels": False, "cache": None}
    return argparse.Namespace(**{**defaults, **values})


def config(fold: str = "2") -> RunConfig:
    return RunConfig(read_recipe("paper"), "luna5", fold, 4)


def test_the_command_is_a_training_with_the_same_options(processes: list) -> None:
    args = arguments(
        data=["ravdess=x", "a=b.csv"],
        labels="own.toml",
        cache=Path("features"),
        init_from=Path("runs/pretrain"),
        only_known_labels=True,
    )
    assert training_launcher(args)(config(fold="-1"), FOLDER) == ""
    ((command, options),) = processes
    assert command[:4] == [sys.executable, "-m", "overtone", "train"]
    parser = Parser()
    train_arguments(parser)
    parsed = parser.parse_all_args(command[4:])
    assert (parsed.data, parsed.corpus, parsed.labels) == (args.data, "ravdess", "own.toml")
    assert parsed.only_known_labels
    assert (parsed.recipe, parsed.protocol, parsed.fold, parsed.seed) == ("paper", "luna5", "-1", 4)
    assert (parsed.output, parsed.cache, parsed.init_from) == (FOLDER, args.cache, args.init_from)
    assert parsed.resume and parsed.no_export
    assert options["env"]["OMP_NUM_THREADS"] == "1"


def test_options_that_were_not_given_are_omitted(processes: list) -> None:
    training_launcher(arguments())(config(), FOLDER)
    ((command, _),) = processes
    assert not [word for word in command if word.startswith(("--labels", "--only", "--cache", "--init-from"))]


@pytest.mark.parametrize(
    ("exit_code", "stderr", "reason"),
    [
        (0, "overtone: a warning\n", ""),
        (1, "ravdess: 192 clips\novertone: first\novertone: RUN: no space left\n", "RUN: no space left"),
        (1, "overtone: RUN: failed\na line after it\n", "RUN: failed"),
        (1, "Traceback\nMemoryError\n", "MemoryError"),
        (-9, "", "exit code -9 without a message; possibly out of memory"),
    ],
)
def test_the_reason_of_a_failure_is_the_last_error(
    exit_code: int, stderr: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = subprocess.CompletedProcess([], exit_code, "", stderr)
    monkeypatch.setattr(launcher.subprocess, "run", lambda command, **options: done)
    assert training_launcher(arguments())(config(), FOLDER) == reason


def test_a_process_that_fails(tmp_path: Path) -> None:
    reason = training_launcher(arguments(data=[f"ravdess={tmp_path / 'nowhere'}"]))(config(), tmp_path / "run")
    assert reason.startswith(f"{tmp_path / 'nowhere'}: ")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_training_in_its_own_process(smaller_corpus: Corpus, cache: Path, tmp_path: Path) -> None:
    path = small_corpus.recipe_file(tmp_path, small_corpus.PHASED)
    run_config = RunConfig(read_recipe(path), "random", "1", 3)
    args = arguments(data=[str(smaller_corpus.folder)], recipe=str(path), cache=cache)
    assert training_launcher(args)(run_config, tmp_path / "run") == ""
    assert matches_run(tmp_path / "run", run_metadata(smaller_corpus.clips, run_config))
    assert is_finished(tmp_path / "run")
    assert not list(tmp_path.glob("run/*.onnx"))
