"""The paper's own figures beside our faithful rebuild and, where that stays under, beside a single change of it."""

from collections.abc import Mapping

from overtone.datatypes import Score
from overtone.evaluation.document import Block, Paragraph, Table
from overtone.evaluation.report import UNKNOWN
from overtone.recipe import PARTS
from tools.report.published_results import PublishedResult

FAITHFUL = "paper"
# Part of the paper -> the recipe that changes one thing of it, and what it changes.
SINGLE_CHANGES = {
    "prosody": ("contours", "contours of any length, and where pitch is missing, instead of one padded vector"),
    "fusion": ("dense", "fusion of the first dense layer of the CNN instead of its flattened last convolution"),
}
HEADER = ("Part", "Published", "Rebuilt, WA", "With a single change, WA", "The change")
WORDS = (
    "Under the paper's own split, with its leak: the fusion is tested on clips that its parts were trained on. "
    "Accuracy in per cent, mean over seeds with the 95 % interval over speakers."
)


def blocks(accuracies: Mapping[tuple[str, str], Score], published: Mapping[str, PublishedResult]) -> list[Block]:
    """The table and what it means; nothing where nothing was rebuilt.

    Args:
        accuracies: (recipe, part) -> accuracy under protocol `paper`, in [0, 1].
        published: part -> what the paper reports.
    """
    parts = [part for part in PARTS if part in published and (FAITHFUL, part) in accuracies]
    lines = tuple(_line(part, accuracies, published[part]) for part in parts)
    return [Table(HEADER, lines), Paragraph(WORDS)] if lines else []


def _line(part: str, accuracies: Mapping[tuple[str, str], Score], published: PublishedResult) -> tuple[str, ...]:
    faithful = accuracies[FAITHFUL, part]
    recipe, change = SINGLE_CHANGES.get(part, ("", ""))
    changed: tuple[str, str] = (UNKNOWN, UNKNOWN)
    if 100 * faithful.value < published.rank and (recipe, part) in accuracies:
        changed = (_beside(accuracies[recipe, part], published.rank), f"{recipe}: {change}")
    return (part, published.shown, _beside(faithful, published.rank), *changed)


def _beside(found: Score, goal: float) -> str:
    """A figure and whether it reaches the published one, in per cent."""
    short = goal - 100 * found.value
    return f"{found} ({'reached' if short <= 0 else f'{short:.1f} short'})"
