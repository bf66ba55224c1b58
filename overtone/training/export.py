"""A finished run -> model.onnx with its card, and the card as a page to read."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from overtone._internal.atomic_write import write_text
from overtone.audio.decode import read
from overtone.datatypes import SAMPLE_RATE_HZ, LeakAudit, Score, Utterance, Waveform
from overtone.errors import InputError
from overtone.evaluation import oof_files, subgroups
from overtone.evaluation.calibration import UNCERTAIN_BELOW
from overtone.evaluation.document import Block, Heading, Paragraph, Table, to_markdown
from overtone.evaluation.protocols import PROTOCOLS
from overtone.evaluation.report import ScoreRow
from overtone.features import loudness, mel, pitch, tempo
from overtone.features.spectrum import HOP_SAMPLES
from overtone.inference.model_card import CARD_FORMAT, CARD_KEY, read_card
from overtone.recipe import Recipe, recipe_from_dict
from overtone.training.cross_validation import score_oof
from overtone.training.onnx_export import export_onnx
from overtone.training.train import init_corpora, load_network, own_scores, run_settings

BY_CLIP = ("random", "paper")  # protocols whose validation clips are of any speaker
SHOWN = ("fusion", "adapted", "mel", "prosody")  # parts of this very file, in the order of a card
CHECKED_CLIPS, LOOKED_AT_CLIPS = 6, 24
MIN_SAMPLES = SAMPLE_RATE_HZ // 2  # half a second: shorter clips are padded with silence
# What the layers before the networks are set to; they are part of the file and cannot be changed in use.
FRONT_END = {
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
    "Trained on acted emotions, spoken by few speakers in few sentences and a quiet room: acted speech is not felt "
    "emotion, and answers on other recordings are less accurate than the scores here. Not tested on spontaneous "
    "speech, on other languages, on children or old speakers, on telephone sound or noise. Probabilities are "
    "calibrated on speakers of the same corpus at best. Inferring emotions of people at work or in education is "
    "forbidden in the EU (AI Act, Article 5(1)(f))."
)


def score_rows(folder: Path, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Scores for a card: a row per protocol and part that this recipe has out-of-fold predictions for.

    Args:
        folder: of the predictions, such as `results/oof`.
        settings: of the run, as `train.run_settings` has them.

    Raises:
        InputError: there are none, they are damaged, or they are of another recipe with the same name.
    """
    rows, recipe = [], settings["name"]
    for protocol in measured_protocols(folder, recipe):
        path = oof_files.record_path(folder, protocol, recipe)
        if _complete(oof_files.read_record(path).settings, path) != _complete(settings, path):
            raise InputError(f"{path}: scores of another recipe that is called '{recipe}' too; rename one of them")
        found = {row.name.rpartition(" ")[2]: row for row in score_oof(folder, protocol, recipe)}
        rows += [_row(found[part], recipe, part) for part in SHOWN if part in found]
    return rows


def _complete(settings: dict[str, Any], path: Path) -> tuple[Recipe, list[str]]:
    """The recipe, fields that are younger than the file at their defaults, and the corpora it started from."""
    fields = {key: value for key, value in settings.items() if key != "start"}
    return recipe_from_dict(fields, str(path)), settings.get("start", [])


def measured_protocols(folder: Path, recipe: str) -> list[str]:
    """The protocols under which a recipe has out-of-fold predictions in this folder.

    Raises:
        InputError: there is none.
    """
    found = [protocol for protocol in PROTOCOLS if oof_files.record_path(folder, protocol, recipe).is_file()]
    if not found:
        raise InputError(
            f"{folder}: no out-of-fold predictions of recipe '{recipe}'; make them with: overtone evaluate"
        )
    return found


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
        "clips": scores.clips,
        "speakers": scores.speakers,
        "seeds": scores.seeds,
        "audit": asdict(row.audit) if row.audit else {},
    }


def _own_rows(folder: Path, run: dict[str, Any]) -> list[dict[str, Any]]:
    """Scores of the run's own test side; none where it has no such side."""
    found = own_scores(folder)
    return [_row(found[part], run["recipe"]["name"], part) for part in SHOWN if part in found]


