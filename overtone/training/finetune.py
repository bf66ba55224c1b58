"""Labelled clips of one's own and a model -> a run folder with a model fine-tuned on them, and what to expect of it.

The run folder is written as a whole, when everything has succeeded. It contains

    model.onnx, model.md      the model with its card, and the card as text
    run.json                  recipe, seed, clips, leak audit, versions, expectation
    predictions-fusion.csv    a prediction for each left-out clip, by networks that were not trained on its speaker
    predictions-adapted.csv   likewise, with all left-out clips of the speaker as unlabelled reference
    calibration.json          uncertain_below: confidence below which a prediction is uncertain
    history.json              loss and UAR of the left-out clips for each number of epochs
    scores.json, report.md, report.html, figures/   scores of the left-out clips
    weights.safetensors       the weights of the networks
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from overtone._internal.progress import Progress, silent_progress
from overtone.audio.decode import read_utterance
from overtone.datatypes import OofPredictions, Utterance
from overtone.emotions import find_class
from overtone.errors import ModelError
from overtone.evaluation import oof_files
from overtone.evaluation.calibration import PRECISION_OF_CERTAIN, UNCERTAIN_BELOW, fit_threshold
from overtone.evaluation.expectation import Expectation, expectation
from overtone.evaluation.speaker_folds import Folds, make_folds
from overtone.models.network import Model
from overtone.recipe import FUSION, Recipe, read_recipe
from overtone.training.adapted_predictions import adapted_logits
from overtone.training.export import crop
from overtone.training.feature_cache import load_features
from overtone.training.finetune_loop import OwnClips, stack_statistics
from overtone.training.finetune_networks import CrossValidation, cross_validate, train_on_all
from overtone.training.loop import predict_logits
from overtone.training.onnx_export import TOLERANCE, agreement
from overtone.training.onnx_import import ImportedModel, import_onnx
from overtone.training.own_clips import check_audio, check_labels
from overtone.training.targets import make_targets, mean_recall

RECIPE = "finetune"


@dataclass(frozen=True)
class Finetuned:
    """A fine-tuned model, before it is written.

    Attributes:
        start: the model that it started from.
        clips: that it was trained on.
        folds: of the cross-validation.
        recipe: the settings, with the chosen number of epochs, or 1 if none is better than any.
        seed: of all random numbers.
        model: the networks.
        predictions: part ("fusion" or "adapted") -> predictions for the left-out clips.
        expectation: what to expect of it.
        uncertain_below: confidence below which a prediction is uncertain.
        history: a row per number of epochs.
        epochs: the chosen number, 0 for networks whose mean and last layer alone were replaced.
        notes: what is known about the model that it started from, a sentence each.
        copies: clips with the same sound and label as another one, a sentence each.
        failures: why clips were left out, a sentence each.
    """

    start: ImportedModel
    clips: OwnClips
    folds: Folds
    recipe: Recipe
    seed: int
    model: Model
    predictions: dict[str, OofPredictions]
    expectation: Expectation
    uncertain_below: float
    history: list[dict[str, float]]
    epochs: int
    notes: tuple[str, ...]
    copies: tuple[str, ...]
    failures: tuple[str, ...]


def finetune(
    utterances: Sequence[Utterance],
    start_path: Path,
    *,
    seed: int = 0,
    cache: Path | None = None,
    progress: Progress = silent_progress,
) -> Finetuned:
    """Fine-tune a model on labelled clips.

    Args:
        utterances: the clips.
        start_path: file of the model to start from.
        seed: of all random numbers.
        cache: cache folder for features; None for that of the user.
        progress: called after each step.

    Raises:
        CorpusError: too few clips, a single class, or clips that cannot be read or contradict each other.
        ModelError: the model to start from cannot be used.
    """
    check_labels(utterances)
    start = import_onnx(start_path)
    utterances, copies, failures = check_audio(utterances, progress)
    emotions = check_labels(utterances)
    _check_import(start, utterances, start_path)
    settings = read_recipe(RECIPE)
    before = start.architecture.recipe
    recipe = replace(settings, branches=before.branches, dropout=before.dropout, members=len(start.mlps))
    store = load_features(utterances, recipe.wave_variants, cache, progress, start.architecture.extra)
    clips = OwnClips(utterances, emotions, store, make_targets(utterances, emotions), stack_statistics(store))
    folds = make_folds(utterances)
    validated = cross_validate(start, clips, folds, recipe, seed, progress)
    model = train_on_all(start, clips, recipe, validated, seed, progress)
    predictions = _predictions(clips, folds, validated, seed)
    notes = [*_known_corpora(utterances, start), *_start_scores(start, clips, validated)]
    return Finetuned(
        start, clips, folds, replace(recipe, epochs=max(1, validated.epochs)), seed, model, predictions,
        expectation(predictions[FUSION], utterances, folds),
        _threshold(predictions[FUSION], folds), validated.history, validated.epochs, tuple(notes), copies, failures,
    )  # fmt: skip


def _check_import(start: ImportedModel, utterances: Sequence[Utterance], path: Path) -> None:
    """Check that the network which was read back from a model file predicts as the file does."""
    waveforms = [read_utterance(utterance) for utterance in utterances[:2]]
    compared = agreement(start.model, start.content, crop(waveforms, start.architecture.max_samples))
    if not compared.difference <= TOLERANCE:
        raise ModelError(
            f"{path}: the network read back from it predicts otherwise, by {compared.difference:.1e}; start from a "
            "model that this version of Overtone has exported"
        )


def _known_corpora(utterances: Sequence[Utterance], start: ImportedModel) -> list[str]:
    """A sentence if the model was trained on the same corpora, perhaps on the same clips and speakers."""
    trained = {row["corpus"] for row in start.card["training_data"]}
    shared = sorted(trained & {utterance.corpus for utterance in utterances})
    if not shared:
        return []
    return [
        f"the model to start from, '{start.card['id']}', was trained on {', '.join(shared)} too: if on the same "
        "speakers, the expected scores are too high"
    ]


def _predictions(clips: OwnClips, folds: Folds, validated: CrossValidation, seed: int) -> dict[str, OofPredictions]:
    """Part -> calibrated predictions for the left-out clips."""
    probabilities = {FUSION: (validated.log_probabilities / validated.temperature).softmax(-1)}
    if validated.models[0].adapter is not None:
        rows = [
            adapted_logits(model, clips.store, clips.utterances, split.validation)
            for model, split in zip(validated.models, folds.splits, strict=True)
        ]
        masked = clips.targets.at(validated.positions).mask_disallowed(torch.cat(rows))
        probabilities["adapted"] = masked.softmax(-1)
    return {part: _table(clips, folds, values, seed) for part, values in probabilities.items()}


def _table(clips: OwnClips, folds: Folds, probabilities: Tensor, seed: int) -> OofPredictions:
    left_out = [(clips.utterances[i], split.fold) for split in folds.splits for i in split.validation]
    rows = [
        (u.clip, u.corpus, u.speaker, u.sentence, fold, seed, u.emotion, *row)
        for (u, fold), row in zip(left_out, probabilities.double().tolist(), strict=True)
    ]
    return oof_files.from_rows(clips.emotions, rows)


def _threshold(predictions: OofPredictions, folds: Folds) -> float:
    """Confidence from which on predictions for other speakers are as precise as `PRECISION_OF_CERTAIN`."""
    if folds.same_speakers:
        return UNCERTAIN_BELOW  # what is certain for known speakers need not be for strangers
    best = np.array(predictions.emotions)[predictions.probabilities.argmax(axis=1)]
    confidence = predictions.probabilities.max(axis=1)
    return fit_threshold(confidence, best == predictions.truth, predictions.corpus, PRECISION_OF_CERTAIN)


def _start_scores(start: ImportedModel, clips: OwnClips, validated: CrossValidation) -> list[str]:
    """The UAR of the model to start from on the left-out clips, if it has their classes."""
    known = start.card["emotions"]
    names = [find_class(emotion, known) for emotion in clips.emotions]
    if None in names:
        return []
    columns = [known.index(name) for name in names]
    logits = predict_logits(start.model, clips.store, validated.positions.tolist())[FUSION][:, columns]
    predicted = clips.targets.at(validated.positions).mask_disallowed(logits).argmax(-1)
    uar = 100 * mean_recall(predicted, clips.targets.truth[validated.positions])
    return [f"the model to start from, '{start.card['id']}', reaches UAR {uar:.1f} per cent on the same clips"]
