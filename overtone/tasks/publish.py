"""A finished run -> model.onnx with its card, and the card as a page to read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from overtone.features.spectrum import HOP_SAMPLES
from overtone.metrics import score
from overtone.outputs import predictions
from overtone.outputs.document import Heading, Paragraph, Table, to_markdown
from overtone.outputs.whole import write_text
from overtone.recipe import PARTS
from overtone.splits import PROTOCOLS
from overtone.tasks.card import CARD_FORMAT
from overtone.tasks.export import export
from overtone.tasks.train import clips_to_check, load_network, versions
from overtone.values import SAMPLE_RATE_HZ, LeakAudit, Score, Utterance

MIN_SAMPLES = SAMPLE_RATE_HZ // 2  # half a second: shorter clips are padded with silence
LIMITS = (
    "Trained on acted emotions, spoken by few speakers in few sentences and a quiet room: acted speech is not felt "
    "emotion, and answers on other recordings are less accurate than the scores here. Not tested on spontaneous "
    "speech, on other languages, on children or old speakers, on telephone sound or noise. Probabilities are not "
    "calibrated. Inferring emotions of people at work or in education is forbidden in the EU (AI Act, Article 5(1)(f))."
)


def score_rows(folder: Path, recipe: str) -> list[dict[str, Any]]:
    """Scores for a card: a row per protocol and part that this recipe has out-of-fold predictions for.

    Args:
        folder: of the predictions, such as `results/oof`.
        recipe: name of the recipe.
    """
    rows = []
    for protocol in PROTOCOLS:
        audits_path = predictions.audits_path(folder, protocol, recipe)
        if not audits_path.is_file():
            continue
        audits = predictions.read_audits(audits_path).parts
        for part in reversed(PARTS):
            found = predictions.read(predictions.csv_path(folder, protocol, recipe, part))
            rows.append(_row(protocol, recipe, part, found, audits[part]))
    return rows


def _row(protocol: str, recipe: str, part: str, found: predictions.Predictions, audit: LeakAudit) -> dict[str, Any]:
    scores = score(found, np.random.default_rng(0))
    return {
        "protocol": protocol,
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
        "audit": str(audit),
    }


def _own_rows(folder: Path, run: dict[str, Any]) -> list[dict[str, Any]]:
    """Scores of the run's own test side; none where it has no such side."""
    rows = []
    for part in reversed(PARTS):
        path = folder / f"predictions-{part}.csv"
        if path.is_file():
            audit = LeakAudit(**run["audits"][part])
            rows.append(_row(run["protocol"], run["recipe"]["name"], part, predictions.read(path), audit))
    return rows


def make_card(run: dict[str, Any], model_id: str, scores: list[dict[str, Any]]) -> dict[str, Any]:
    """What a model file says of itself.

    Args:
        run: content of run.json.
        model_id: name of the model.
        scores: rows of `score_rows`.
    """
    data = run["training_data"]
    trained = run["split"]["fusion"]
    return {
        "format": CARD_FORMAT,
        "id": model_id,
        "emotions": run["emotions"],
        "sample_rate_hz": SAMPLE_RATE_HZ,
        "min_samples": MIN_SAMPLES,
        "hop_samples": HOP_SAMPLES,
        "recipe": run["recipe"],
        "seed": run["seed"],
        "protocol": run["protocol"],
        "training_clips": len(trained["train"]),
        "validation_clips": len(trained["validation"]),
        "training_data": data,
        "licence": "; ".join(dict.fromkeys(row["licence"] for row in data)),
        "scores": scores,
        "versions": versions(),
        "limits": LIMITS,
    }


def card_page(card: dict[str, Any]) -> str:
    """The card as Markdown."""
    data = [
        (row["corpus"], str(row["clips"]), str(row["speakers"]), row["licence"], row["citation"])
        for row in card["training_data"]
    ]
    scores = [
        (
            row["protocol"],
            row["part"],
            str(Score(row["uar"], row["uar_low"], row["uar_high"])),
            f"{100 * row['wa']:.1f}",
            f"{100 * row['macro_f1']:.1f}",
            f"{row['clips']} clips, {row['speakers']} speakers, {row['seeds']} seeds",
            row["audit"],
        )
        for row in card["scores"]
    ]
    return to_markdown(
        [
            Heading(f"Model card: {card['id']}", level=1),
            Paragraph(
                f"Hears {', '.join(card['emotions'])} in speech at {card['sample_rate_hz']} Hz. Recipe "
                f"{card['recipe']['name']}, seed {card['seed']}; trained on {card['training_clips']} clips, the epoch "
                f"chosen on {card['validation_clips']} clips of other speakers."
            ),
            Paragraph(f"Licence of the weights: {card['licence']}. The code is Apache-2.0."),
            Heading("Training data"),
            Table(("Corpus", "Clips", "Speakers", "Licence", "Citation"), tuple(data)),
            Heading("Scores of the recipe"),
            Paragraph(
                "Of models trained by the same recipe, each tested on clips it was not trained on; mean over seeds, in "
                "per cent, with the 95 % interval over speakers. This very file was trained on all of the corpus and "
                "has no test clips of its own."
                if card["protocol"] == "all"
                else "Of this very file, on its test side; in per cent, with the 95 % interval over speakers."
            ),
            Table(
                ("Protocol", "Part", "UAR", "WA", "Macro-F1", "Tested on", "Leak audit, all folds and seeds"),
                tuple(scores),
            ),
            Heading("Limits"),
            Paragraph(card["limits"]),
            Heading("Made with"),
            Paragraph(", ".join(f"{name} {version}" for name, version in card["versions"].items())),
        ]
    )


def publish(utterances: Sequence[Utterance], folder: Path, *, model_id: str, scores: Path | None = None) -> Path:
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
        ModelError: onnxruntime and torch do not agree.
    """
    network, run = load_network(folder)
    rows = score_rows(scores, run["recipe"]["name"]) if scores else _own_rows(folder, run)
    card = make_card(run, model_id, rows)
    path = folder / "model.onnx"
    worst = export(network, card, clips_to_check(utterances), path)
    note = f"\n\nonnxruntime and torch differ by at most {worst:.1e} on the clips tried.\n"
    write_text(folder / "model.md", card_page(card).rstrip() + note)
    return path
