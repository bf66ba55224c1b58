"""Scores under recording conditions, as `python -m benchmarks.robustness` stores them -> means over the corpora."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from overtone.errors import InputError
from overtone.evaluation.document import Block, Paragraph, Table

MEASURES = ("uar", "changed", "sure", "sure_wrong")
EXPLANATION = (
    "Recording conditions: the mean UAR over the corpora of the protocol, the share of clips that are recognised "
    "differently than without the condition, and the share of predictions that are wrong and not marked as uncertain."
)


def means(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Condition -> each of `MEASURES`, in [0, 1], averaged over the corpora.

    Args:
        rows: of one protocol and recipe.
    """
    conditions = dict.fromkeys(row["condition"] for row in rows)
    return {
        condition: {
            key: float(np.mean([row[key] for row in rows if row["condition"] == condition])) for key in MEASURES
        }
        for condition in conditions
    }


def card_rows(path: Path, recipe: str) -> list[dict[str, Any]]:
    """A row per protocol and condition for the model card of a recipe; empty without measurements.

    Args:
        path: of the results, such as `results/robustness.json`.
        recipe: name of the recipe.

    Raises:
        InputError: the file is damaged.
    """
    if not path.is_file():
        return []
    try:
        rows = [row for row in json.loads(path.read_text(encoding="utf-8"))["rows"] if row["recipe"] == recipe]
        return [
            {"protocol": protocol, "condition": condition, **{key: round(value, 4) for key, value in values.items()}}
            for protocol in dict.fromkeys(row["protocol"] for row in rows)
            for condition, values in means([row for row in rows if row["protocol"] == protocol]).items()
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not the results of a robustness benchmark ({error}); run it again") from error


def card_blocks(card: Mapping[str, Any]) -> list[Block]:
    """The robustness of a model card as text and a table; empty if the card has none."""
    lines = [
        (row["protocol"], row["condition"], *(f"{100 * row[key]:.1f}" for key in ("uar", "changed", "sure_wrong")))
        for row in card.get("robustness", [])
    ]
    header = ("Protocol", "Condition", "UAR", "Changed", "Sure and wrong")
    return [Paragraph(EXPLANATION), Table(header, tuple(lines), frozenset(header[2:]))] if lines else []