def make_card(
    run: dict[str, Any],
    model_id: str,
    scores: list[dict[str, Any]],
    of_file: bool = False,
    sliced: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """What a model file says of itself, as `tasks.make_work.card` reads it.

    Args:
        run: content of run.json.
        model_id: name of the model.
        scores: rows of `score_rows`.
        of_file: whether the scores are of this very model, not of others by the same recipe.
        sliced: rows of `slices.card_rows`.

    Raises:
        ModelError: the card cannot be read back.
    """
    data = run["training_data"]
    trained = run["split"]["fusion"]
    card = {
        "format": CARD_FORMAT,
        "id": model_id,
        "emotions": run["emotions"],
        "sample_rate_hz": SAMPLE_RATE_HZ,
        "min_samples": MIN_SAMPLES,
        "hop_samples": HOP_SAMPLES,
        "front_end": FRONT_END,
        "recipe": run["recipe"],
        "seed": run["seed"],
        "protocol": run["protocol"],
        "training_clips": len(trained["train"]),
        "validation_clips": len(trained["validation"]),
        "start": init_corpora(run),
        "training_data": data,
        "licence": _licences(data),
        "scores": scores,
        "scores_of": "this file" if of_file else "the recipe",
        **({"slices": list(sliced)} if sliced else {}),
        "uncertain_below": UNCERTAIN_BELOW,
        "versions": run["versions"],
        "limits": LIMITS,
    }
    return read_card({CARD_KEY: json.dumps(card)}, f"model '{model_id}'")


def _licences(data: list[dict[str, Any]]) -> str:
    """Every licence of the training data; where there are several, with the corpora that are under it."""
    under: dict[str, list[str]] = {}
    for row in data:
        under.setdefault(row["licence"], []).append(row["corpus"])
    if len(under) == 1:
        return next(iter(under))
    return "; ".join(f"{', '.join(corpora)}: {licence}" for licence, corpora in under.items())


def card_to_markdown(card: dict[str, Any]) -> str:
    """The card as Markdown."""
    data = [
        (row["corpus"], str(row["clips"]), str(row["speakers"]), row["licence"], row["citation"])
        for row in card["training_data"]
    ]
    begun = f", begun from a training on {', '.join(card['start'])}" if card.get("start") else ""
    others = f"{card['validation_clips']} {'other clips' if card['protocol'] in BY_CLIP else 'clips of other speakers'}"
    in_turns = card["recipe"].get("validation") == "in-turns"
    chosen = f"and {others} that each network leaves out a part of" if in_turns else f"the epoch chosen on {others}"
    return to_markdown(
        [
            Heading(f"Model card: {card['id']}", level=1),
            Paragraph(
                f"Hears {', '.join(card['emotions'])} in speech at {card['sample_rate_hz']} Hz. Recipe "
                f"{card['recipe']['name']}, protocol {card['protocol']}, seed {card['seed']}{begun}; trained on "
                f"{card['training_clips']} clips, {chosen}."
            ),
            Paragraph(f"An answer with a confidence below {card['uncertain_below']:.0%} is called uncertain."),
            Paragraph(f"Licence of the weights: {card['licence']}. The code is Apache-2.0."),
            Heading("Training data"),
            Table(("Corpus", "Clips", "Speakers", "Licence", "Citation"), tuple(data)),
            Heading("Scores"),
            *_scores(card),
            Heading("Front end"),
            Paragraph(", ".join(f"{name} {value:g}" for name, value in card["front_end"].items())),
            Heading("Limits"),
            Paragraph(card["limits"]),
            Heading("Made with"),
            Paragraph(", ".join(f"{name} {version}" for name, version in card["versions"].items())),
        ]
    )


def _scores(card: dict[str, Any]) -> list[Block]:
    """The scores of a card and what they are scores of."""
    if not card["scores"]:
        return [Paragraph("None were measured: no clip was kept for a test.")]
    lines = [
        (
            row["protocol"],
            row["part"],
            str(Score(row["uar"], row["uar_low"], row["uar_high"])),
            f"{100 * row['wa']:.1f}",
            f"{100 * row['macro_f1']:.1f}",
            f"{row['clips']} clips, {row['speakers']} speakers, seeds: {row['seeds']}",
            str(LeakAudit(**row["audit"])),
        )
        for row in card["scores"]
    ]
    words = (
        "Of this very file, on its test side"
        if card["scores_of"] == "this file"
        else "Not of this file but of models trained by the same recipe, each tested on the clips its fold left out; "
        "mean over seeds, leaks added up over folds and seeds"
    )
    header = ("Protocol", "Part", "UAR", "WA", "Macro-F1", "Tested on", "Leak audit")
    return [
        Paragraph(f"{words}; in per cent, with the 95 % interval over speakers."),
        Table(header, tuple(lines)),
        *subgroups.card_blocks(card),
    ]


def select_check_clips(utterances: Sequence[Utterance]) -> list[Waveform]:
    """Sound of a few clips from short to long, to hold an export against the network."""
    step = max(1, len(utterances) // LOOKED_AT_CLIPS)
    found = [read(u.path, start_s=u.start_s, end_s=u.end_s) for u in utterances[::step]]
    found.sort(key=lambda waveform: len(waveform.samples))
    return [found[k * (len(found) - 1) // (CHECKED_CLIPS - 1)] for k in range(CHECKED_CLIPS)]


def export_run(utterances: Sequence[Utterance], folder: Path, *, model_id: str, scores: Path | None = None) -> Path:
    """Exports the network of a run with its card: `model.onnx` and `model.md` in the run folder.

    Args:
        utterances: the clips of the training; some of them check the export.
        folder: a finished run folder.
        model_id: name of the model.
        scores: folder of out-of-fold predictions to quote; None quotes the run's own test side.

    Returns:
        Path of the model.

    Raises:
        TrainingError: the run is not finished.
        InputError: no predictions of this recipe in `scores`.
        ModelError: onnxruntime and torch do not agree.
    """
    network, run = load_network(folder)
    rows = score_rows(scores, run_settings(run)) if scores else _own_rows(folder, run)
    sliced = subgroups.card_rows(scores, run["recipe"]["name"]) if scores else []
    card = make_card(run, model_id, rows, of_file=scores is None, sliced=sliced)
    path = folder / "model.onnx"
    worst = export_onnx(network, card, select_check_clips(utterances), path)
    note = f"\n\nonnxruntime and torch differ by at most {worst:.1e} on the clips tried.\n"
    write_text(folder / "model.md", card_to_markdown(card).rstrip() + note)
    return path
