"""A finished run and its scores -> the model card."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from overtone.datatypes import SAMPLE_RATE_HZ
from overtone.errors import InputError
from overtone.evaluation import oof_files
from overtone.evaluation.arousal_valence_scores import auc_by_dimension
from overtone.evaluation.calibration import UNCERTAIN_BELOW
from overtone.evaluation.protocols import PROTOCOLS
from overtone.evaluation.report import ScoreRow
from overtone.features import high_pass, loudness, mel, pitch, tempo
from overtone.features.spectrum import HOP_SAMPLES
from overtone.inference.model_card import CARD_FORMAT, CARD_KEY, read_card
from overtone.models.branches import extra_features
from overtone.models.reference_adapter import MIN_CLIPS
from overtone.recipe import FUSION, Recipe, recipe_from_dict
from overtone.training.cross_validation import score_oof
from overtone.training.run_folder import init_corpora, own_scores

MIN_SAMPLES = SAMPLE_RATE_HZ // 2  # half a second: shorter clips are padded with silence
# The settings of the layers before the networks; they are part of the file and cannot be changed in use.
FRONT_END = {
    "high_pass_hz": high_pass.CUTOFF_HZ,
    "mel_bands": mel.BANDS,
    "mel_window_samples": mel.WINDOW_SAMPLES,
    "mel_power_floor": mel.POWER_FLOOR,
    "pitch_low_hz": pitch.LOW_HZ,
    "pitch_high_hz": pitch.HIGH_HZ,
    "pitch_window_samples": 2 * pitch.WINDOW_SAMPLES,
    "voicing_threshold": pitch.VOICING_THRESHOLD,
    "loudness_window_samples": loudness.WINDOW_SAMPLES,
    "loudness_floor_db": loudness.FLOOR_DB,
    "tempo_low_bpm": tempo.LOW_BPM,
    "tempo_high_bpm": tempo.HIGH_BPM,
}
LIMITS = (
    "Trained on acted emotions of few speakers in few sentences: acted speech is not felt emotion. Recordings unlike "
    "the training data are recognised less well than unseen speakers of the same corpora; the scores of protocol "
    "'unseen-corpus', where there are any, show how well. Not tested on spontaneous speech, on children or old "
    "speakers. Inferring emotions of people at work or in education is forbidden in the EU (AI Act, Article 5(1)(f))."
)


def oof_score_rows(folder: Path, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Scores for a card: a row per protocol and part that this recipe has out-of-fold predictions for.

    Args:
        folder: of the predictions, such as `results/oof`.
        settings: of the run, as `run_folder.run_settings` returns them.

    Raises:
        InputError: there are none, they are damaged, or they are of another recipe with the same name.
    """
    rows, recipe = [], settings["name"]
    for protocol in measured_protocols(folder, recipe):
        path = oof_files.record_path(folder, protocol, recipe)
        if _complete(oof_files.read_record(path).settings, path) != _complete(settings, path):
            raise InputError(f"{path}: scores of another recipe with the name '{recipe}'; rename one of the two")
        scored = {row.part: row for row in score_oof(folder, protocol, recipe)}
        for row in _score_rows(scored, recipe):
            areas = auc_by_dimension(oof_files.read(oof_files.csv_path(folder, protocol, recipe, row["part"])))
            rows.append(row | {f"{name}_auc": round(area, 4) for name, area in areas.items() if np.isfinite(area)})
    return rows


def _complete(settings: dict[str, Any], path: Path) -> tuple[Recipe, list[str]]:
    """The recipe, with defaults for fields newer than the file, and the corpora it was initialised from."""
    fields = {key: value for key, value in settings.items() if key != "init_corpora"}
    return recipe_from_dict(fields, str(path)), settings.get("init_corpora", [])


def measured_protocols(folder: Path, recipe: str) -> list[str]:
    """The protocols that a recipe has out-of-fold predictions for in this folder.

    Raises:
        InputError: there is none.
    """
    found = [protocol for protocol in PROTOCOLS if oof_files.record_path(folder, protocol, recipe).is_file()]
    if not found:
        raise InputError(
            f"{folder}: no out-of-fold predictions of recipe '{recipe}'; make them with: overtone evaluate"
        )
    return found


def run_score_rows(folder: Path, run: dict[str, Any]) -> list[dict[str, Any]]:
    """Scores of the run's own test set; empty if there is no test set."""
    return _score_rows(own_scores(folder), run["recipe"]["name"])


def _score_rows(scored: dict[str, ScoreRow], recipe: str) -> list[dict[str, Any]]:
    """The fusion first, then the adapter, then the branches; predictions of single ensemble members are left out."""
    first = [part for part in (FUSION, "adapted") if part in scored]
    branches = [part for part in scored if part not in (*first, "member")]
    return [_row(scored[part], recipe, part) for part in (*first, *branches)]


