"""`overtone info`: the card of a model, as readable text or JSON."""

import argparse
import json
import textwrap
from typing import Any

from overtone.cli.options import model_argument
from overtone.cli.score_terms import explain_terms
from overtone.datatypes import SAMPLE_RATE_HZ, Score
from overtone.emotions import list_classes
from overtone.formats.table import printable
from overtone.inference.recogniser import load

FORMATS = ("text", "json")
WIDTH = 100
LABEL_WIDTH = 13
SCORE_COLUMNS = (
    "protocol",
    "recipe",
    "part",
    "UAR %",
    "WA %",
    "macro-F1 %",
    "clips",
    "speakers",
    "seeds",
    "seen in training",
)


def info_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --model and --format."""
    model_argument(parser)
    parser.add_argument(
        "--format", choices=FORMATS, default="text", help="the output format, readable text or JSON (default: text)"
    )


def info(args: argparse.Namespace) -> int:
    """Print the model card."""
    card = load(args.model).card
    print(json.dumps(card, indent=1) if args.format == "json" else card_to_text(card))
    return 0


def card_to_text(card: dict[str, Any]) -> str:
    """Return the card as readable text: emotions, training data, licence, scores and limits."""
    versions = ", ".join(f"{name} {version}" for name, version in card["versions"].items())
    lines = [
        *_field("model", card["id"]),
        *_field("emotions", list_classes(card["emotions"], most=None)),
        *_threshold(card.get("uncertain_below", 0)),
        *_field("input", f"mono audio at {SAMPLE_RATE_HZ // 1000} kHz; other audio is converted"),
        *(line for row in card["training_data"] for line in _field("trained on", _corpus(row))),
        *(line for row in card.get("pretrained", []) for line in _field("pretrained", _pretrained(row))),
        *_teacher(card.get("teacher")),
        *_field("licence", f"of the weights: {card['licence']}"),
        *_field("trained with", _training(card)),
        *_field("versions", versions),
        "",
        *_scores(card["scores"], card["scores_of"]),
        *_subgroups(card.get("subgroups", [])),
        *_terms(card["scores"]),
        "",
        *_field("limits", card["limits"]),
    ]
    return "\n".join(lines)


def _field(label: str, text: str) -> list[str]:
    """Return a label and its text, wrapped and indented."""
    line = f"{label:{LABEL_WIDTH}}{printable(' '.join(str(text).split()))}"
    return textwrap.wrap(line, WIDTH, subsequent_indent=" " * LABEL_WIDTH, break_on_hyphens=False)


def _threshold(uncertain_below: float) -> list[str]:
    return _field("uncertain", f"a prediction with a confidence below {uncertain_below:.0%}") if uncertain_below else []


def _corpus(row: dict[str, Any]) -> str:
    name, clips, speakers, licence, source = (
        row.get(key, "?") for key in ("corpus", "clips", "speakers", "licence", "citation")
    )
    return f"{name}: {clips} clips of {speakers} speakers; {licence}; {source}"


def _pretrained(row: dict[str, Any]) -> str:
    name, licence, source = (row.get(key, "?") for key in ("name", "licence", "citation"))
    return f"{name}; {licence}; {source}"


def _teacher(row: object) -> list[str]:
    """The recipe whose predictions were targets, and the pretrained networks that it used."""
    if not isinstance(row, dict):
        return []
    pretrained = "".join(f"; using {_pretrained(network)}" for network in row.get("pretrained", []))
    return _field("taught by", f"recipe {row.get('recipe', '?')}{pretrained}")


def _training(card: dict[str, Any]) -> str:
    """Return the settings needed to train the model again."""
    protocol, seed, clips, validation = (
        card.get(key, "?") for key in ("protocol", "seed", "training_clips", "validation_clips")
    )
    name = card["recipe"].get("name", "?")
    return f"recipe {name}, protocol {protocol}, seed {seed}, {clips} clips (validation {validation})"


def _scores(rows: list[dict[str, Any]], scores_of: str) -> list[str]:
    if not rows:
        return ["scores       none were measured for this model"]
    table = [SCORE_COLUMNS, *(_score_row(row) for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(SCORE_COLUMNS))]
    subject = "this model file on its test set" if scores_of == "this file" else "models trained by the same recipe"
    return [
        f"scores of {subject}, with 95 % intervals",
        *("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table),
    ]


def _subgroups(rows: list[dict[str, Any]]) -> list[str]:
    """Return the UAR by gender, intensity and sentence on a line or two."""
    by_name: dict[str, list[str]] = {}
    for row in rows:
        by_name.setdefault(str(row.get("attribute", "?")), []).append(
            f"{row.get('value', '?')} {_percent(row.get('uar'))}"
        )
    text = "; ".join(f"{name}: {', '.join(values)}" for name, values in by_name.items())
    source = " ".join(str(rows[0].get(key, "?")) for key in ("protocol", "part")) if rows else ""
    return _field("UAR % by", f"{text} ({source})") if rows else []


def _terms(rows: list[dict[str, Any]]) -> list[str]:
    """Return what the words in the table of scores mean."""
    names = ([str(row.get(key)) for row in rows] for key in ("protocol", "part"))
    lines = (line for text in explain_terms(*names) for line in _field("", text))
    return ["", "what these words mean", *lines] if rows else []


def _score_row(row: dict[str, Any]) -> tuple[str, ...]:
    audit = row.get("audit", {})
    seen = f"{audit['seen_clips']} of {audit['test_clips']}" if _has(audit, "seen_clips", "test_clips") else "-"
    uar = str(Score(row["uar"], row["uar_low"], row["uar_high"])) if _has(row, "uar", "uar_low", "uar_high") else "-"
    counts = (str(row.get(key, "-")) for key in ("clips", "speakers", "seeds"))
    names = (printable(str(row.get(key, "-"))) for key in ("protocol", "recipe", "part"))
    return (*names, uar, _percent(row.get("wa")), _percent(row.get("macro_f1")), *counts, seen)


def _has(row: object, *keys: str) -> bool:
    return isinstance(row, dict) and all(isinstance(row.get(key), int | float) for key in keys)


def _percent(value: object) -> str:
    return f"{100 * value:.1f}" if isinstance(value, int | float) else "-"
