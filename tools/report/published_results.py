"""`results/published_results.json` -> the published scores of each protocol, with own results among them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from overtone.errors import InputError, suggest
from overtone.evaluation.document import Strong, Table
from overtone.evaluation.report import UNKNOWN, audit_cells
from tools.report.oof_results import PAPER_CONDITION, EvaluationCondition, Result, parse_condition

HEADER = ("System", "UAR", "WA", "Macro-F1", "Clip overlap", "Speaker overlap", "Note", "Source")


@dataclass(frozen=True)
class PublishedResult:
    """One row of a table of published and own results.

    Attributes:
        system: name of the system.
        source: where the scores were published.
        uar: UAR in per cent as quoted, such as "46.7 [43.8, 49.9]"; "" where not reported.
        wa: accuracy, likewise.
        macro_f1: likewise.
        note: conditions that a reader needs to know.
        part: "mel", "prosody" or "fusion" where the system is the published form of one of the rebuilt parts.
        clip_overlap: share of the test clips that were trained on; "" where not known.
        speaker_overlap: share of the test speakers, likewise.
        replaced_by: recipe in `results/oof` that measures the same system; where it was measured, its row is shown.
        is_own: whether it is a model of this project.
    """

    system: str
    source: str
    uar: str = ""
    wa: str = ""
    macro_f1: str = ""
    note: str = ""
    part: str = ""
    clip_overlap: str = ""
    speaker_overlap: str = ""
    replaced_by: str = ""
    is_own: bool = False

    @property
    def short_text(self) -> str:
        """The main score, such as "59.7 WA"."""
        return f"{self.uar} UAR" if self.uar else f"{self.wa} WA"

    @property
    def sort_value(self) -> float:
        """The UAR in per cent, or the WA where only that is known."""
        number = re.match(r"[\d.]+", self.uar or self.wa)
        return float(number.group()) if number else 0.0


@dataclass(frozen=True)
class Section:
    """An evaluation condition with its title, its description and the results published under it."""

    condition: EvaluationCondition
    title: str
    text: str
    rows: tuple[PublishedResult, ...]


def read(path: Path) -> tuple[Section, ...]:
    """Return the sections of the file; an empty tuple where there is no file.

    Raises:
        InputError: the file is damaged; the message names it and the row.
    """
    if not Path(path).is_file():
        return ()
    try:
        content = json.loads(Path(path).read_text("utf-8"))
        return tuple(
            Section(
                parse_condition(section["protocol"]),
                section["title"],
                section["text"],
                tuple(map(_parse_row, section["rows"])),
            )
            for section in content["sections"]
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"cannot read published results from {path}: {error!r}") from error


def paper_results(sections: Sequence[Section]) -> dict[str, PublishedResult]:
    """Return part -> the result that the paper reports for it."""
    rows = (row for section in sections if section.condition == PAPER_CONDITION for row in section.rows)
    return {row.part: row for row in rows if row.part}


def comparison_table(section: Section, results: Sequence[Result]) -> Table:
    """Return published and own results in one table, the lowest first; own models are bold.

    Args:
        section: published results; those of systems that were measured here are left out.
        results: own results under the same condition.
    """
    recipes = {result.recipe for result in results}
    published = [row for row in section.rows if row.replaced_by not in recipes]
    return _table([*published, *map(_from_result, results)])


def _from_result(result: Result) -> PublishedResult:
    clips, speakers, _ = audit_cells(result.row.audit)
    scores = result.row.scores
    return PublishedResult(
        result.row.name,
        result.source,
        uar=str(scores.uar),
        wa=str(scores.wa),
        macro_f1=str(scores.macro_f1),
        note=f"mean of {scores.seeds} seeds" if scores.seeds > 1 else "one seed",
        clip_overlap=clips,
        speaker_overlap=speakers,
        is_own=not result.baseline,
    )


def _table(rows: Sequence[PublishedResult]) -> Table:
    lines = []
    for row in sorted(rows, key=lambda row: row.sort_value):
        mark = Strong if row.is_own else str
        scores = (row.wa, row.macro_f1, row.clip_overlap, row.speaker_overlap)
        cells = (mark(row.system), mark(row.uar or UNKNOWN), *(cell or UNKNOWN for cell in scores))
        lines.append((*cells, row.note, row.source))
    return drop_empty_columns(Table(HEADER, tuple(lines), numbers=frozenset(HEADER[1:6])))


def drop_empty_columns(table: Table) -> Table:
    """Return the table without the columns that hold no value in any row."""
    shown = [i for i in range(len(table.header)) if any(row[i] not in ("", UNKNOWN) for row in table.rows)]
    rows = tuple(tuple(row[i] for i in shown) for row in table.rows)
    return Table(tuple(table.header[i] for i in shown), rows, table.numbers)


def _parse_row(row: Mapping[str, Any]) -> PublishedResult:
    row = dict(row)
    low, high = row.pop("uar_low", None), row.pop("uar_high", None)
    keys = {field.name for field in fields(PublishedResult)} - {"is_own", "clip_overlap", "speaker_overlap"}
    unknown = sorted(row.keys() - keys)
    if unknown:
        raise InputError(f"no key '{unknown[0]}' in a row{suggest(unknown[0], keys)}")
    texts: dict[str, Any] = {
        name: f"{value:.1f}" if isinstance(value, int | float) else str(value) for name, value in row.items()
    }
    if low is not None and high is not None:
        texts["uar"] += f" [{low:.1f}, {high:.1f}]"
    if not texts.get("source") or not (texts.get("uar") or texts.get("wa")):
        raise InputError(f"the row {row} needs a source and a score")
    return PublishedResult(**texts)
