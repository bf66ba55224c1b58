"""The paper's published accuracies next to the rebuilt models, on single and on duplicated clips.

Where the rebuilt models fall short on single clips, the table adds one with a single change.
"""

from collections.abc import Mapping

from overtone.datatypes import Score
from overtone.evaluation.document import Block, Paragraph, Table
from overtone.evaluation.report import UNKNOWN, ScoreRow, audit_cells
from tools.report.oof_results import DUPLICATED_CONDITION, PAPER_CONDITION, PAPER_RECIPE, EvaluationCondition
from tools.report.published_results import PublishedResult, drop_empty_columns

PAPER_PARTS = ("mel", "prosody", "fusion")
# Part of the paper's model -> the recipe that changes one thing about it.
SINGLE_CHANGES = {"prosody": "paper-contour-prosody", "fusion": "paper-dense-fusion"}
HEADER = (
    *("Part", "Published", "Rebuilt, WA", "Clip overlap", "Every clip twice, WA", "Clip overlap, twice"),
    *("With a single change, WA", "Change"),
)
METHOD = (
    "Under the paper's own splits, including their leaks: the fusion is tested on clips that its branches were trained "
    "on. In the columns 'twice', the phases of prosody and fusion split 2880 clips, as the usual archive holds every "
    "clip twice: copies of test clips are in the training set. Clip overlap is the share of test clips that the part "
    "was trained on; of the fusion, that any part was. Accuracy in per cent, mean over seeds with the 95 % interval "
    "over speakers."
)
Rows = Mapping[tuple[EvaluationCondition, str, str], ScoreRow]


def blocks(rows: Rows, published: Mapping[str, PublishedResult], changes: Mapping[str, str]) -> list[Block]:
    """Return the table and its method; an empty list where no part was rebuilt.

    Args:
        rows: (condition, recipe, part) -> its scores, under protocols `paper` and `paper-duplicated`.
        published: part -> the published result.
        changes: recipe -> its difference from the paper's, in words.
    """
    parts = [part for part in PAPER_PARTS if part in published and (PAPER_CONDITION, PAPER_RECIPE, part) in rows]
    lines = tuple(_line(part, rows, published[part], changes) for part in parts)
    return [drop_empty_columns(Table(HEADER, lines)), Paragraph(METHOD)] if lines else []


def _line(part: str, rows: Rows, published: PublishedResult, changes: Mapping[str, str]) -> tuple[str, ...]:
    target, recipe = published.sort_value, SINGLE_CHANGES.get(part, "")
    rebuilt = rows[PAPER_CONDITION, PAPER_RECIPE, part]
    changed: tuple[str, str] = (UNKNOWN, UNKNOWN)
    if 100 * rebuilt.scores.wa.value < target and (PAPER_CONDITION, recipe, part) in rows:
        accuracy = rows[PAPER_CONDITION, recipe, part].scores.wa
        changed = (_with_gap(accuracy, target), f"{recipe}: {changes.get(recipe, UNKNOWN)}")
    twice = rows.get((DUPLICATED_CONDITION, PAPER_RECIPE, part))
    return (part, published.short_text, *_cells(rebuilt, target), *_cells(twice, target), *changed)


def _cells(row: ScoreRow | None, published_percent: float) -> tuple[str, str]:
    """Return the accuracy with its gap to the published one, and the share of test clips that were trained on."""
    if row is None:
        return UNKNOWN, UNKNOWN
    return _with_gap(row.scores.wa, published_percent), audit_cells(row.audit)[0]


def _with_gap(accuracy: Score, published_percent: float) -> str:
    """Return an accuracy in per cent and its gap to the published one."""
    gap = published_percent - 100 * accuracy.value
    return f"{accuracy} ({'reached' if gap <= 0 else f'{gap:.1f} below'})"
