"""`results/interviews.json` -> how far the summaries of interviews are from the truth, by corpus."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from overtone.evaluation.document import Block, Paragraph, Strong, Table
from overtone.shares import ShareEstimator
from tools.report.measurements import blocks_from_file

NEAR = 0.1
HEADER = (
    *("Corpus", "Interviews", "Shares", "Uncertain", "Error, sure", "Error, all", "Error, estimate"),
    *("Within 10 points", "Covered", "Covered, present", "Width"),
)


def blocks(path: Path) -> list[Block]:
    """Return the table and its method; an empty list where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_from_file(path, _blocks, "python -m benchmarks.interviews")


def _blocks(content: Mapping[str, Any]) -> list[Block]:
    rows = content["rows"]
    corpora = sorted({row["corpus"] for row in rows})
    lines = [(corpus, *_cells([row for row in rows if row["corpus"] == corpus])) for corpus in corpora]
    table = Table(HEADER, (*lines, (Strong("all"), *_cells(rows))), numbers=frozenset(HEADER[1:]))
    return [table, Paragraph(_method(content)), Paragraph(_widths(rows))]


def _cells(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    def error(name: str) -> np.ndarray:
        return np.array([abs(row[name] - row["truth"]) for row in rows])

    covered = np.array([row["low"] <= row["truth"] <= row["high"] for row in rows])
    present = np.array([row["truth"] > 0 for row in rows])
    rates = (
        *(error(name).mean() for name in ("share", "predicted", "estimate")),
        *((error("estimate") <= NEAR + 1e-9).mean(), covered.mean(), covered[present].mean()),
        np.mean([row["high"] - row["low"] for row in rows]),
    )
    interviews = len({(row["corpus"], row["interview"]) for row in rows})
    uncertain = np.mean([row["uncertain_share"] for row in rows])
    return str(interviews), str(len(rows)), *(f"{100 * value:.0f}" for value in (uncertain, *rates))


def _method(content: Mapping[str, Any]) -> str:
    return (
        f"Interviews of {content['minutes']:.0f} minutes, joined from clips of {content['speakers']} speakers of a "
        f"corpus that the model (recipe {content['recipe']}) was not trained on, each with another random mixture of "
        "emotions; recognised as a whole, with the speaker turns, and adapted to each speaker. Each share is that of "
        "an emotion of a speaker, also of emotions that the speaker does not show. In per cent or points: time that is "
        "uncertain; mean error of the shares of sure predictions, of all predictions, and of the estimates; estimates "
        "within 10 points of the truth; true shares within the 90 % interval, of all emotions and of those that the "
        "speaker shows; mean width of the intervals. The estimates use the error rates on the other corpora alone."
    )


def _widths(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return how wide the intervals are, and what intervals without any recording would cover."""
    classes = len({row["emotion"] for row in rows})
    prior = ShareEstimator(np.eye(classes)[np.newaxis]).estimate(np.full(classes, 1 / classes), 0)
    low, high = min(bound.low for bound in prior), max(bound.high for bound in prior)
    widths = np.array([row["high"] - row["low"] for row in rows])
    covered = np.mean([low <= row["truth"] <= high for row in rows])
    quantiles = ", ".join(f"{100 * value:.0f}" for value in np.quantile(widths, [0.1, 0.5, 0.9]))
    return (
        f"Widths in points, 10th, 50th and 90th percentile: {quantiles}; {100 * np.mean(widths > 0.5):.0f} per cent of "
        f"the intervals are wider than 50 points. The interval of the prior, which knows nothing of the recording, is "
        f"from {100 * low:.0f} to {100 * high:.0f} per cent for every emotion, and covers {100 * covered:.0f} per cent "
        "of the true shares."
    )
