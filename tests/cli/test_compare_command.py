"""`overtone compare`: stored predictions, the output formats, warnings and errors."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from compared_predictions import CLASSES, CLIPS, SPEAKERS, change, make, write_oof, write_run

from overtone.cli.main import main
from overtone.datatypes import LeakAudit
from overtone.evaluation.metrics import SEED, paired_test, score
from overtone.evaluation.oof_files import select

ALL = SPEAKERS * CLIPS


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return a finished run folder."""
    return write_run(tmp_path / "runs" / "mine", make(1, sharpness=2.5))


@pytest.fixture
def oof(tmp_path: Path) -> Path:
    """Return a CSV file of out-of-fold predictions for the same clips."""
    return write_oof(tmp_path / "oof", make(2, sharpness=0.5), recipe="yours")


def compare(capsys: pytest.CaptureFixture[str], *arguments: object, exit_code: int = 0) -> tuple[str, str]:
    """Run the command, and return its stdout and stderr."""
    assert main(["compare", *map(str, arguments)]) == exit_code
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_a_run_and_out_of_fold_predictions(run: Path, oof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = compare(capsys, run, oof)
    lines = out.splitlines()
    expected = score(make(1, sharpness=2.5), np.random.default_rng(SEED))
    assert err == ""
    assert lines[0] == "Comparison of mine, luna5-yours-fusion"
    assert lines[2] == "72 clips of 6 speakers, the same for every model; classes: neutral, calm, happy, sad."
    row = next(line for line in lines if line.startswith("mine  "))
    assert f"{expected.uar}  {expected.wa}  {expected.macro_f1}" in " ".join(row.split()).replace("] ", "]  ")
    assert " 60 " in row, "the threshold of the run"
    test = paired_test(make(1, sharpness=2.5), make(2, sharpness=0.5), np.random.default_rng(SEED))
    assert f"{100 * test.difference.value:+.1f} [{100 * test.difference.low:+.1f}, " in out
    assert "Warning" not in out and "Left out" not in out and "Holm" not in out
    assert max(map(len, lines)) < 140


def test_one_speaker_is_singular(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = make(1)
    rows = table.speaker == "s0"
    of_speaker = change(table, **{k: v[rows] for k, v in vars(table).items() if k != "emotions"})
    runs = [write_run(tmp_path / name, of_speaker) for name in ("mine", "yours")]
    out, _ = compare(capsys, *runs)
    assert "12 clips of 1 speaker, the same for every model" in out


def test_folders_and_parts(run: Path, oof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(run, make(3), part="mel")
    write_oof(oof.parent, make(4), recipe="yours", part="mel")
    assert compare(capsys, run, oof.parent)[0].startswith("Comparison of mine, luna5-yours-fusion\n")
    out, _ = compare(capsys, run, oof.parent, "--part", "mel")
    assert out.startswith("Comparison of mine mel, luna5-yours-mel\n")
    out, _ = compare(capsys, run, run / "predictions-mel.csv")
    assert out.startswith("Comparison of mine, mine mel\n")


def test_json_has_all_numbers(run: Path, oof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = json.loads(compare(capsys, run, oof, "--format", "json")[0])
    tables = make(1, sharpness=2.5), make(2, sharpness=0.5)
    assert (values["clips"], values["speakers"], values["emotions"]) == (ALL, SPEAKERS, list(CLASSES))
    for row, table in zip(values["models"], tables, strict=True):
        expected = score(table, np.random.default_rng(SEED))
        for name in ("uar", "wa", "macro_f1"):
            assert row[name] == vars(getattr(expected, name))
        assert row["confusion"] == expected.confusion.tolist()
    (pair,) = values["pairs"]
    test = paired_test(*tables, np.random.default_rng(SEED))
    assert (pair["uar_difference"], pair["p"], pair["p_holm"]) == (vars(test.difference), test.p, test.p)
    assert (pair["units"], pair["over"]) == (SPEAKERS, "speakers")


def test_csv_has_a_row_per_number(run: Path, oof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = json.loads(compare(capsys, run, oof, "--format", "json")[0])
    rows = list(csv.DictReader(io.StringIO(compare(capsys, run, oof, "--format", "csv")[0])))
    (uar,) = [row for row in rows if row["measure"] == "uar" and row["model"] == "mine"]
    assert float(uar["value"]) == values["models"][0]["uar"]["value"]
    (difference,) = [row for row in rows if row["measure"] == "uar_difference"]
    assert float(difference["p_holm"]) == values["pairs"][0]["p_holm"]
    recalls = {
        row["emotion"]: float(row["value"]) for row in rows if (row["model"], row["measure"]) == ("mine", "recall")
    }
    assert recalls == {name: scores["recall"] for name, scores in values["models"][0]["classes"].items()}
    (mcnemar,) = [row for row in rows if row["measure"] == "mcnemar_difference"]
    assert float(mcnemar["p"]) == values["pairs"][0]["mcnemar_p"]


@pytest.mark.parametrize(
    ("name", "start"), [("c.md", "# Comparison of "), ("c.csv", "model,"), ("c.json", "{"), ("c.TXT", "Comparison of ")]
)
def test_the_suffix_of_the_output_chooses_the_format(
    name: str, start: str, run: Path, oof: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(capsys, run, oof, "--output", tmp_path / "new" / name) == ("", "")
    assert (tmp_path / "new" / name).read_text("utf-8").startswith(start)
    assert [path.name for path in (tmp_path / "new").iterdir()] == [name]


def test_markdown_has_the_tables(run: Path, oof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = compare(capsys, run, oof, "--format", "markdown")
    headings = [line for line in out.splitlines() if line.startswith("## ")]
    assert headings == [
        *("## Scores", "## Differences", "## Recall per class", "## Classes that differ most"),
        "## Most frequent confusions",
    ]


def test_three_models_are_compared_pair_by_pair(
    run: Path, oof: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    third = write_run(tmp_path / "third", make(5))
    values = json.loads(compare(capsys, run, oof, third, "--format", "json")[0])
    assert len(values["pairs"]) == 3
    assert [pair["p_holm"] >= pair["p"] for pair in values["pairs"]] == [True] * 3
    assert min(pair["p_holm"] / pair["p"] for pair in values["pairs"]) >= 1
    assert max(pair["p_holm"] / pair["p"] for pair in values["pairs"]) > 1
    text = compare(capsys, run, oof, third, "--format", "markdown")[0]
    assert "adjusted by Holm" in text
    cells = [line.split(" | ") for line in text.partition("## Differences")[2].splitlines()[4:7]]
    for pair, row in zip(values["pairs"], cells, strict=True):
        shown = ["\\< 0.001" if p < 0.001 else f"{p:.3f}" for p in (pair["p_holm"], pair["mcnemar_p_holm"])]
        assert [row[3], row[6].removesuffix(" |")] == shown


def test_leaks_and_other_protocols_are_warnings(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leaky = write_oof(tmp_path, make(2), protocol="random", audit=LeakAudit(ALL, 6, 1, 6, 1, 5))
    out, err = compare(capsys, run, leaky)
    text = " ".join(out.split())
    audit = "random-mine-fusion: trained or chosen on: 5 of 72 test clips, 6 of 6 test speakers, 1 of 1 test sentences"
    assert (f"Warning: {audit}." in text, err) == (True, "")
    assert "the protocols differ, so the models were trained on different shares of the data: mine luna5" in text
    _, err = compare(capsys, run, leaky, "--format", "csv")
    assert err.splitlines()[0] == f"overtone: warning: {audit}"


def test_predictions_without_a_leak_audit_are_a_warning(
    run: Path, oof: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (oof.parent / "luna5-yours.json").unlink()
    values = json.loads(compare(capsys, run, oof, "--format", "json")[0])
    assert values["warnings"] == ["luna5-yours-fusion: it is unknown which clips and speakers it was trained on"]


def test_clips_and_classes_that_are_left_out(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = make(2)
    kept = select(table, (table.truth != "calm") & (table.speaker != "s0"))
    names = tuple(name for name in CLASSES if name != "calm")
    probabilities = kept.probabilities[:, [CLASSES.index(name) for name in names]]
    probabilities = np.round(probabilities / probabilities.sum(axis=1, keepdims=True), 6)
    other = write_oof(tmp_path, change(kept, emotions=names, probabilities=probabilities))
    _, err = compare(capsys, run, other, "--output", tmp_path / "c.json")
    values = json.loads((tmp_path / "c.json").read_text("utf-8"))
    calm = int(np.sum(table.truth == "calm"))
    first = int(np.sum((table.truth != "calm") & (table.speaker == "s0")))
    assert values["left_out"] == {
        "of class calm, which not all models have": calm,
        "without a prediction of luna5-mine-fusion": first,
    }
    assert values["dropped_classes"] == {"mine": ["calm"]}
    assert err.splitlines() == [
        f"Left out: {calm} clips of class calm, which not all models have; {first} clips without a prediction of "
        "luna5-mine-fusion.",
        "mine: not all models have calm; its probabilities of the other classes are renormalised to a sum of 1.",
    ]


def test_protocols_of_unseen_corpora_are_scored_by_the_mean_of_their_folds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpora = np.where(make().speaker < "s2", "emodb", "ravdess")
    paths = [
        write_oof(
            tmp_path / f"{k}", change(make(k), fold=corpora, corpus=corpora), protocol="unseen-corpus", recipe=f"r{k}"
        )
        for k in (1, 2)
    ]
    values = json.loads(compare(capsys, *paths, "--format", "json")[0])
    folds = values["models"][0]["folds"]
    assert values["mean_of_folds"] and set(folds) == {"emodb", "ravdess"}
    assert values["models"][0]["uar"]["value"] == pytest.approx(np.mean(list(folds.values())), abs=1e-9)
    assert "means over the folds" in " ".join(compare(capsys, *paths)[0].split())


def test_one_threshold_for_all(run: Path, oof: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = json.loads(compare(capsys, run, oof, "--format", "json", "--uncertain-below", "0.9")[0])
    assert [model["uncertain_below"] for model in values["models"]] == [[0.9, 0.9]] * 2
    shares = [
        np.mean(table.probabilities.max(axis=1) >= 0.9) for table in (make(1, sharpness=2.5), make(2, sharpness=0.5))
    ]
    assert [model["sure"] for model in values["models"]] == pytest.approx(shares, abs=1e-9)


def test_equal_short_names_are_replaced_by_the_arguments(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_run(tmp_path / "other" / "mine", make(3))
    out, _ = compare(capsys, run, other, "--format", "json")
    assert [model["name"] for model in json.loads(out)["models"]] == [str(run), str(other)]


Make = Callable[[Path], list[object]]


def _run(folder: Path) -> Path:
    return write_run(folder / "mine", make(1))


def _other(folder: Path) -> Path:
    return write_oof(folder / "oof", make(2), recipe="yours")


def _unfinished(folder: Path) -> Path:
    (_run(folder) / "report.html").unlink()
    return folder / "mine"


def _damaged(folder: Path) -> Path:
    _other(folder).write_text("path,speaker\n1,2\n", encoding="utf-8")
    return folder / "oof" / "luna5-yours-fusion.csv"


def _damaged_model(folder: Path) -> Path:
    (folder / "m.onnx").write_bytes(b"no model")
    return folder / "m.onnx"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "messages"),
    [
        (lambda f: [_run(f)], 2, ["mine: nothing to compare it with; name a second run, CSV file or model"]),
        (lambda f: [_run(f), f / "mine"], 2, ["mine: named twice; name two different models"]),
        (lambda f: [_run(f), f"{f}/./mine"], 2, ["mine: the same model as ", "; name two different ones"]),
        (lambda f: [_run(f), "lite"], 2, ["lite: a model needs labelled clips to recognise; give them with --data"]),
        (lambda f: [_run(f), _other(f), "--data", f], 2, ["--data", "no model is named; omit them"]),
        (lambda f: [_run(f), _other(f), "--labels", "4-classes"], 2, ["--labels", "no model is named; omit them"]),
        (lambda f: [_run(f), _other(f), "--part", "ml"], 2, ["mine: the run has no predictions of part 'ml'"]),
        (lambda f: [_other(f), _other(f / "2"), "--part", "mel"], 2, ["--part", "no folder is named; omit it"]),
        (lambda f: [_run(f), f / "nowhere"], 1, ["nowhere: no such file or folder, and no bundled model of this name"]),
        (lambda f: [_run(f), f / "nowhere.csv"], 1, ["nowhere.csv: no such file or folder; name a run folder"]),
        (lambda f: [_run(f), "overton"], 1, ["overton: no such file", "did you mean 'overtone'?"]),
        (lambda f: [_unfinished(f), _other(f)], 1, ["mine: holds no finished training run; complete it with"]),
        (lambda f: [_run(f), _damaged(f)], 1, ["luna5-yours-fusion.csv, line 1: columns path,", " expected"]),
        (lambda f: [_run(f), _damaged_model(f), "--data", f], 1, ["m.onnx"]),
        (lambda f: [_run(f), "lite", "--data", f / "no"], 1, ["no: "]),
        (
            lambda f: [_run(f), write_oof(f, make(2, corpus="emodb"))],
            1,
            ["no clip can be compared (72 without a prediction of", "compare models on the same corpus"],
        ),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_the_right_exit_code(
    arguments: Make, exit_code: int, messages: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = compare(capsys, *arguments(tmp_path), exit_code=exit_code)
    assert out == ""
    assert err.startswith("overtone: ") and err.count("\n") == 1
    assert all(message in err for message in messages), err