def _row(row: ScoreRow, recipe: str, part: str) -> dict[str, Any]:
    scores = row.scores
    return {
        "protocol": row.protocol,
        "recipe": recipe,
        "part": part,
        "uar": round(scores.uar.value, 4),
        "uar_low": round(scores.uar.low, 4),
        "uar_high": round(scores.uar.high, 4),
        "wa": round(scores.wa.value, 4),
        "macro_f1": round(scores.macro_f1.value, 4),
        **({"folds": {fold: round(uar, 4) for fold, uar in scores.folds.items()}} if scores.folds else {}),
        "clips": scores.clips,
        "speakers": scores.speakers,
        "seeds": scores.seeds,
        "audit": asdict(row.audit) if row.audit else {},
    }


def make_card(
    run: dict[str, Any],
    model_id: str,
    scores: list[dict[str, Any]],
    of_file: bool = False,
    subgroup_rows: Sequence[dict[str, Any]] = (),
    robustness_rows: Sequence[dict[str, Any]] = (),
    uncertain_below: float = UNCERTAIN_BELOW,
    error_rates: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The card of a model file, as `overtone.inference.model_card` reads it.

    Args:
        run: content of run.json.
        model_id: name of the model.
        scores: rows of `oof_score_rows` or `run_score_rows`.
        of_file: whether the scores are those of this model itself, not of other models with the same recipe.
        subgroup_rows: rows of `subgroups.card_rows`.
        robustness_rows: rows of `robustness.card_rows`.
        uncertain_below: confidence below which a prediction is uncertain, in [0, 1].
        error_rates: as `overtone.evaluation.error_rates` returns them; None for none.

    Raises:
        ModelError: the card cannot be read back.
    """
    data = run["training_data"]
    subsets = run["split"][FUSION]
    longest = run["max_samples"] if "max_samples" in run else _longest_clip(run["recipe"], model_id)
    card = {
        "format": CARD_FORMAT,
        "id": model_id,
        "emotions": run["emotions"],
        "sample_rate_hz": SAMPLE_RATE_HZ,
        "min_samples": MIN_SAMPLES,
        "hop_samples": HOP_SAMPLES,
        **({"max_samples": longest} if longest else {}),
        **({"min_reference_clips": MIN_CLIPS} if _refers(run["recipe"]) else {}),
        "front_end": FRONT_END,
        "recipe": run["recipe"],
        "seed": run["seed"],
        "protocol": run["protocol"],
        "training_clips": len(subsets["train"]),
        "validation_clips": len(subsets["validation"]),
        "init_corpora": init_corpora(run),
        "training_data": data,
        "pretrained": run.get("pretrained", []),
        **({"teacher": _teacher(run)} if run.get("teacher") else {}),
        "licence": _licences(data, run.get("pretrained", [])),
        "scores": scores,
        "scores_of": "this file" if of_file else "the recipe",
        **({"subgroups": list(subgroup_rows)} if subgroup_rows else {}),
        **({"robustness": list(robustness_rows)} if robustness_rows else {}),
        **({"error_rates": dict(error_rates)} if error_rates else {}),
        "uncertain_below": uncertain_below,
        "versions": run["versions"],
        "limits": run.get("limits", LIMITS),
    }
    return read_card({CARD_KEY: json.dumps(card)}, f"model '{model_id}'")


def _teacher(run: dict[str, Any]) -> dict[str, Any]:
    """The recipe of the teacher by name, and the pretrained networks that it uses and the model does not."""
    teacher = run["teacher"]
    return {"recipe": teacher["recipe"]["name"], "weight": run["recipe"]["distil"], "pretrained": teacher["pretrained"]}


def _refers(values: object) -> bool:
    """Whether models of a recipe have a reference adapter."""
    return isinstance(values, dict) and bool(values.get("reference_sets"))  # `read_card` refuses other values


def _longest_clip(values: object, model_id: str) -> int | None:
    """Number of samples of the longest clip that all branches of a recipe take; None for no limit."""
    if not isinstance(values, dict):
        return None  # `read_card` refuses it
    recipe = recipe_from_dict(values, f"model '{model_id}'")
    limits = [feature.max_samples for feature in extra_features(recipe).values() if feature.max_samples]
    return min(limits, default=None)


def _licences(data: list[dict[str, Any]], pretrained: list[dict[str, Any]]) -> str:
    """Every licence of the training data and pretrained weights; if there are several, with the names under each."""
    corpora: dict[str, list[str]] = {}
    for row in data:
        corpora.setdefault(row["licence"], []).append(row["corpus"])
    for row in pretrained:
        corpora.setdefault(row["licence"], []).append(row["name"])
    if len(corpora) == 1:
        return next(iter(corpora))
    return "; ".join(f"{', '.join(names)}: {licence}" for licence, names in corpora.items())
