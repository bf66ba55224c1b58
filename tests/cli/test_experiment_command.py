"""`overtone experiment`: every cell is evaluated, and one that fails does not stop the others."""

from pathlib import Path
from typing import Any

import pytest
import small_corpus

from overtone.cli.main import main
from overtone.errors import TrainingError

FILE = """
[data]
ravdess = "ravdess"
[[evaluate]]
recipe = "paper"
protocols = ["random", "luna5"]
seeds = [3]
"""


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    small_corpus.write(tmp_path / "ravdess", sound=False)
    (tmp_path / "x.toml").write_text(FILE, encoding="utf-8")
    return tmp_path / "x.toml"


def test_a_failing_cell_is_told_and_the_others_go_on(
    asked: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    from overtone.training import cross_validation as module

    calls: list[tuple[Any, ...]] = []

    def evaluate(utterances: Any, how: Any, protocol: str, seeds: Any, **options: Any) -> None:
        calls.append((len(utterances), how.name, protocol, seeds, options["jobs"], options["command"]))
        if protocol == "random":
            raise TrainingError("runs/x failed")

    monkeypatch.setattr(module, "evaluate", evaluate)
    monkeypatch.setattr(module, "scored", lambda oof, protocol, recipe: [])
    assert main(["experiment", str(asked), "--processes", "2"]) == 1
    assert [call[1:5] for call in calls] == [("paper", "random", (3,), 2), ("paper", "luna5", (3,), 2)]
    assert calls[0][5][:2] == ["train", f"--data=ravdess={asked.parent / 'ravdess'}"]
    err = capsys.readouterr().err
    assert "overtone: paper, random: runs/x failed" in err and "2 of 2: paper, luna5" in err
