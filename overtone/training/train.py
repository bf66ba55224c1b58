"""Labelled clips -> a run folder with a trained, tested and exported model.

A run folder holds

    run.json               recipe, seed, protocol, fold, split by clip, leak audit, versions
    checkpoint.safetensors all that an interrupted training needs to go on; gone once it has ended
    member-K.*             a network that is trained already, while others of the run are not; gone likewise
    history.json           a row per part and epoch
    weights.safetensors    the best weights
    predictions-PART.csv   answers for the test side, none where there is no test side; PART is mel, prosody or fusion,
                           `member` (fusion of each network of an ensemble alone) or `adapted` (the speaker known by
                           all unlabelled test clips)
    scores.json            UAR, WA and macro-F1 of each part, with intervals and leak audit; empty without a test side
    report.md, report.html scores and figures of the test side; where there is none, curves of the training alone
    figures/               the figures of the report
    model.onnx, model.md   the exported model with its card, and the card to read (`tasks.training.export_run`)

An interrupted training goes on where it stood, and on a CPU with as many threads ends with the very same weights.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from overtone._internal.atomic_write import write_text
from overtone._internal.progress import Progress, silent_progress
from overtone.datatypes import LeakAudit, Utterance
from overtone.errors import TrainingError
from overtone.evaluation import figures, oof_files, report
from overtone.evaluation.calibration import fit_temperature
from overtone.evaluation.document import Picture
from overtone.evaluation.metrics import SEED, score
from overtone.models import build
from overtone.models.network import Model, Network
from overtone.models.speaker_adapter import adapter_from_weights
from overtone.recipe import PARTS, recipe_from_dict
from overtone.training import checkpoint
from overtone.training.ensemble_members import (
    History,
    Parts,
    combine,
    distillation_targets,
    final_network_count,
    member_seeds,
    member_splits,
    student_seed,
    train_member,
)
from overtone.training.feature_cache import FeatureStore, load_features
from overtone.training.fit_adapter import can_adapt, fit_adapter
from overtone.training.held_out import FUSION_VARIANTS, predict_test_side
from overtone.training.loop import fit, predict_logits
from overtone.training.run_config import SIDES, RunConfig, part_splits, run_metadata
from overtone.training.targets import Targets, make_targets

SAME_PLAN = ("recipe", "protocol", "fold", "seed", "emotions", "split")  # keys of run.json that a resumed run shares
NO_TEST = (
    "There is no test side: every clip was learned from or chose the epoch, so this model has no score of its own. The "
    "curves below show how the training went, not how well the model recognises: its validation clips chose the epoch. "
    "What to expect of the recipe is what 'overtone evaluate' measures."
)


def _calibrate(model: Model, store: FeatureStore, targets: Targets, answering: Sequence[tuple[Model, Parts]]) -> None:
    """Gives each part the temperature that fits the validation clips best.

    Args:
        model: gets the temperatures.
        store: features of all clips.
        targets: of all clips.
        answering: who answers which validation side: the model itself, or each of its networks the clips left to it.
    """
    logits_of = [
        {split: predict_logits(one, store, split.validation) for split in set(own.values())} for one, own in answering
    ]
    for k, part in enumerate(PARTS):
        held_out = torch.tensor([i for _, own in answering for i in own[part].validation])
        found = torch.cat([logits[own[part]][part] for logits, (_, own) in zip(logits_of, answering, strict=True)])
        logits = targets.at(held_out).mask_disallowed(found)
        model.temperature[k] = fit_temperature(logits.double().numpy(), targets.truth[held_out].numpy())


def _write_json(path: Path, values: Any) -> None:
    write_text(path, json.dumps(values, indent=1, ensure_ascii=False) + "\n")


def read_run(folder: Path) -> dict[str, Any]:
    """What run.json of a run folder says.

    Raises:
        TrainingError: it is missing or damaged.
    """
    path = folder / "run.json"
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        missing = {*SAME_PLAN, "training_data", "audits", "versions"} - run.keys()
    except (OSError, ValueError, AttributeError) as error:
        raise TrainingError(f"{path}: cannot be read ({error}); delete the folder to train again") from error
    if missing:
        raise TrainingError(f"{path}: lacks {', '.join(sorted(missing))}; delete the folder to train again")
    return run


def run_settings(run: dict[str, Any]) -> dict[str, Any]:
    """What made the networks of a run what they are: field of `Recipe` -> value, and the corpora it started from."""
    started = init_corpora(run)
    return {**run["recipe"], **({"start": started} if started else {})}


def init_corpora(run: dict[str, Any]) -> list[str]:
    """The corpora of the run that a run started from; none where it began from nothing."""
    return [row["corpus"] for row in run["start"]["training_data"]] if run.get("start") else []


def matches_run(folder: Path, run: dict[str, Any]) -> bool:
    """Whether the folder holds this very training, finished or not; False where it holds none.

    Raises:
        TrainingError: it holds another training, or its run.json is damaged or lost.
    """
    if not (folder / "run.json").is_file():
        if (folder / "checkpoint.safetensors").exists() or (folder.exists() and not folder.is_dir()):
            raise TrainingError(f"{folder} is no folder of a run (it has no run.json); take another folder")
        return False
    before = read_run(folder)
    if before.get("code", run["code"]) != run["code"]:
        raise TrainingError(f"{folder} holds a training by other code; take another folder, or delete it")
    for key in SAME_PLAN:
        if before[key] != run[key]:
            keys = [name for name in run[key] if before[key].get(name) != run[key][name]] if key == "recipe" else []
            what = f"{key} ({', '.join(keys)})" if keys else key
            raise TrainingError(f"{folder} holds a training with another {what}; take another folder")
    if before.get("start") != run["start"]:
        raise TrainingError(f"{folder} holds a training that started from another run; take another folder")
    return True


def is_finished(folder: Path) -> bool:
    """Whether the training in this folder has come to its end."""
    return (folder / "weights.safetensors").is_file() and (folder / "report.html").is_file()


def own_scores(folder: Path) -> dict[str, report.ScoreRow]:
    """Part -> its scores and leak audit on the test side of a run; none where there is no such side."""
    run, rows = read_run(folder), {}
    for part in (*PARTS, *FUSION_VARIANTS):
        path = folder / f"predictions-{part}.csv"
        if path.is_file():
            found = score(oof_files.read(path), np.random.default_rng(SEED))
            audit = LeakAudit(**run["audits"]["fusion" if part in FUSION_VARIANTS else part])
            rows[part] = report.ScoreRow(f"{run['recipe']['name']}, {part}", run["protocol"], found, audit)
    return rows


def _sizes(run: dict[str, Any]) -> str:
    """How many clips each side has, part by part where parts have splits of their own."""
    texts = {}
    left = "left out in turns" if run["recipe"].get("validation") == "in-turns" else "to choose the epoch on"
    for part, sides in run["split"].items():
        learned, chose, tested_on = (len(sides[side]) for side in SIDES)
        texts[part] = f"{learned} clips to learn from, {chose} {left}, {tested_on} to test on"
    if len(set(texts.values())) == 1:
        return f"{texts['fusion']}."
    return "; ".join(f"{part}: {text}" for part, text in texts.items()) + "."


def _summary(row: report.ScoreRow) -> dict[str, Any]:
    """A row of scores as plain values."""
    scores = row.scores
    figures_of = {name: asdict(getattr(scores, name)) for name in ("uar", "wa", "macro_f1")}
    counted = {"clips": scores.clips, "speakers": scores.speakers, "interval_over": scores.interval_over}
    return {**figures_of, **counted, "audit": asdict(row.audit) if row.audit else None}


def _report(folder: Path, history: list[dict[str, Any]]) -> None:
    run, rows, pictures = read_run(folder), own_scores(folder), []
    for part in PARTS:
        curves = figures.curves(history, part, f"{part}: accuracy and loss")
        pictures.append(Picture(f"curves-{part}.png", f"Accuracy and loss of {part}", curves))
    for part, row in rows.items():
        picture = figures.confusion(row.scores, f"{part}, {run['protocol']}")
        pictures.append(Picture(f"confusion-{part}.png", f"Confusion of {part} (rows are the truth)", picture))
    words = f"Recipe {run['recipe']['name']}, protocol {run['protocol']}, fold {run['fold']}, seed {run['seed']}: "
    paragraphs = (words + _sizes(run), *([] if rows else [NO_TEST]))
    _write_json(folder / "scores.json", {part: _summary(row) for part, row in rows.items()})
    report.write(report.Report(f"Training {folder.name}", paragraphs, tuple(rows.values()), tuple(pictures)), folder)


def load_network(folder: Path) -> tuple[Model, dict[str, Any]]:
    """The trained model of a finished run folder, on the CPU, and what its run.json says.

    Raises:
        TrainingError: the training has not come to its end, or its files are damaged.
    """
    if not is_finished(folder):
        raise TrainingError(f"{folder} holds no finished training; run it to its end with --resume")
    run = read_run(folder)
    recipe = recipe_from_dict(run["recipe"], str(folder / "run.json"))
    model = combine([build(recipe, len(run["emotions"])) for _ in range(final_network_count(recipe))])
    path = folder / "weights.safetensors"
    model.adapter = adapter_from_weights(checkpoint.read_weights(path))
    checkpoint.load_weights(path, model)
    return model.eval(), run


def train(
    utterances: Sequence[Utterance],
    plan: RunConfig,
    folder: Path,
    *,
    resume: bool = False,
    cache: Path | None = None,
    progress: Progress = silent_progress,
) -> Path:
    """Trains, tests and reports one model; `tasks.training.export_run` makes the file to recognise with.

    Nothing is written before every clip has been read; a training that is finished is left as it is.

    Args:
        utterances: the labelled clips.
        plan: what to do.
        folder: run folder; made where it does not exist.
        resume: go on where a killed training stood.
        cache: folder where features are kept; None for that of the user.
        progress: told about each clip measured and each epoch.

    Returns:
        The run folder.

    Raises:
        TrainingError: the folder holds another training, or this one and `resume` is False.
        CorpusError: clips that cannot be read, or not enough of them.
    """
    run = run_metadata(utterances, plan)
    resumed = matches_run(folder, run)
    if resumed and not resume:
        raise TrainingError(f"{folder} holds a training already; give --resume to go on, or another folder")
    if resumed and is_finished(folder):
        return folder
    emotions = len(run["emotions"])
    build(plan.recipe, emotions)  # a recipe that names no network is refused before anything is written
    store = load_features(utterances, plan.recipe.wave_variants, cache, progress)
    if not resumed:
        _write_json(folder / "run.json", run)
    targets = make_targets(utterances, run["emotions"])
    start = checkpoint.read_weights(plan.init_from / "weights.safetensors") if plan.init_from else {}
    parts = part_splits(plan, utterances)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    def fit_to(wanted: Targets, own: Parts, network: Network, seed: int, path: Path) -> History:
        return fit(
            network, store, wanted, own, plan.recipe,
            seed=seed, path=path, device=device, progress=progress, start=start, usual=parts,
        )  # fmt: skip

    seeds, turns = member_seeds(plan.recipe, plan.seed), member_splits(plan.recipe, parts, utterances)
    members = [
        train_member(plan.recipe, folder, seed, emotions, partial(fit_to, targets, own))
        for seed, own in zip(seeds, turns, strict=True)
    ]
    networks = [network for network, _ in members]
    model = combine(networks)
    own: list[tuple[Model, Parts]] = [(model, parts)]
    if plan.recipe.validation == "in-turns":
        own = list(zip(networks, turns, strict=True))
    _calibrate(model, store, targets, own)
    if plan.recipe.distil:
        taught = distillation_targets(model, store, targets, parts["fusion"].train, plan.recipe.distil)
        seed = student_seed(plan.recipe, plan.seed)
        members.append(train_member(plan.recipe, folder, seed, emotions, partial(fit_to, taught, parts)))
        model = members[-1][0]
        own = [(model, parts)]
        _calibrate(model, store, targets, own)
    # Clips of corpora with other classes would teach the adapter that theirs are not the others.
    if plan.recipe.adapter and can_adapt(parts["fusion"], utterances) and bool(targets.allowed.all()):
        by = [(one, splits["fusion"]) for one, splits in own]
        fit_adapter(model, store, utterances, targets.truth, by, plan.recipe.adapter)
    history = [row for _, rows in members for row in rows]
    _write_json(folder / "history.json", history)
    for part, found in predict_test_side(model, store, utterances, parts, seeds).items():
        oof_files.write(found, folder / f"predictions-{part}.csv")
    checkpoint.save_weights(folder / "weights.safetensors", model)
    _report(folder, history)
    for spent in (folder / "checkpoint.safetensors", *folder.glob("member-*")):
        spent.unlink(missing_ok=True)
    return folder
