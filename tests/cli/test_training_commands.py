"""`overtone train`, `evaluate` and `reproduce`: their options, output and errors. Nothing is trained."""

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
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a corpus of empty files."""
    return small_corpus.write(tmp_path_factory.mktemp("corpus") / "ravdess", with_audio=False)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Replaces the functions that train with stubs, and records the arguments of every call."""
    from overtone.training import cross_validation, export, reproduce, run_folder, train

    recorded: list[tuple[str, dict[str, Any]]] = []

    def stub(name: str, result: Any) -> Any:
        def run(utterances: Any, *arguments: Any, progress: Any = None, **options: Any) -> Any:
            recorded.append((name, {"clips": len(utterances), "arguments": arguments, **options}))
            return result

        return run

    for module, name, result in (
        (train, "train", None),
        (export, "export_run", Path("model.onnx")),
        (cross_validation, "evaluate", None),
        (reproduce, "reproduce", (Path("report.md"), Path("report.html"))),
    ):
        monkeypatch.setattr(module, name, stub(name, result))
    monkeypatch.setattr(run_folder, "own_scores", lambda folder: {})
    monkeypatch.setattr(cross_validation, "score_oof", lambda oof, protocol, recipe: [])
    monkeypatch.setattr(reproduce, "score_rows", lambda out, recipe: [])
    return recorded


