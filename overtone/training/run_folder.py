"""The run folder of a training run: its files, their content, and whether the run can resume from it.

A run folder contains

    run.json               recipe, seed, protocol, fold, split by clip, leak audit, versions
    checkpoint.safetensors state of an interrupted run; deleted at the end
    member-SEED.*          a trained network, while others of the run are not trained yet; deleted at the end
    history.json           a row per part and epoch
    weights.safetensors    the best weights
    predictions-PART.csv   predictions for the test set, if there is one; PART is a branch, "fusion", "member" (the
                           fusion of each network of an ensemble alone) or "adapted" (the speaker adapter, with all
                           unlabelled test clips of the speaker as reference)
    calibration.json       uncertain_below: confidence below which a prediction is uncertain
    scores.json            UAR, WA and macro-F1 of each part, with intervals and leak audit; empty without a test set
    report.md, report.html scores and figures of the test set; without one, the training curves alone
    figures/               the figures of the report
    model.onnx, model.md   the exported model with its card, and the card as text (`overtone.training.export`)
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from overtone._internal.atomic_write import write_text
from overtone.datatypes import LeakAudit
from overtone.errors import TrainingError
from overtone.evaluation import figures, oof_files, report
from overtone.evaluation.document import Picture
from overtone.evaluation.metrics import SEED, score
from overtone.evaluation.stored_predictions import FINISHED_FILES
from overtone.models import build
from overtone.models.network import Model
from overtone.models.reference_adapter import WEIGHTS, ReferenceAdapter
from overtone.models.speaker_adapter import speaker_adapter_from_weights
from overtone.recipe import FUSION, FUSION_VARIANTS, recipe_from_dict
from overtone.training import checkpoint
from overtone.training.ensemble_members import History, combine, final_network_count
from overtone.training.run_config import RUN_FORMAT, SUBSETS, pretrained

IDENTITY = ("recipe", "protocol", "fold", "seed", "emotions", "split")  # keys of run.json that a resumed run must share
NO_TEST_SET = (
    "There is no test set: every clip was used for training or for selecting the epoch, so this model has no score of "
    "its own. The curves below show the course of the training run, not how well the model recognises: the validation "
    "clips selected the epoch. 'overtone evaluate' measures what to expect of the recipe."
)


def write_json(path: Path, values: Any) -> None:
    """Write plain values as JSON, atomically."""
    write_text(path, json.dumps(values, indent=1, ensure_ascii=False) + "\n")


def read_run(folder: Path) -> dict[str, Any]:
    """The content of run.json in a run folder.

    Raises:
        TrainingError: it is missing, damaged or of an earlier version of Overtone.
    """
    path = folder / "run.json"
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        missing = {*IDENTITY, "training_data", "audits", "versions"} - run.keys()
    except (OSError, ValueError, AttributeError) as error:
        raise TrainingError(f"{path}: cannot be read ({error}); delete the folder to train again") from error
    if missing:
        raise TrainingError(f"{path}: lacks {', '.join(sorted(missing))}; delete the folder to train again")
    if run.get("format") != RUN_FORMAT:
        raise TrainingError(f"{path}: written by another version of Overtone; delete the folder to train again")
    return run


def run_settings(run: dict[str, Any]) -> dict[str, Any]:
    """The settings of a run: field of `Recipe` -> value, and the corpora of the run that it was initialised from."""
    corpora = init_corpora(run)
    return {**run["recipe"], **({"init_corpora": corpora} if corpora else {})}


def init_corpora(run: dict[str, Any]) -> list[str]:
    """The corpora of the run that a run was initialised from; empty if it was trained from scratch."""
    return [row["corpus"] for row in run["init"]["training_data"]] if run.get("init") else []


def matches_run(folder: Path, run: dict[str, Any]) -> bool:
    """Whether the folder holds exactly this training run, finished or not; False if it holds none.

    Raises:
        TrainingError: it holds another run, or its run.json is damaged or lost.
    """
    if not (folder / "run.json").is_file():
        if (folder / "checkpoint.safetensors").exists() or (folder.exists() and not folder.is_dir()):
            raise TrainingError(f"{folder} is not a run folder (it has no run.json); choose another folder")
        return False
    stored = read_run(folder)
    if stored.get("code", run["code"]) != run["code"]:
        raise TrainingError(f"{folder} holds a training run of other code; choose another folder, or delete it")
    for key in IDENTITY:
        if stored[key] != run[key]:
            fields = [name for name in run[key] if stored[key].get(name) != run[key][name]] if key == "recipe" else []
            difference = f"{key} ({', '.join(fields)})" if fields else key
            raise TrainingError(f"{folder} holds a training run with another {difference}; choose another folder")
    if stored.get("labels", run["labels"]) != run["labels"]:
        raise TrainingError(f"{folder} holds a training run with other labels of its clips; choose another folder")
    if stored.get("pretrained", []) != run["pretrained"]:
        raise TrainingError(f"{folder} holds a training run on another pretrained encoder; choose another folder")
    if stored.get("teacher") != run["teacher"]:
        raise TrainingError(f"{folder} holds a training run with another teacher; choose another folder")
    if stored.get("init") != run["init"]:
        raise TrainingError(f"{folder} holds a training run initialised from another run; choose another folder")
    return True


def is_finished(folder: Path) -> bool:
    """Whether the training run in this folder is complete."""
    return all((folder / name).is_file() for name in FINISHED_FILES)


def load_network(folder: Path) -> tuple[Model, dict[str, Any]]:
    """The trained model of a finished run folder, on the CPU, and the content of its run.json.

    Raises:
        TrainingError: the run is not complete, or its files are damaged.
    """
    if not is_finished(folder):
        raise TrainingError(f"{folder} holds no finished training run; complete it with --resume")
    run = read_run(folder)
    recipe = recipe_from_dict(run["recipe"], str(folder / "run.json"))
    if run.get("pretrained", []) != pretrained(recipe):
        raise TrainingError(
            f"{folder}: trained on other weights of a pretrained encoder than those found now; restore them, or train "
            "again"
        )
    model = combine([build(recipe, len(run["emotions"])) for _ in range(final_network_count(recipe))])
    path = folder / "weights.safetensors"
    weights = checkpoint.read_weights(path)
    model.adapter = speaker_adapter_from_weights(weights)
    if WEIGHTS in weights:
        model.adapter = ReferenceAdapter(model.reference_size, len(run["emotions"]))
    checkpoint.load_weights(path, model)
    return model.eval(), run


def uncertain_below(folder: Path) -> float:
    """The confidence below which predictions of a finished run are uncertain.

    Raises:
        TrainingError: the file is missing or damaged.
    """
    path = folder / "calibration.json"
    try:
        return float(json.loads(path.read_text(encoding="utf-8"))["uncertain_below"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{path}: cannot be read ({error}); delete the folder to train again") from error


def own_scores(folder: Path) -> dict[str, report.ScoreRow]:
    """Part -> its scores and leak audit on the test set of a run; empty if there is no test set."""
    run, rows = read_run(folder), {}
    for part in (*run["split"], *FUSION_VARIANTS):
        path = folder / f"predictions-{part}.csv"
        if path.is_file():
            scores = score(oof_files.read(path), np.random.default_rng(SEED))
            audit = LeakAudit(**run["audits"][FUSION if part in FUSION_VARIANTS else part])
            rows[part] = report.ScoreRow(f"{run['recipe']['name']}, {part}", run["protocol"], scores, audit)
    return rows


def write_report(folder: Path, history: History) -> None:
    """Write scores.json, report.md and report.html of a run from the other files of its folder."""
    run, rows, pictures = read_run(folder), own_scores(folder), []
    for part in run["split"]:
        curves = figures.curves(history, part, f"{part}: accuracy and loss")
        pictures.append(Picture(f"curves-{part}.png", f"Accuracy and loss of {part}", curves))
    for part, row in rows.items():
        confusion = figures.confusion(row.scores, f"{part}, {run['protocol']}")
        pictures.append(Picture(f"confusion-{part}.png", f"Confusion of {part} (rows are the truth)", confusion))
    heading = f"Recipe {run['recipe']['name']}, protocol {run['protocol']}, fold {run['fold']}, seed {run['seed']}: "
    paragraphs = (heading + _subset_sizes(run), *([] if rows else [NO_TEST_SET]))
    write_json(folder / "scores.json", {part: summarise(row) for part, row in rows.items()})
    report.write(report.Report(f"Training {folder.name}", paragraphs, tuple(rows.values()), tuple(pictures)), folder)


def _subset_sizes(run: dict[str, Any]) -> str:
    """The sizes of the training, validation and test sets; per part if parts have different splits."""
    shared = run["recipe"].get("validation", "shared") == "shared"
    purpose = "to select the epoch" if shared else "held out in rotation"
    texts = {}
    for part, subsets in run["split"].items():
        train, validation, test = (len(subsets[name]) for name in SUBSETS)
        texts[part] = f"{train} training clips, {validation} validation clips ({purpose}), {test} test clips"
    if len(set(texts.values())) == 1:
        return f"{texts[FUSION]}."
    return "; ".join(f"{part}: {text}" for part, text in texts.items()) + "."


def summarise(row: report.ScoreRow) -> dict[str, Any]:
    """A row of scores as plain values."""
    scores = row.scores
    rates = {name: asdict(getattr(scores, name)) for name in ("uar", "wa", "macro_f1")}
    counts = {"clips": scores.clips, "speakers": scores.speakers, "interval_over": scores.interval_over}
    return {**rates, **counts, "audit": asdict(row.audit) if row.audit else None}
