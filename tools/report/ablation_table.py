"""`results/ablations.json` and results -> what each part of a recipe is worth: each ablation beside its reference.

The file lists what is an ablation of what; which settings differ is read from the audits beside the predictions.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from overtone.errors import InputError, suggest
from overtone.evaluation.document import Block, Heading, Paragraph, Strong, Table
from overtone.evaluation.oof_files import RunRecord
from overtone.evaluation.report import UNKNOWN
from overtone.recipe import Recipe
from tools.report.oof_results import Result
from tools.report.paired_table import compared, comparison_cells

HEADER = ("Protocol", "Recipe", "What is changed", "Settings", "UAR", "UAR difference", "p", "Pairs", "Verdict")
NUMBERS = frozenset({"UAR", "UAR difference", "p"})
# Of settings that are younger than a file.
DEFAULTS: dict[str, Any] = {**{field.name: field.default for field in fields(Recipe)}, "start": []}
WORDS = (
    "Recipes beside the one in bold that they change in few settings, and how much better or worse they are: what is "
    "lost without a part is what it is worth. Differences, intervals and p are those of the paired tests."
)


@dataclass(frozen=True)
class Ablation:
    """A recipe, the one it is an ablation of, and what it changes, in words."""

    recipe: str
    of: str
    label: str


def read(path: Path) -> tuple[Ablation, ...]:
    """The rows of the file; none where there is no file.

    Raises:
        InputError: the file is damaged; the message names it.
    """
    if not Path(path).is_file():
        return ()
    try:
        return tuple(_ablation(row) for row in json.loads(Path(path).read_text("utf-8"))["rows"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"cannot read ablations from {path}: {error!r}") from error


def without_ablations(results: Sequence[Result], ablations: Sequence[Ablation]) -> list[Result]:
    """The results that are not those of an ablation whose reference was measured in the same setting."""
    there = {(one.setting, one.recipe) for one in results}
    changed = {(setting, row.recipe) for row in ablations for setting, recipe in there if recipe == row.of}
    return [one for one in results if (one.setting, one.recipe) not in changed]


def blocks(results: Sequence[Result], ablations: Sequence[Ablation]) -> list[Block]:
    """A table per group of results, the greatest loss first, and which ablations were not measured."""
    whole = [one for one in results if one.whole]
    tables: dict[str, list[tuple[str, ...]]] = {}
    for reference in whole:
        changes = [
            (one, row)
            for row in ablations
            for one in whole
            if (one.setting, one.recipe, reference.recipe) == (reference.setting, row.recipe, row.of)
        ]
        if changes:
            lines = tables.setdefault(reference.setting.group, [])
            first = (reference.row.protocol, Strong(reference.recipe), "the reference", UNKNOWN)
            lines.append((*first, str(reference.row.scores.uar), *[UNKNOWN] * 4))
            changes.sort(key=lambda change: change[0].row.scores.uar.value)
            lines += [_line(one, reference, row.label) for one, row in changes]
    document: list[Block] = [Paragraph(WORDS)] if tables else []
    for title, lines in tables.items():
        document += [*([Heading(title, level=3)] if title else []), Table(HEADER, tuple(lines), NUMBERS)]
    missing = sorted({row.recipe for row in ablations} - {one.recipe for one in results})
    return [*document, Paragraph(f"Not measured yet: {', '.join(missing)}.")] if missing else document


def changed_settings(reference: RunRecord | None, other: RunRecord | None) -> str:
    """The settings that differ, such as "members 4 → 1; mixup 0.3 → 0.0"."""
    if reference is None or other is None:
        return UNKNOWN
    before, after = (DEFAULTS | one.settings for one in (reference, other))
    keys = [key for key in before | after if key != "name" and before.get(key) != after.get(key)]
    return "; ".join(f"{key} {_shown(before.get(key))} → {_shown(after.get(key))}" for key in keys) or "none"


def _line(one: Result, reference: Result, label: str) -> tuple[str, ...]:
    try:
        cells = comparison_cells(compared(one, reference))
    except InputError:
        cells = (UNKNOWN, UNKNOWN, UNKNOWN, "tested on different clips")
    settings = changed_settings(reference.audits, one.audits)
    return (one.row.protocol, one.recipe, label, settings, str(one.row.scores.uar), *cells)


def _shown(value: Any) -> str:
    if not isinstance(value, list | tuple):
        return UNKNOWN if value is None else str(value)
    return ", ".join("+".join(phase) if isinstance(phase, list | tuple) else str(phase) for phase in value) or "nothing"


def _ablation(row: dict[str, Any]) -> Ablation:
    known = [field.name for field in fields(Ablation)]
    unknown = sorted(row.keys() - set(known))
    if unknown:
        raise InputError(f"no key '{unknown[0]}' in a row{suggest(unknown[0], known)}")
    if not all(isinstance(row.get(key), str) and row[key] for key in known):
        raise InputError(f"the row {row} needs a recipe, what it is an ablation 'of', and a label")
    return Ablation(**row)
