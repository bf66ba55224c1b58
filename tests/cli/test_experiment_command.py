"""`overtone experiment`: all evaluations of the file run, even if one of them fails."""

from pathlib import Path
from typing import Any

import pytest
import small_corpus

from overtone.cli import evaluate
from overtone.cli.main import main
from overtone.errors import TrainingError

EXPERIMENT = """
[data]
ravdess = "ravdess"
[[evaluate]]
recipe = "paper"
protocols = ["random", "luna5"]
seeds = [3]
"""


@pytest.fixture
def experiment_file(tmp_path: Path) -> Path:
    small_corpus.write(tmp_path / "ravdess", with_audio=False)
    (tmp_path / "x.toml").write_text(EXPERIMENT, encoding="utf-8")
    return tmp_path / "x.toml"


def test_a_failed_evaluation_is_reported_and_the_others_run(
    experiment_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    from overtone.training import cross_validation

    calls: list[tuple[Any, ...]] = []
    launched: list[tuple[list[str], str]] = []

    def fake_evaluate(utterances: Any, recipe: Any, protocol: str, seeds: Any, **options: Any) -> None:
        calls.append((recipe.name, protocol, seeds, options["processes"]))
        if protocol == "random":
            raise TrainingError("runs/x failed")

    def fake_launcher(args: Any) -> None:
        launched.append((args.data, args.recipe))

    monkeypatch.setattr(cross_validation, "evaluate", fake_evaluate)
    monkeypatch.setattr(cross_validation, "score_oof", lambda oof, protocol, recipe: [])
    monkeypatch.setattr(evaluate, "training_launcher", fake_launcher)
    assert main(["experiment", str(experiment_file), "--processes", "2"]) == 1
    assert calls == [("paper", "random", (3,), 2), ("paper", "luna5", (3,), 2)]
    assert launched == [([f"ravdess={experiment_file.parent / 'ravdess'}"], "paper")] * 2
    err = capsys.readouterr().err
    assert "overtone: paper, random: runs/x failed" in err and "2 of 2: paper, luna5" in err
