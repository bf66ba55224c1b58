"""Reading run folders, folders of out-of-fold predictions and single CSV files, and the errors of bad ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from compared_predictions import NO_LEAK, change, make, write_oof, write_run
from small_corpus import Run

from overtone.datatypes import LeakAudit
from overtone.errors import InputError, OvertoneError
from overtone.evaluation.calibration import UNCERTAIN_BELOW
from overtone.evaluation.stored_predictions import read_stored

PROJECT = Path(__file__).resolve().parent.parent.parent
LEAK = LeakAudit(72, 6, 1, 2, 1, 5)


def test_a_run_folder(tmp_path: Path) -> None:
    predictions = make(1)
    found = read_stored(write_run(tmp_path / "mine", predictions, audit=LEAK))
    assert (found.name, found.protocol, found.audit) == ("mine", "luna5", LEAK)
    assert found.path == tmp_path / "mine" / "predictions-fusion.csv"
    np.testing.assert_array_equal(found.predictions.probabilities, predictions.probabilities)
    assert set(found.thresholds.tolist()) == {0.6}


def test_other_parts_of_a_run(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "mine", make(1))
    write_run(folder, make(2), part="adapted", audit=LEAK)
    write_run(folder, make(3), part="mel", audit=LEAK, audit_of_mel=NO_LEAK)
    assert read_stored(folder, "mel").audit == NO_LEAK
    found = read_stored(folder, "adapted")
    assert (found.name, found.audit) == ("mine adapted", LEAK)
    assert read_stored(folder / "predictions-adapted.csv") .name == found.name  # fmt: skip
    with pytest.raises(InputError, match=r"mine: the run has no predictions of part 'fsion'; did you mean 'fusion'\?"):
        read_stored(folder, "fsion")


def test_a_folder_of_out_of_fold_predictions(tmp_path: Path) -> None:
    path = write_oof(tmp_path, change(make(1), fold=np.repeat(["1", "2"], 36)), uncertain_below={"1": 0.7})
    write_oof(tmp_path, make(2), part="mel")
    write_oof(tmp_path, make(1), part="fusion", uncertain_below={"1": 0.7}, audit=LEAK)
    found = read_stored(tmp_path)
    assert (found.name, found.path, found.protocol, found.audit) == ("luna5-mine-fusion", path, "luna5", LEAK)
    assert read_stored(tmp_path, "mel").path.name == "luna5-mine-mel.csv"


def test_thresholds_of_folds_and_unknown_ones(tmp_path: Path) -> None:
    folds = np.repeat(["1", "2"], 36)
    found = read_stored(write_oof(tmp_path, change(make(1), fold=folds), uncertain_below={"1": 0.7}))
    assert found.thresholds.tolist() == [0.7] * 36 + [UNCERTAIN_BELOW] * 36


def test_the_only_part_of_a_baseline(tmp_path: Path) -> None:
    path = write_oof(tmp_path, make(1), recipe="svm-of-mine", part="svm")
    assert read_stored(tmp_path).path == path


def test_a_file_of_another_name_has_no_audit(tmp_path: Path) -> None:
    path = write_oof(tmp_path, make(1)).rename(tmp_path / "renamed.csv")
    found = read_stored(path)
    assert (found.name, found.protocol, found.audit) == ("renamed", "", None)
    alone = write_oof(tmp_path / "alone", make(1))
    (tmp_path / "alone" / "luna5-mine.json").unlink()
    assert (read_stored(alone).protocol, read_stored(alone).audit) == ("luna5", None)


def test_the_published_predictions() -> None:
    found = read_stored(PROJECT / "results" / "oof" / "luna5-overtone-fusion.csv")
    assert found.audit is not None
    assert (len(found.predictions), found.audit.seen_clips) == (1440, 0)


def unfinished(folder: Path) -> Path:
    (write_run(folder / "run", make(1)) / "report.html").unlink()
    return folder / "run"


def damaged_run(folder: Path) -> Path:
    (write_run(folder / "run", make(1)) / "run.json").write_text("{")
    return folder / "run"


def incomplete_run(folder: Path) -> Path:
    (write_run(folder / "run", make(1)) / "run.json").write_text('{"protocol": "luna5", "audits": {}}')
    return folder / "run"


def damaged_csv(folder: Path) -> Path:
    path = write_oof(folder, make(1))
    path.write_text(path.read_text()[:-20])
    return path


def several(folder: Path) -> Path:
    for recipe in ("mine", "yours"):
        write_oof(folder, make(1), recipe=recipe)
    return folder


def without_fusion(folder: Path) -> Path:
    for part in ("mel", "prosody"):
        write_oof(folder, make(1), part=part)
    return folder


@pytest.mark.parametrize(
    ("make_bad", "message"),
    [
        (lambda folder: folder / "nowhere", "nowhere: no such file or folder; name a run folder"),
        (lambda folder: folder, "holds neither a run .* name the folder of one run, or a CSV file"),
        (unfinished, "run: holds no finished training run; complete it with overtone train --resume"),
        (lambda folder: write_run(folder / "run", None), "no test set.* compare its model, .*model.onnx, .* --data"),
        (damaged_run, r"run.json: cannot be read \(.*\); train again"),
        (incomplete_run, "run: run.json or calibration.json is damaged.*'fusion'.*; train again"),
        (damaged_csv, r"luna5-mine-fusion.csv, line 73: 11 columns expected"),
        (several, "several models; name one CSV file: luna5-mine-fusion.csv, luna5-yours-fusion.csv"),
        (without_fusion, "no predictions of part 'fusion'; name one CSV file: luna5-mine-mel.csv, luna5-mine-pros"),
    ],
)
def test_bad_input_is_an_error_that_names_the_file_and_the_remedy(
    make_bad: Callable[[Path], Path], message: str, tmp_path: Path
) -> None:
    path = make_bad(tmp_path)
    with pytest.raises(OvertoneError, match=message) as raised:
        read_stored(path)
    assert str(tmp_path) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.slow
def test_a_run_folder_that_training_wrote(trained: Run) -> None:
    found = read_stored(trained.folder)
    assert found.protocol == trained.config.protocol
    assert found.audit is not None
    assert (found.audit.seen_clips, found.audit.test_clips) == (0, len(found.predictions))
    assert read_stored(trained.folder, "mel").audit == found.audit
