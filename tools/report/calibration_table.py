"""Results -> how far the probabilities of whole models can be taken at their word, as tables and pictures."""

from collections.abc import Sequence

from overtone.evaluation import figures
from overtone.evaluation.calibration import BINS, UNCERTAIN_BELOW, brier, reliability, risk_coverage, selective_accuracy
from overtone.evaluation.document import Block, Heading, Paragraph, Picture, Table
from overtone.evaluation.report import UNKNOWN
from tools.report.oof_results import MAIN, Result, grouped

KINDS = ("reliability", "risk")
HEADER = ("Model", "Protocol", "ECE", "Brier score", "Answered", "Right of those", "Right of all", "Answers")
WORDS = (
    "ECE, the expected calibration error, is the mean distance in points between confidence and the share of right "
    f"answers, over {BINS} bins of confidence; the Brier score is the mean squared distance between probabilities and "
    f"truth, in [0, 2]. 'Answered' is the share of answers with a confidence of {UNCERTAIN_BELOW:.0%} or more, the "
    "others being called uncertain; beside it stands how many of those are right, and how many of all, in per cent. "
    "Answers of all seeds are counted, each being that of one model."
)


def blocks(results: Sequence[Result]) -> list[Block]:
    """A table per group of results, with pictures of our models under the protocol `MAIN`."""
    document: list[Block] = []
    for title, group in grouped([one for one in results if one.whole]).items():
        table = Table(HEADER, tuple(map(_line, group)), numbers=frozenset(HEADER[2:]))
        document += [*([Heading(title, level=3)] if title else []), table]
        drawn = [one for one in group if one.ours and one.setting.tested == MAIN]
        document += [picture for one in drawn for picture in _pictures(one)]
    return [Paragraph(WORDS), *document] if document else []


def _line(one: Result) -> tuple[str, ...]:
    share, right = selective_accuracy(one.predictions, UNCERTAIN_BELOW)
    return (
        one.row.name,
        one.row.protocol,
        f"{100 * reliability(one.predictions).ece:.1f}",
        f"{brier(one.predictions):.3f}",
        f"{100 * share:.1f}",
        f"{100 * right:.1f}" if share else UNKNOWN,
        f"{100 * one.row.scores.wa.value:.1f}",
        str(len(one.predictions)),
    )


def _pictures(one: Result) -> list[Picture]:
    title = f"{one.row.name}, {one.row.protocol}"
    found, (share, right) = reliability(one.predictions), selective_accuracy(one.predictions, UNCERTAIN_BELOW)
    ece = f"ECE {100 * found.ece:.1f}   ·   {found.count.sum()} answers"
    bars = figures.reliability(found.edges, found.count, found.accuracy, title, ece)
    mark, named = (share, 1 - right), f"confidence of {UNCERTAIN_BELOW:.0%} and more"
    curve = figures.risk_coverage(*risk_coverage(one.predictions), mark, named, title)
    drawn = {"reliability": bars, "risk": curve}
    shows = {"reliability": "how often answers are right, by confidence", "risk": "wrong answers, by share answered"}
    return [Picture(f"{one.file_name}-{kind}.png", f"{title}: {shows[kind]}", drawn[kind]) for kind in KINDS]
