"""`results/ablations.json` and results -> the contribution of each part of a recipe: ablations next to their reference.

The file lists the ablations and their references; the settings that differ are read from the run records.
"""

import json
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from overtone.errors import InputError, suggest
from overtone.evaluation.document import Block, Heading, Paragraph, Strong, Table
from overtone.evaluation.oof_files import RunRecord
from overtone.evaluation.report import UNKNOWN
from overtone.recipe import Recipe
from tools.report.oof_results import Result
from tools.report.paired_table import compare, comparison_cells

HEADER = ("Protocol", "Recipe", "Change", "Settings", "UAR", "UAR difference", "p", "Pairs", "Verdict")
NUMBERS = frozenset({"UAR", "UAR difference", "p"})
# Values of settings that did not exist yet when a record was written.
DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Recipe) if field.default is not MISSING}
DEFAULTS |= {"init_corpora": []}
INTRODUCTION = (
    "Each reference recipe, in bold, with the recipes that differ from it in a few settings. The difference to the "
    "reference is the contribution of the changed part. Differences, intervals and p as in the paired tests."
)


@dataclass(frozen=True)
class Ablation:
    """A recipe, its reference recipe, and the difference in words."""

    recipe: str
    reference: str
    change: str


def read(path: Path) -> tuple[Ablation, ...]:
    """Return the rows of the file; an empty tuple where there is no file.

    Raises:
        InputError: the file is damaged; the message names it.
    """
    if not Path(path).is_file():
        return ()
    try:
        return tuple(_parse_row(row) for row in json.loads(Path(path).read_text("utf-8"))["rows"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"cannot read ablations from {path}: {error!r}") from error


def without_ablations(results: Sequence[Result], ablations: Sequence[Ablation]) -> list[Result]:
    """Return the results without ablations whose reference was measured under the same condition."""
    measured = {(result.condition, result.recipe) for result in results}
    excluded = {
        (condition, row.recipe) for row in ablations for condition, recipe in measured if recipe == row.reference
    }
    return [result for result in results if (result.condition, result.recipe) not in excluded]


def blocks(results: Sequence[Result], ablations: Sequence[Ablation]) -> list[Block]:
    """Return a table per group of results, the greatest loss first, and the names of unmeasured ablations."""
    full_models = [result for result in results if result.is_full_model]
    tables: dict[str, list[tuple[str, ...]]] = {}
    for reference in full_models:
        changes = [
            (result, row)
            for row in ablations
            for result in full_models
            if row.reference == reference.recipe and row.recipe == result.recipe
            if result.condition == reference.condition
        ]
        if changes:
            lines = tables.setdefault(reference.condition.group_title, [])
            start = (reference.row.protocol, Strong(reference.recipe), "reference", UNKNOWN)
            lines.append((*start, str(reference.row.scores.uar), *[UNKNOWN] * 4))
            changes.sort(key=lambda change: change[0].row.scores.uar.value)
            lines += [_line(result, reference, row.change) for result, row in changes]
    document: list[Block] = [Paragraph(INTRODUCTION)] if tables else []
    for title, lines in tables.items():
        document += [*([Heading(title, level=3)] if title else []), Table(HEADER, tuple(lines), NUMBERS)]
    missing = sorted({row.recipe for row in ablations} - {result.recipe for result in results})
    return [*document, Paragraph(f"Not measured yet: {', '.join(missing)}.")] if missing else document


def changed_settings(reference: RunRecord | None, other: RunRecord | None) -> str:
    """Return the settings that differ, such as "members 4 → 1; mixup 0.3 → 0.0"."""
    if reference is None or other is None:
        return UNKNOWN
    before, after = (_flatten(DEFAULTS | record.settings) for record in (reference, other))
    keys = [key for key in before | after if key != "name" and before.get(key) != after.get(key)]
    return "; ".join(f"{key} {_to_text(before.get(key))} → {_to_text(after.get(key))}" for key in keys) or "none"


def _flatten(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with one entry per branch, such as "mel", instead of the dictionary "branches"."""
    branches = settings.get("branches")
    if not isinstance(branches, dict):
        return settings
    return {key: value for key, value in settings.items() if key != "branches"} | branches


def _line(result: Result, reference: Result, change: str) -> tuple[str, ...]:
    try:
        cells = comparison_cells(compare(result, reference))
    except InputError:
        cells = (UNKNOWN, UNKNOWN, UNKNOWN, "different test clips")
    settings = changed_settings(reference.record, result.record)
    return (result.row.protocol, result.recipe, change, settings, str(result.row.scores.uar), *cells)


def _to_text(value: Any) -> str:
    if not isinstance(value, list | tuple):
        return UNKNOWN if value is None else str(value)
    return ", ".join("+".join(phase) if isinstance(phase, list | tuple) else str(phase) for phase in value) or "none"


def _parse_row(row: dict[str, Any]) -> Ablation:
    keys = [field.name for field in fields(Ablation)]
    unknown = sorted(row.keys() - set(keys))
    if unknown:
        raise InputError(f"no key '{unknown[0]}' in a row{suggest(unknown[0], keys)}")
    if not all(isinstance(row.get(key), str) and row[key] for key in keys):
        raise InputError(f"the row {row} needs the keys {', '.join(keys)}")
    return Ablation(**row)
