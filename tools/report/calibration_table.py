"""Results -> how well the probabilities of full models are calibrated, as tables."""

from collections.abc import Sequence

from overtone.evaluation.calibration import BINS, UNCERTAIN_BELOW, brier, reliability, selective_accuracy
from overtone.evaluation.document import Block, Heading, Paragraph, Table
from overtone.evaluation.report import UNKNOWN
from tools.report.oof_results import Result, group_by_title

HEADER = ("Model", "Protocol", "ECE", "Brier score", "Coverage", "Selective accuracy", "Accuracy", "Predictions")
INTRODUCTION = (
    "ECE, the expected calibration error, is the mean distance in points between confidence and accuracy, over "
    f"{BINS} bins of confidence; the Brier score is the mean squared distance between probabilities and truth, in "
    f"[0, 2]. Coverage is the share of predictions with a confidence of {UNCERTAIN_BELOW:.0%} or more, the others "
    "being labelled uncertain; selective accuracy is the accuracy of the covered predictions, in per cent. Predictions "
    "of all seeds are counted, each from one model."
)


def blocks(results: Sequence[Result]) -> list[Block]:
    """Return a table per group of results; an empty list where there is no full model."""
    document: list[Block] = []
    for title, group in group_by_title(result for result in results if result.is_full_model).items():
        table = Table(HEADER, tuple(map(_line, group)), numbers=frozenset(HEADER[2:]))
        document += [*([Heading(title, level=3)] if title else []), table]
    return [Paragraph(INTRODUCTION), *document] if document else []


def _line(result: Result) -> tuple[str, ...]:
    coverage, accuracy = selective_accuracy(result.predictions, UNCERTAIN_BELOW)
    return (
        result.row.name,
        result.row.protocol,
        f"{100 * reliability(result.predictions).ece:.1f}",
        f"{brier(result.predictions):.3f}",
        f"{100 * coverage:.1f}",
        f"{100 * accuracy:.1f}" if coverage else UNKNOWN,
        f"{100 * result.row.scores.wa.value:.1f}",
        str(len(result.predictions)),
    )
