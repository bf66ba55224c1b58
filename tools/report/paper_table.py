"""The paper's published accuracies next to the rebuilt models and, where those fall short, a single change to them."""

from collections.abc import Mapping

from overtone.datatypes import Score
from overtone.evaluation.document import Block, Paragraph, Table
from overtone.evaluation.report import UNKNOWN
from tools.report.oof_results import PAPER_RECIPE
from tools.report.published_results import PublishedResult

PAPER_PARTS = ("mel", "prosody", "fusion")
# Part of the paper's model -> the recipe that changes one thing about it.
SINGLE_CHANGES = {"prosody": "paper-contour-prosody", "fusion": "paper-dense-fusion"}
HEADER = ("Part", "Published", "Rebuilt, WA", "With a single change, WA", "Change")
METHOD = (
    "Under the paper's own split, including its leak: the fusion is tested on clips that its branches were trained on. "
    "Accuracy in per cent, mean over seeds with the 95 % interval over speakers."
)


def blocks(
    accuracies: Mapping[tuple[str, str], Score],
    published: Mapping[str, PublishedResult],
    changes: Mapping[str, str],
) -> list[Block]:
    """Return the table and its method; an empty list where no part was rebuilt.

    Args:
        accuracies: (recipe, part) -> accuracy under protocol `paper`, in [0, 1].
        published: part -> the published result.
        changes: recipe -> its difference from the paper's, in words.
    """
    parts = [part for part in PAPER_PARTS if part in published and (PAPER_RECIPE, part) in accuracies]
    lines = tuple(_line(part, accuracies, published[part], changes) for part in parts)
    return [Table(HEADER, lines), Paragraph(METHOD)] if lines else []


def _line(
    part: str,
    accuracies: Mapping[tuple[str, str], Score],
    published: PublishedResult,
    changes: Mapping[str, str],
) -> tuple[str, ...]:
    rebuilt, recipe = accuracies[PAPER_RECIPE, part], SINGLE_CHANGES.get(part, "")
    changed: tuple[str, str] = (UNKNOWN, UNKNOWN)
    if 100 * rebuilt.value < published.sort_value and (recipe, part) in accuracies:
        changed = (
            _with_gap(accuracies[recipe, part], published.sort_value),
            f"{recipe}: {changes.get(recipe, UNKNOWN)}",
        )
    return (part, published.short_text, _with_gap(rebuilt, published.sort_value), *changed)


def _with_gap(accuracy: Score, published_percent: float) -> str:
    """Return an accuracy in per cent and its gap to the published one."""
    gap = published_percent - 100 * accuracy.value
    return f"{accuracy} ({'reached' if gap <= 0 else f'{gap:.1f} below'})"
