"""`overtone info`: the card of a model, for people or as JSON."""

import argparse
import json
import textwrap
from pathlib import Path
from typing import Any

from overtone.datatypes import SAMPLE_RATE_HZ, Score
from overtone.formats.table import printable
from overtone.inference.recogniser import load

FORMS = ("text", "json")
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
    """--model --format."""
    parser.add_argument("--model", metavar="FILE", type=Path, help="a model file; without it, the one of the package")
    parser.add_argument("--format", choices=FORMS, default="text", help="text for people (default) or json")


def info(args: argparse.Namespace) -> int:
    """Prints the card."""
    card = load(args.model).card
    print(json.dumps(card, indent=1) if args.format == "json" else as_text(card))
    return 0


def as_text(card: dict[str, Any]) -> str:
    """The card for people: what the model is, learned from, may be used for, scored, and where its limits are."""
    made_with = ", ".join(f"{name} {version}" for name, version in card["versions"].items())
    lines = [
        *_labelled("model", card["id"]),
        *_labelled("emotions", ", ".join(card["emotions"])),
        *_threshold(card.get("uncertain_below", 0)),
        *_labelled("hears", f"mono sound at {SAMPLE_RATE_HZ // 1000} kHz; other sound is converted to that"),
        *(line for row in card["training_data"] for line in _labelled("trained on", _corpus(row))),
        *_labelled("licence", f"of the weights: {card['licence']}"),
        *_labelled("made by", _making(card)),
        *_labelled("made with", made_with),
        "",
        *_scores(card["scores"], card["scores_of"]),
        *_slices(card.get("slices", [])),
        "",
        *_labelled("limits", card["limits"]),
    ]
    return "\n".join(lines)


def _labelled(label: str, text: str) -> list[str]:
    whole = f"{label:{LABEL_WIDTH}}{printable(' '.join(str(text).split()))}"
    return textwrap.wrap(whole, WIDTH, subsequent_indent=" " * LABEL_WIDTH, break_on_hyphens=False)


def _threshold(uncertain_below: float) -> list[str]:
    return _labelled("uncertain", f"an answer with a confidence below {uncertain_below:.0%}") if uncertain_below else []


def _corpus(row: dict[str, Any]) -> str:
    name, clips, speakers, licence, source = (
        row.get(key, "?") for key in ("corpus", "clips", "speakers", "licence", "citation")
    )
    return f"{name}: {clips} clips of {speakers} speakers; {licence}; {source}"


def _making(card: dict[str, Any]) -> str:
    """What it takes to make the model again."""
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
    what = "this very file on its test side" if scores_of == "this file" else "the recipe by protocol"
    return [
        f"scores of {what}, with 95 % intervals",
        *("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table),
    ]


def _slices(rows: list[dict[str, Any]]) -> list[str]:
    """UAR by gender, intensity and sentence, all in a line or two."""
    by_name: dict[str, list[str]] = {}
    for row in rows:
        by_name.setdefault(str(row.get("slice", "?")), []).append(f"{row.get('value', '?')} {_percent(row.get('uar'))}")
    told = "; ".join(f"{name}: {', '.join(values)}" for name, values in by_name.items())
    of = " ".join(str(rows[0].get(key, "?")) for key in ("protocol", "part")) if rows else ""
    return _labelled("UAR % by", f"{told} ({of})") if rows else []


def _score_row(row: dict[str, Any]) -> tuple[str, ...]:
    audit = row.get("audit", {})
    seen = f"{audit['seen_clips']} of {audit['test_clips']}" if _has(audit, "seen_clips", "test_clips") else "-"
    uar = str(Score(row["uar"], row["uar_low"], row["uar_high"])) if _has(row, "uar", "uar_low", "uar_high") else "-"
    plain = (str(row.get(key, "-")) for key in ("clips", "speakers", "seeds"))
    names = (printable(str(row.get(key, "-"))) for key in ("protocol", "recipe", "part"))
    return (*names, uar, _percent(row.get("wa")), _percent(row.get("macro_f1")), *plain, seen)


def _has(row: object, *keys: str) -> bool:
    return isinstance(row, dict) and all(isinstance(row.get(key), int | float) for key in keys)


def _percent(value: object) -> str:
    return f"{100 * value:.1f}" if isinstance(value, int | float) else "-"
