"""Labelled clips -> a run folder with a trained and tested model; see `overtone.training.run_folder` for its files.

An interrupted training run resumes, and on a CPU with the same number of threads ends with bitwise equal weights.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import torch

from overtone._internal.progress import Progress, silent_progress
from overtone.datatypes import Utterance
from overtone.errors import TrainingError
from overtone.evaluation import oof_files
from overtone.evaluation.protocols import clips_of
from overtone.models import build
from overtone.models.network import Model, Network
from overtone.recipe import FUSION, Recipe, read_teacher
from overtone.training import checkpoint
from overtone.training.batches import sampling_weights
from overtone.training.calibrate import calibrate, confidence_threshold
from overtone.training.ensemble_members import (
    History,
    PartSplits,
    combine,
    distillation_targets,
    distils_itself,
    member_seeds,
    member_splits,
    student_seed,
    train_member,
)
from overtone.training.feature_cache import FeatureStore, load_features
from overtone.training.fit_adapter import can_adapt, fit_adapter
from overtone.training.fit_reference_adapter import fit_reference_adapter
from overtone.training.held_out import predict_test_set
from overtone.training.loop import fit, ignore_epoch
from overtone.training.reference_sets import ReferenceSets
from overtone.training.run_config import RunConfig, part_splits, run_metadata
from overtone.training.run_folder import is_finished, matches_run, own_scores, write_json, write_report
from overtone.training.targets import Targets, make_targets
from overtone.training.teacher import required_features, taught_targets
from overtone.training.tensorboard_log import TensorBoardLog


def train(
    utterances: Sequence[Utterance],
    config: RunConfig,
    folder: Path,
    *,
    resume: bool = False,
    cache: Path | None = None,
    progress: Progress = silent_progress,
    tensorboard: bool = False,
) -> Path:
    """Train, test and report one model; `overtone.training.export` makes the file for inference.

    Nothing is written before every clip has been read; a finished training run is left unchanged.

    Args:
        utterances: the labelled clips.
        config: configuration of the training run.
        folder: run folder; created if it does not exist.
        resume: whether to resume an interrupted training run.
        cache: cache folder for features; None for that of the user.
        progress: called after each clip and each epoch.
        tensorboard: whether to write event files into `folder / "tensorboard"`, too.

    Returns:
        The run folder.

    Raises:
        MissingExtraError: `tensorboard` is True, but the package is not installed.
        TrainingError: the folder holds another training run, or this one and `resume` is False.
        CorpusError: clips that cannot be read, or not enough of them.
    """
    utterances = clips_of(config.protocol, utterances)
    run = run_metadata(utterances, config)
    resumed = matches_run(folder, run)
    if resumed and not resume:
        raise TrainingError(f"{folder} holds a training run already; use --resume to continue it, or another folder")
    if resumed and is_finished(folder):
        return folder
    recipe, log = config.recipe, TensorBoardLog(folder) if tensorboard else None
    build(recipe, len(run["emotions"]))  # an unknown network is refused before anything is written
    variants, extra = required_features(recipe)
    store = load_features(utterances, variants, cache, progress, extra)
    if not resumed:
        write_json(folder / "run.json", run)
    targets = make_targets(utterances, run["emotions"])
    parts = part_splits(config, utterances)
    with log or nullcontext():
        model, trained_on, history = _train_networks(utterances, config, folder, store, targets, parts, progress, log)
    threshold = confidence_threshold(model, store, utterances, targets, trained_on)
    write_json(folder / "calibration.json", {"uncertain_below": threshold})
    fusion_splits = [(network, splits[FUSION]) for network, splits in trained_on]
    if recipe.reference_sets and model.reference_size:
        fit_reference_adapter(model, store, utterances, targets, fusion_splits, config.seed)
    # Clips of corpora with other classes would teach the adapter that missing classes are wrong ones.
    elif recipe.adapter and can_adapt(parts[FUSION], utterances) and bool(targets.allowed.all()):
        fit_adapter(model, store, utterances, targets.truth, fusion_splits, recipe.adapter)
    write_json(folder / "history.json", history)
    seeds = member_seeds(recipe, config.seed)
    for part, predictions in predict_test_set(model, store, utterances, parts, seeds).items():
        oof_files.write(predictions, folder / f"predictions-{part}.csv")
    checkpoint.save_weights(folder / "weights.safetensors", model)
    write_report(folder, history)
    if log is not None:
        with log:
            log.confusions(own_scores(folder))
    for temporary in (folder / "checkpoint.safetensors", *folder.glob("member-*"), *folder.glob("teacher-*")):
        temporary.unlink(missing_ok=True)
    return folder


def _train_networks(
    utterances: Sequence[Utterance],
    config: RunConfig,
    folder: Path,
    store: FeatureStore,
    targets: Targets,
    parts: PartSplits,
    progress: Progress,
    log: TensorBoardLog | None,
) -> tuple[Model, list[tuple[Model, PartSplits]], History]:
    """The calibrated model; the model, or each of its networks, with its training splits; and the history."""
    recipe, teacher = config.recipe, read_teacher(config.recipe)
    init = checkpoint.read_weights(config.init_from / "weights.safetensors") if config.init_from else {}
    device = "cuda" if torch.cuda.is_available() else "cpu"

    def fit_to(
        fit_recipe: Recipe, fit_targets: Targets, splits: PartSplits, network: Network, seed: int, path: Path
    ) -> History:
        # A teacher has other branches, so that initial weights and the splits of each part are not for it.
        own = (init, parts) if fit_recipe is recipe else ({}, dict.fromkeys(fit_recipe.parts, parts[FUSION]))
        role = "member" if fit_recipe is recipe else "teacher"
        return fit(
            network, store.first_versions(1 + fit_recipe.wave_variants), fit_targets, splits, fit_recipe,
            seed=seed, path=path, device=device, progress=progress, init=own[0], normaliser_splits=own[1],
            sampling=partial(sampling_weights, utterances) if fit_recipe.sampling == "balanced" else None,
            references=partial(ReferenceSets, utterances) if fit_recipe.reference_sets else None,
            on_epoch=partial(log.epoch, f"{role}-{seed}") if log else ignore_epoch,
        )  # fmt: skip

    def train_one(seed: int, fit_targets: Targets, splits: PartSplits) -> tuple[Network, History]:
        emotions = targets.allowed.shape[-1]
        if teacher is not None:
            same = dict.fromkeys(teacher.parts, splits[FUSION])
            fit_teacher = partial(fit_to, teacher, fit_targets, same)
            network, _ = train_member(teacher, folder, seed, emotions, fit_teacher, role="teacher")
            fit_targets = taught_targets(network, same, store, fit_targets, recipe.distil)
        return train_member(recipe, folder, seed, emotions, partial(fit_to, recipe, fit_targets, splits))

    seeds, splits_of_members = member_seeds(recipe, config.seed), member_splits(recipe, parts, utterances)
    members = [train_one(seed, targets, splits) for seed, splits in zip(seeds, splits_of_members, strict=True)]
    networks = [network for network, _ in members]
    model = combine(networks)
    trained_on: list[tuple[Model, PartSplits]] = [(model, parts)]
    if recipe.validation != "shared":
        trained_on = list(zip(networks, splits_of_members, strict=True))
    calibrate(model, store, targets, trained_on)
    if distils_itself(recipe):
        soft_targets = distillation_targets(model, store, targets, parts[FUSION].train, recipe.distil)
        members.append(train_one(student_seed(recipe, config.seed), soft_targets, parts))
        model = members[-1][0]
        trained_on = [(model, parts)]
        calibrate(model, store, targets, trained_on)
    return model, trained_on, [row for _, rows in members for row in rows]