def run_failing(capsys: pytest.CaptureFixture[str], *command: object) -> str:
    """Run a command that exits with 1 and prints nothing on stdout; return its stderr."""
    assert main([str(word) for word in command]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    return err


@pytest.mark.parametrize(
    ("arguments", "message"),
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
def test_wrong_usage_exits_with_2_and_a_hint(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    out, err = capsys.readouterr()
    assert (exit_.value.code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_recipe_is_an_error(
    command: str, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = [] if command == "evaluate" else ["--output", tmp_path / "out"]
    err = run_failing(capsys, command, "--data", corpus, "--recipe", "overton", *out)
    assert err.count("\n") == 1 and "'overton'; did you mean 'overtone'?" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_corpus_is_an_error(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = [] if command == "evaluate" else ["--output", tmp_path / "out"]
    err = run_failing(capsys, command, "--data", tmp_path / "nowhere", *out)
    assert err.startswith(f"overtone: {tmp_path / 'nowhere'}: ")
    assert not list(tmp_path.iterdir())


def test_ignored_files_are_counted_on_stderr(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], calls: list
) -> None:
    folder = shutil.copytree(corpus, tmp_path / "ravdess")
    for name in ("03-02-01-01-01-01-01.flac", "03-02-02-01-01-01-01.flac", "01-01-01-01-01-01-01.flac", "notes.txt"):
        (folder / name).touch()
    assert main(["train", "--data", str(folder), "--output", str(tmp_path / "run")]) == 0
    out, err = capsys.readouterr()
    assert err == "ravdess: 192 clips; left out: 1 x not a RAVDESS name, 2 x song, 1 x video\n"
    assert out.splitlines() == [str(tmp_path / "run" / "report.html"), "model.onnx"]


def test_train_passes_on_its_options(corpus: Path, tmp_path: Path, calls: list, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["train", "--data", str(corpus), "--recipe", "paper", "--protocol", "luna5", "--seed", "7"]
    assert main([*command, "--fold", "3", "--resume", "--cache", "features", "--id", "mine", "--output", "run"]) == 0
    (_, trained), (_, exported) = calls
    config, folder = trained["arguments"]
    assert (config.recipe.name, config.protocol, config.fold, config.seed) == ("paper", "luna5", "3", 7)
    assert folder == Path("run")
    assert (trained["clips"], trained["resume"], trained["cache"]) == (192, True, Path("features"))
    assert (exported["arguments"], exported["model_id"], exported["scores"]) == ((Path("run"),), "mine", None)

    calls.clear()
    assert main(["train", "--data", str(corpus), "--output", "."]) == 0
    (_, trained), (_, exported) = calls
    config = trained["arguments"][0]
    assert (config.recipe.name, config.protocol, config.fold, config.seed) == ("overtone", "all", "all", 0)
    assert (trained["resume"], trained["cache"], exported["model_id"]) == (False, None, tmp_path.name)

    calls.clear()
    assert main(["train", "--data", str(corpus), "--protocol", "luna5", "--output", "run", "--no-export"]) == 0
    assert [name for name, _ in calls] == ["train"]
    assert calls[0][1]["arguments"][0].fold == "1"


def test_several_corpora_are_read_in_order(corpus: Path, tmp_path: Path, calls: list) -> None:
    table = tmp_path / "a=b.csv"
    (tmp_path / "x.wav").write_bytes(b"")
    table.write_text("path,emotion\nx.wav,sad\n", encoding="utf-8")
    options = ["--data", f"ravdess={corpus}", "--data", str(table), "--corpus", "manifest", "--init-from", "before"]
    assert main(["train", *options, "--protocol", "random", "--no-export", "--output", "run"]) == 0
    assert main(["evaluate", *options, "--protocol", "random"]) == 0
    (_, trained), (_, evaluated) = calls
    assert trained["clips"] == evaluated["clips"] == 193
    assert trained["arguments"][0].init_from == evaluated["init_from"] == Path("before")


def test_label_maps_drop_and_merge_classes(corpus: Path, calls: list, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--data", str(corpus), "--labels", "4-classes"]) == 0
    assert main(["evaluate", "--data", str(corpus), "--labels", "4-classes-calm-as-neutral"]) == 0
    four, merged = (each["clips"] for _, each in calls)
    assert (four, merged) == (96, 120)
    assert "4-classes: 96 clips; dropped: 24 x calm, 24 x fearful" in capsys.readouterr().err


def test_export_options_are_checked_before_the_training(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], calls: list
) -> None:
    command = ["train", "--data", corpus, "--output", tmp_path / "run"]
    err = run_failing(capsys, *command, "--scores", tmp_path / "oof")
    assert err.startswith(f"overtone: {tmp_path / 'oof'}: ") and "'overtone'" in err
    assert "omit --no-export" in run_failing(capsys, *command, "--id", "mine", "--no-export")
    assert not calls


def test_evaluate_and_reproduce_pass_on_their_options(corpus: Path, calls: list, tmp_path: Path) -> None:
    options = ["--data", str(corpus), "--cache", "features", "--seeds", "4", "2", "--processes", "3"]
    assert main(["evaluate", *options, "--protocol", "loso", "--runs", "r", "--oof", "o"]) == 0
    assert main(["reproduce", *options, "--output", str(tmp_path)]) == 0
    (_, evaluated), (_, reproduced) = calls
    recipe, protocol, seeds = evaluated["arguments"]
    assert (recipe.name, protocol, seeds, evaluated["processes"]) == ("overtone", "loso", [4, 2], 3)
    assert (evaluated["runs"], evaluated["oof"], evaluated["cache"]) == (Path("r"), Path("o"), Path("features"))
    assert (reproduced["arguments"][0].name, reproduced["arguments"][1]) == ("paper", tmp_path)
    assert (reproduced["seeds"], reproduced["processes"], reproduced["cache"]) == ([4, 2], 3, Path("features"))
    assert callable(evaluated["launcher"]) and callable(reproduced["launcher"])


@pytest.mark.parametrize("command", COMMANDS)
def test_a_failed_training_is_one_line_and_exit_code_1(
    command: str, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise TrainingError("RUN: no space left")

    module = "cross_validation" if command == "evaluate" else command
    monkeypatch.setattr(f"overtone.training.{module}.{command}", fail)
    out = [] if command == "evaluate" else ["--output", tmp_path / "out"]
    assert run_failing(capsys, command, "--data", corpus, *out).splitlines()[1:] == ["overtone: RUN: no space left"]


def test_evaluating_without_a_test_set_is_an_error(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", "--data", corpus, "--protocol", "all", "--runs", tmp_path / "r", "--oof", tmp_path / "o"]
    assert "protocol 'all'" in run_failing(capsys, *command)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", COMMANDS)
def test_missing_torch_says_what_to_install(command: str, corpus: Path, tmp_path: Path) -> None:
    out = [] if command == "evaluate" else ["--output", str(tmp_path / "out")]
    arguments = [command, "--data", str(corpus), *out]
    program = (
        f"import sys; sys.modules['torch'] = None\nfrom overtone.cli.main import main\nsys.exit(main({arguments!r}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"overtone: 'overtone {command}' needs torch, which is not installed: pip install 'overtone[train]'\n"
    )
    assert not list(tmp_path.iterdir())


def test_scores_are_printed_with_their_audit(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], calls: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(f"clip{k}", "mine", f"{k % 2}", "1", "1", 0, ("calm", "sad")[k // 2], 1.0, 0.0) for k in range(4)]
    scores = score(from_rows(("calm", "sad"), rows), np.random.default_rng(0))
    row = ScoreRow("mine, fusion", "paper", scores, LeakAudit(4, 2, 1, 2, 1, 3))
    monkeypatch.setattr("overtone.training.run_folder.own_scores", lambda folder: {"fusion": row})
    monkeypatch.setattr("overtone.training.cross_validation.score_oof", lambda oof, protocol, recipe: [row])
    monkeypatch.setattr("overtone.training.reproduce.score_rows", lambda out, recipe: [row])
    line = (
        f"mine, fusion, paper: UAR {scores.uar}, WA {scores.wa}, macro-F1 {scores.macro_f1}; trained or chosen on: "
        "3 of 4 test clips, 2 of 2 test speakers, 1 of 1 test sentences"
    )
    assert "UAR 50.0 [" in line
    for command in COMMANDS:
        out = [] if command == "evaluate" else ["--output", str(tmp_path)]
        assert main([command, "--data", str(corpus), *out]) == 0
        assert capsys.readouterr().out.splitlines()[0] == line
