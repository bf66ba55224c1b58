"""Scores by subgroup: gender of the speaker, intensity and sentence."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from overtone.corpora import ravdess
from overtone.datatypes import OofPredictions, Score, StrArray, Utterance
from overtone.evaluation import oof_files
from overtone.evaluation.document import Block, Paragraph, Table
from overtone.evaluation.metrics import SEED, score

MAIN_PROTOCOLS = ("luna5", "unseen-corpus")  # the subgroup scores in a model card are those of the first measured one
ATTRIBUTES = ("gender", "intensity", "sentence")
HEADER = ("Subgroup", "UAR", "WA", "Clips", "Speakers", "Seeds")
EXPLANATION = (
    "UAR is the mean recall of the emotions that a subgroup contains: RAVDESS has no neutral clips with strong "
    "intensity. In brackets the 95 % interval over speakers."
)


def score_subgroups(predictions: OofPredictions) -> list[dict[str, Any]]:
    """Return one row per value of gender, intensity and sentence.

    An attribute is left out if it is unknown, or has the same value for all clips.
    """
    rows = []
    for attribute in ATTRIBUTES:
        labels = _labels(predictions, attribute)
        values = sorted(set(labels.tolist()) - {""})
        if len(values) > 1:
            rows += [_row(attribute, value, oof_files.select(predictions, labels == value)) for value in values]
    return rows


def card_rows(folder: Path, recipe: str) -> list[dict[str, Any]]:
    """Return the subgroup scores of the fusion of a recipe for its model card; empty without predictions.

    Args:
        folder: folder of the out-of-fold predictions, such as `results/oof`.
        recipe: name of the recipe.

    Raises:
        InputError: the predictions are damaged.
    """
    for protocol in MAIN_PROTOCOLS:
        path = oof_files.csv_path(folder, protocol, recipe, "fusion")
        if path.is_file():
            condition = {"protocol": protocol, "part": "fusion"}
            return [{**condition, **row} for row in score_subgroups(oof_files.read(path))]
    return []


def card_blocks(card: dict[str, Any]) -> list[Block]:
    """Return the subgroup scores of a model card as text and a table; empty if the card has none."""
    rows = card.get("subgroups", [])
    if not rows:
        return []
    return [Paragraph(f"Scores by subgroup: {rows[0]['part']}, {rows[0]['protocol']}. {EXPLANATION}"), table(rows)]


def table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return a table of subgroup scores in per cent."""
    lines = [
        (
            f"{row['attribute']} {row['value']}",
            str(Score(row["uar"], row["uar_low"], row["uar_high"])),
            f"{100 * row['wa']:.1f}",
            *(str(row[key]) for key in ("clips", "speakers", "seeds")),
        )
        for row in rows
    ]
    return Table(HEADER, tuple(lines), numbers=frozenset(HEADER[1:]))


def _row(attribute: str, value: str, predictions: OofPredictions) -> dict[str, Any]:
    scores = score(predictions, np.random.default_rng(SEED))
    rates = {"uar": scores.uar.value, "uar_low": scores.uar.low, "uar_high": scores.uar.high, "wa": scores.wa.value}
    return {
        "attribute": attribute,
        "value": value,
        **{key: round(rate, 4) for key, rate in rates.items()},
        "clips": scores.clips,
        "speakers": scores.speakers,
        "seeds": scores.seeds,
    }


def _labels(predictions: OofPredictions, attribute: str) -> StrArray:
    """Return the gender, intensity or sentence of each row, str `(n,)`; "" if the clip id does not determine it."""
    clips = {path: ravdess.SCHEME.parse(Path(path)) for path in set(predictions.path.tolist())}
    values = {path: getattr(clip, attribute) if isinstance(clip, Utterance) else "" for path, clip in clips.items()}
    return np.array([values[path] for path in predictions.path.tolist()])
