"""`overtone train`, `evaluate` and `reproduce`: what they ask for, what they say, and how they fail."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_corpus

from overtone.cli.main import main
from overtone.datatypes import LeakAudit
from overtone.errors import TrainingError
from overtone.evaluation.metrics import score
from overtone.evaluation.oof_files import from_rows
from overtone.evaluation.report import ScoreRow

COMMANDS = ("train", "evaluate", "reproduce")


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of names alone: enough where nothing is trained."""
    return small_corpus.write(tmp_path_factory.mktemp("named") / "ravdess", sound=False)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Stands in for the tasks and keeps what they were asked to do."""
    from overtone.training import cross_validation, export, reproduce, train

    calls: list[tuple[str, dict[str, Any]]] = []

    def stand_in(name: str, answer: Any) -> Any:
        def run(utterances: Any, *arguments: Any, progress: Any = None, **options: Any) -> Any:
            calls.append((name, {"clips": len(utterances), "arguments": arguments, **options}))
            return answer

        return run

    for module, name, answer in (
        (train, "train", None),
        (export, "publish", Path("model.onnx")),
        (cross_validation, "evaluate", None),
        (reproduce, "reproduce", (Path("report.md"), Path("report.html"))),
    ):
        monkeypatch.setattr(module, name, stand_in(name, answer))
    monkeypatch.setattr(train, "own_scores", lambda folder: {})
    monkeypatch.setattr(cross_validation, "scored", lambda oof, protocol, recipe: [])
    monkeypatch.setattr(reproduce, "rows_of", lambda out, recipe: [])
    return calls


def fails(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """The message of a command that ends with 1 and prints nothing."""
    assert main([str(word) for word in words]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    return err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "--data", "x"], "required: --output"),
        (["train", "--output", "x"], "required: --data"),
        (["train", "--dta", "x", "--data", "x", "--output", "y"], "unknown '--dta'; did you mean '--data'?"),
        (["train", "--data", "x", "--output", "y", "--resme"], "unknown '--resme'; did you mean '--resume'?"),
        (["train", "--data", "x", "--output", "y", "--protocol", "lna5"], "unknown 'lna5'; did you mean 'luna5'?"),
        (["train", "--data", "x", "--output", "y", "--corpus", "ravdes"], "unknown 'ravdes'; did you mean 'ravdess'?"),
        (["train", "--data", "x", "--output", "y", "--seed", "-1"], "whole number of at least 0, got '-1'"),
        (["train", "--data", "x", "--output", "y", "--seed", "²"], "whole number of at least 0, got '²'"),
        (["evaluate", "--data", "x", "--processes", "0"], "whole number of at least 1, got '0'"),
        (["evaluate", "--data", "x", "--seeds", "0", "one"], "whole number of at least 0, got 'one'"),
        (["evaluate", "--data", "x", "--protocl", "loso"], "unknown '--protocl'; did you mean '--protocol'?"),
        (["reproduce", "--data", "x"], "required: --output"),
        (["reproduce", "--data", "x", "--output", "y", "--sedes", "1"], "unknown '--sedes'; did you mean '--seeds'?"),
    ],
)
def test_wrong_calls_exit_2_with_a_hint(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(words)
    out, err = capsys.readouterr()
    assert (exit_.value.code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize("command", COMMANDS)
def test_a_recipe_that_does_not_exist_is_named(
    command: str, named: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = [] if command == "evaluate" else ["--output", tmp_path / "out"]
    err = fails(capsys, command, "--data", named, "--recipe", "overton", *out)
    assert err == "overtone: no recipe 'overton'; did you mean 'overtone'?\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_corpus_is_named(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = [] if command == "evaluate" else ["--output", tmp_path / "out"]
    err = fails(capsys, command, "--data", tmp_path / "nowhere", *out)
    assert f"{tmp_path / 'nowhere'}: no such folder" in err
    assert not list(tmp_path.iterdir())


def test_what_was_left_out_is_counted_on_stderr(
    named: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], called: list
) -> None:
    folder = shutil.copytree(named, tmp_path / "ravdess")
    for name in ("03-02-01-01-01-01-01.flac", "03-02-02-01-01-01-01.flac", "01-01-01-01-01-01-01.flac", "notes.txt"):
        (folder / name).touch()
    assert main(["train", "--data", str(folder), "--output", str(tmp_path / "run")]) == 0
    out, err = capsys.readouterr()
    assert err == "ravdess: 192 clips; left out: 1 x not a RAVDESS name, 2 x song, 1 x video\n"
    assert out.splitlines() == [str(tmp_path / "run" / "report.html"), "model.onnx"]


def test_train_passes_on_what_was_asked(named: Path, tmp_path: Path, called: list, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["train", "--data", str(named), "--recipe", "paper", "--protocol", "luna5", "--seed", "7"]
    assert main([*words, "--fold", "3", "--resume", "--cache", "kept", "--id", "mine", "--output", "run"]) == 0
    (_, trained), (_, published) = called
    plan, folder = trained["arguments"]
    assert (plan.recipe.name, plan.protocol, plan.fold, plan.seed, folder) == ("paper", "luna5", "3", 7, Path("run"))
    assert (trained["clips"], trained["resume"], trained["cache"]) == (192, True, Path("kept"))
    assert (published["arguments"], published["model_id"], published["scores"]) == ((Path("run"),), "mine", None)

    called.clear()
    assert main(["train", "--data", str(named), "--output", "."]) == 0
    (_, trained), (_, published) = called
    plan = trained["arguments"][0]
    assert (plan.recipe.name, plan.protocol, plan.fold, plan.seed) == ("overtone", "all", "all", 0)
    assert (trained["resume"], trained["cache"], published["model_id"]) == (False, None, tmp_path.name)

    called.clear()
    assert main(["train", "--data", str(named), "--protocol", "luna5", "--output", "run", "--no-export"]) == 0
    assert [name for name, _ in called] == ["train"]
    assert called[0][1]["arguments"][0].fold == "1"


def test_several_corpora_are_read_one_after_the_other(named: Path, tmp_path: Path, called: list) -> None:
    table = tmp_path / "a=b.csv"
    (tmp_path / "x.wav").write_bytes(b"")
    table.write_text("path,emotion\nx.wav,sad\n", encoding="utf-8")
    shared = ["--data", f"ravdess={named}", "--data", str(table), "--corpus", "manifest", "--init-from", "before"]
    assert main(["train", *shared, "--protocol", "random", "--no-export", "--output", "run"]) == 0
    assert main(["evaluate", *shared]) == 0
    (_, trained), (_, evaluated) = called
    assert trained["clips"] == evaluated["clips"] == 193
    assert trained["arguments"][0].init_from == evaluated["init_from"] == Path("before")
    assert evaluated["command"][1:3] == [f"--data=ravdess={named}", f"--data={table}"]
    assert "--init-from=before" in evaluated["command"]


def test_a_label_map_drops_and_merges_as_its_name_says(
    named: Path, called: list, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--data", str(named), "--labels", "4-classes"]) == 0
    assert main(["evaluate", "--data", str(named), "--labels", "4-classes-calm-as-neutral"]) == 0
    four, merged = (each["clips"] for _, each in called)
    assert (four, merged) == (96, 120)
    assert "--labels=4-classes" in called[0][1]["command"]
    assert "4-classes: 96 clips; dropped: 24 x calm, 24 x fearful" in capsys.readouterr().err


def test_what_would_fail_after_the_training_fails_before_it(
    named: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], called: list
) -> None:
    words = ["train", "--data", named, "--output", tmp_path / "run"]
    err = fails(capsys, *words, "--scores", tmp_path / "oof")
    assert f"{tmp_path / 'oof'}: no out-of-fold predictions of recipe 'overtone'" in err
    assert "leave them out, or --no-export" in fails(capsys, *words, "--id", "mine", "--no-export")
    assert not called


def test_evaluate_and_reproduce_pass_on_what_was_asked(named: Path, called: list, tmp_path: Path) -> None:
    shared = ["--data", str(named), "--cache", "kept", "--seeds", "4", "2", "--processes", "3"]
    assert main(["evaluate", *shared, "--protocol", "loso", "--runs", "r", "--oof", "o"]) == 0
    assert main(["reproduce", *shared, "--output", str(tmp_path)]) == 0
    (_, evaluated), (_, reproduced) = called
    recipe, protocol, seeds = evaluated["arguments"]
    assert (recipe.name, protocol, seeds, evaluated["jobs"]) == ("overtone", "loso", [4, 2], 3)
    assert (evaluated["runs"], evaluated["oof"], evaluated["cache"]) == (Path("r"), Path("o"), Path("kept"))
    command = ["train", f"--data={named}", "--corpus", "ravdess", "--recipe", "overtone", "--protocol", "loso"]
    assert evaluated["command"] == [*command, "--cache", "kept"]
    assert (reproduced["arguments"][0].name, reproduced["arguments"][1]) == ("paper", tmp_path)
    assert (reproduced["seeds"], reproduced["jobs"], reproduced["cache"]) == ([4, 2], 3, Path("kept"))
    assert list(reproduced["commands"]) == ["paper", "random", "luna5"]
    for protocol, words in reproduced["commands"].items():
        assert words[4:8] == ["--recipe", "paper", "--protocol", protocol]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_failing_task_is_one_line_and_exit_code_1(
    command: str, named: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise TrainingError("RUN: no room left")

    monkeypatch.setattr(f"overtone.training.{command}.{command}", fail)
    out = [] if command == "evaluate" else ["--output", tmp_path / "out"]
    assert fails(capsys, command, "--data", named, *out).splitlines()[1:] == ["overtone: RUN: no room left"]


def test_evaluating_without_a_test_side_is_refused(
    named: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "--data", named, "--protocol", "all", "--runs", tmp_path / "r", "--oof", tmp_path / "o"]
    assert "protocol 'all' has no test side" in fails(capsys, *words)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", COMMANDS)
def test_without_torch_it_says_what_to_install(command: str, named: Path, tmp_path: Path) -> None:
    out = [] if command == "evaluate" else ["--output", str(tmp_path / "out")]
    words = [command, "--data", str(named), *out]
    program = f"import sys; sys.modules['torch'] = None; from overtone.cli.main import main; sys.exit(main({words!r}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"overtone: 'overtone {command}' needs torch, which is not installed: pip install 'overtone[train]'\n"
    )
    assert not list(tmp_path.iterdir())


def test_scores_are_printed_with_their_audit(
    named: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], called: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(f"clip{k}", f"{k % 2}", "1", "1", 0, ("calm", "sad")[k // 2], 1.0, 0.0) for k in range(4)]
    scores = score(from_rows(("calm", "sad"), rows), np.random.default_rng(0))
    row = ScoreRow("mine, fusion", "paper", scores, LeakAudit(4, 2, 1, 2, 1, 3))
    monkeypatch.setattr("overtone.training.train.own_scores", lambda folder: {"fusion": row})
    monkeypatch.setattr("overtone.training.cross_validation.scored", lambda oof, protocol, recipe: [row])
    monkeypatch.setattr("overtone.training.reproduce.rows_of", lambda out, recipe: [row])
    line = (
        f"mine, fusion, paper: UAR {scores.uar}, WA {scores.wa}, macro-F1 {scores.macro_f1}; trained or chosen on: "
        "3 of 4 test clips, 2 of 2 test speakers, 1 of 1 test sentences"
    )
    assert "UAR 50.0 [" in line
    for command in COMMANDS:
        out = [] if command == "evaluate" else ["--output", str(tmp_path)]
        assert main([command, "--data", str(named), *out]) == 0
        assert capsys.readouterr().out.splitlines()[0] == line
