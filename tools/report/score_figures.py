"""Results -> the figures of the results pages: recall, confusion, reliability and risk-coverage.

Only the results listed in `FIGURES` are drawn, so that the repository stays small.
"""

from collections.abc import Callable, Sequence

from overtone.evaluation import figures
from overtone.evaluation.calibration import UNCERTAIN_BELOW, reliability, risk_coverage, selective_accuracy
from overtone.evaluation.document import Picture
from tools.report.oof_results import BUNDLED_RECIPES, MEMBER_PART, PAPER_RECIPE, Result

KINDS = ("recall", "confusion", "reliability", "risk")  # ends of the file names
POOLED_RECIPE, MAIN_RECIPE = BUNDLED_RECIPES["overtone"]
# (condition, recipe) -> kinds of figures.
FIGURES: dict[tuple[str, str], tuple[str, ...]] = {
    ("luna5", MAIN_RECIPE): KINDS,
    ("emobox6", MAIN_RECIPE): ("recall", "confusion"),
    ("luna5/adapted", MAIN_RECIPE): ("recall", "confusion"),
    ("luna5", PAPER_RECIPE): ("confusion",),
    ("paper", PAPER_RECIPE): ("confusion",),
}
# Kind and recipe of a figure -> recipe and condition that it shows as well: here, how much harder unseen corpora are.
ADDED = {("risk", MAIN_RECIPE): (POOLED_RECIPE, "unseen-corpus")}


def draw_figures(results: Sequence[Result], recipe: str) -> list[Picture]:
    """Return the figures of a recipe, as far as it was measured."""
    pictures: list[Picture] = []
    for (condition, name), kinds in FIGURES.items():
        parts = _of(results, name, condition)
        if name == recipe and any(result.is_full_model for result in parts):
            pictures += [DRAW[kind](parts + _added(results, kind, name)) for kind in kinds]
    return pictures


def _added(results: Sequence[Result], kind: str, recipe: str) -> list[Result]:
    return _of(results, *ADDED[kind, recipe]) if (kind, recipe) in ADDED else []


def _of(results: Sequence[Result], recipe: str, condition: str) -> list[Result]:
    return [result for result in results if result.recipe == recipe and str(result.condition) == condition]


def _draw_recall(parts: Sequence[Result]) -> Picture:
    """Recall of the full model and its branches."""
    full = _full_model(parts)
    title = f"{full.recipe} recipe, {full.condition}: recall"
    branches = [result for result in parts if not result.is_full_model and result.part != MEMBER_PART]
    scores = {result.part: result.row.scores for result in (*branches, full)}
    return Picture(f"{full.file_stem}-recall.png", f"{title} per emotion", figures.recalls(scores, title))


def _draw_confusion(parts: Sequence[Result]) -> Picture:
    full = _full_model(parts)
    title = _title(full)
    png = figures.confusion(full.row.scores, title)
    return Picture(f"{full.file_stem}-confusion.png", f"{title}: confusion matrix", png)


def _draw_reliability(parts: Sequence[Result]) -> Picture:
    full = _full_model(parts)
    bins = reliability(full.predictions)
    ece = f"ECE {100 * bins.ece:.1f}   ·   {bins.count.sum()} predictions"
    png = figures.reliability(bins.edges, bins.count, bins.accuracy, _title(full), ece)
    return Picture(f"{full.file_stem}-reliability.png", f"{_title(full)}: accuracy by confidence", png)


def _draw_risk(parts: Sequence[Result]) -> Picture:
    """Risk-coverage curves of the full model; with several conditions, speakers of known and of unseen corpora."""
    full, curves = _full_model(parts), {}
    for result in (result for result in parts if result.is_full_model):
        coverage, accuracy = selective_accuracy(result.predictions, UNCERTAIN_BELOW)
        label = f"confidence of {UNCERTAIN_BELOW:.0%} or more"
        curve = figures.RiskCurve(*risk_coverage(result.predictions), (coverage, 1 - accuracy), label)
        curves[str(result.condition)] = curve
    title = _title(full) if len(curves) == 1 else f"{full.row.name}: known and unseen corpora"
    return Picture(
        f"{full.file_stem}-risk.png", f"{title}: error rate by coverage", figures.risk_coverage(curves, title)
    )


def _full_model(parts: Sequence[Result]) -> Result:
    return next(result for result in parts if result.is_full_model)


def _title(result: Result) -> str:
    return f"{result.row.name}, {result.row.protocol}"


DRAW: dict[str, Callable[[Sequence[Result]], Picture]] = {
    "recall": _draw_recall,
    "confusion": _draw_confusion,
    "reliability": _draw_reliability,
    "risk": _draw_risk,
}
