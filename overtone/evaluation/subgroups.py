"""Predictions -> scores by gender, intensity and sentence: who and what a model hears better or worse."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from overtone.corpora import ravdess
from overtone.datatypes import OofPredictions, Score, Utterance
from overtone.evaluation import oof_files
from overtone.evaluation.document import Block, Heading, Paragraph, Table
from overtone.evaluation.metrics import SEED, score
from tools.report.oof_results import MAIN, Result

SLICED = ("gender", "intensity", "sentence")
HEADER = ("Slice", "UAR", "WA", "Clips", "Speakers", "Seeds")
WORDS = (
    "UAR is the mean recall of those emotions that a slice has: nobody speaks neutral with strong intensity. In "
    "brackets the 95 % interval over speakers."
)


def blocks(results: Sequence[Result]) -> list[Block]:
    """The tables of our models under the protocol `MAIN`, and what they mean."""
    document: list[Block] = []
    for one in results:
        if one.ours and one.whole and one.setting.tested == MAIN:
            title = Heading(f"{one.row.name}, {one.row.protocol}", level=3)
            document += [title, table(rows_of(one.predictions))]
    return [*document, Paragraph(WORDS)] if document else []


def rows_of(found: OofPredictions) -> list[dict[str, Any]]:
    """A row per value of gender, intensity and sentence; none for what the clips do not tell, or have but one of."""
    rows = []
    for name in SLICED:
        labels = _labels(found, name)
        values = sorted(set(labels.tolist()) - {""})
        rows += [_row(name, value, _only(found, labels == value)) for value in values if len(values) > 1]
    return rows


def card_rows(folder: Path, recipe: str) -> list[dict[str, Any]]:
    """The rows of the fusion of a recipe, for a card; none where it was not measured under `MAIN`.

    Args:
        folder: of the predictions, such as `results/oof`.
        recipe: name of the recipe.

    Raises:
        InputError: the predictions are damaged.
    """
    path = oof_files.csv_path(folder, MAIN, recipe, "fusion")
    named = {"protocol": MAIN, "part": "fusion"}
    return [{**named, **row} for row in rows_of(oof_files.read(path))] if path.is_file() else []


def card_blocks(card: dict[str, Any]) -> list[Block]:
    """The rows of a card for people; nothing where it has none."""
    rows = card.get("slices", [])
    if not rows:
        return []
    return [Paragraph(f"Who and what is heard better: {rows[0]['part']}, {rows[0]['protocol']}. {WORDS}"), table(rows)]


def table(rows: Sequence[dict[str, Any]]) -> Table:
    """The rows in per cent."""
    lines = [
        (
            f"{row['slice']} {row['value']}",
            str(Score(row["uar"], row["uar_low"], row["uar_high"])),
            f"{100 * row['wa']:.1f}",
            *(str(row[key]) for key in ("clips", "speakers", "seeds")),
        )
        for row in rows
    ]
    return Table(HEADER, tuple(lines), numbers=frozenset(HEADER[1:]))


def _row(name: str, value: str, found: OofPredictions) -> dict[str, Any]:
    scores = score(found, np.random.default_rng(SEED))
    rates = {"uar": scores.uar.value, "uar_low": scores.uar.low, "uar_high": scores.uar.high, "wa": scores.wa.value}
    return {
        "slice": name,
        "value": value,
        **{key: round(rate, 4) for key, rate in rates.items()},
        "clips": scores.clips,
        "speakers": scores.speakers,
        "seeds": scores.seeds,
    }


def _labels(found: OofPredictions, name: str) -> np.ndarray:
    """The gender, intensity or sentence of each row, str `(n,)`; "" where the name of the clip does not tell."""
    clips = {path: ravdess.clip_named(Path(path)) for path in set(found.path.tolist())}
    told = {path: getattr(clip, name) if isinstance(clip, Utterance) else "" for path, clip in clips.items()}
    return np.array([told[path] for path in found.path.tolist()])


def _only(found: OofPredictions, rows: np.ndarray) -> OofPredictions:
    columns = {name: column[rows] for name, column in vars(found).items() if name != "emotions"}
    return OofPredictions(found.emotions, **columns)
