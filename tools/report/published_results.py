"""`results/anchors.json` -> the ladder: what others reported, protocol by protocol, with our rows among them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from overtone.errors import InputError, suggest
from overtone.evaluation.document import Strong, Table
from overtone.evaluation.report import UNKNOWN, audit_cells
from tools.report.oof_results import PAPER, EvaluationCondition, Result, setting_named


@dataclass(frozen=True)
class PublishedResult:
    """One line of a ladder.

    Attributes:
        system: what was measured.
        source: where the figure stands.
        uar: UAR in per cent as quoted, such as "46.7 [43.8, 49.9]"; "" where not reported.
        wa: accuracy, likewise.
        macro_f1: likewise.
        note: what must be known to read the figure.
        part: "mel", "prosody" or "fusion" where the system is the published form of one of our parts.
        clips_seen: share of the test clips that were trained on; "" where not known.
        speakers_seen: share of the test speakers, likewise.
        measured: recipe under which the same system is measured here; where it was, that row stands instead.
        ours: whether it is a model of ours.
    """

    system: str
    source: str
    uar: str = ""
    wa: str = ""
    macro_f1: str = ""
    note: str = ""
    part: str = ""
    clips_seen: str = ""
    speakers_seen: str = ""
    measured: str = ""
    ours: bool = False

    @property
    def shown(self) -> str:
        """The figure in a few words, such as "59.7 WA"."""
        return f"{self.uar} UAR" if self.uar else f"{self.wa} WA"

    @property
    def rank(self) -> float:
        """The number to sort by: UAR, or WA where only that is known."""
        number = re.match(r"[\d.]+", self.uar or self.wa)
        return float(number.group()) if number else 0.0


@dataclass(frozen=True)
class Section:
    """A setting with its title, what it means, and the figures reported under it."""

    setting: EvaluationCondition
    title: str
    text: str
    rows: tuple[PublishedResult, ...]


def read(path: Path) -> tuple[Section, ...]:
    """The sections of an anchors file; none where there is no file.

    Raises:
        InputError: the file is damaged; the message names it and the row.
    """
    if not Path(path).is_file():
        return ()
    try:
        held = json.loads(Path(path).read_text("utf-8"))
        return tuple(
            Section(setting_named(one["protocol"]), one["title"], one["text"], tuple(map(_anchor, one["rows"])))
            for one in held["sections"]
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"cannot read figures of others from {path}: {error!r}") from error


def published(sections: Sequence[Section]) -> dict[str, PublishedResult]:
    """Part -> what the paper reports of it."""
    rows = (row for section in sections if section.setting == PAPER for row in section.rows)
    return {row.part: row for row in rows if row.part}


def ladder(section: Section, results: Sequence[Result]) -> Table:
    """The figures of others and ours in one table, the lowest first; our models stand out.

    Args:
        section: figures of others; those of systems that were measured here give way.
        results: ours, of the same setting.
    """
    here = {one.recipe for one in results}
    others = [row for row in section.rows if row.measured not in here]
    return _table([*others, *map(_of_result, results)])


def _of_result(one: Result) -> PublishedResult:
    clips, speakers, _ = audit_cells(one.row.audit)
    s = one.row.scores
    note = f"mean of {s.seeds} seeds" if s.seeds > 1 else "one seed"
    return PublishedResult(
        one.row.name,
        one.source,
        uar=str(s.uar),
        wa=str(s.wa),
        macro_f1=str(s.macro_f1),
        note=note,
        clips_seen=clips,
        speakers_seen=speakers,
        ours=not one.baseline,
    )


def _table(lines: Sequence[PublishedResult]) -> Table:
    header = ("System", "UAR", "WA", "Macro-F1", "Test clips trained on", "Speakers trained on", "Note", "Source")
    rows = []
    for one in sorted(lines, key=lambda line: line.rank):
        mark = Strong if one.ours else str
        known = (one.wa, one.macro_f1, one.clips_seen, one.speakers_seen)
        cells = (mark(one.system), mark(one.uar or UNKNOWN), *(cell or UNKNOWN for cell in known))
        rows.append((*cells, one.note, one.source))
    empty = {i for i, name in enumerate(header) if all(row[i] in ("", UNKNOWN) for row in rows)}
    kept = [i for i in range(len(header)) if i not in empty]
    shown = tuple(tuple(row[i] for i in kept) for row in rows)
    return Table(tuple(header[i] for i in kept), shown, numbers=frozenset(header[1:6]))


def _anchor(row: Mapping[str, Any]) -> PublishedResult:
    row = dict(row)
    low, high = row.pop("uar_low", None), row.pop("uar_high", None)
    known = {field.name for field in fields(PublishedResult)} - {"ours", "clips_seen", "speakers_seen"}
    unknown = sorted(row.keys() - known)
    if unknown:
        raise InputError(f"no key '{unknown[0]}' in a row{suggest(unknown[0], known)}")
    texts: dict[str, Any] = {
        name: f"{value:.1f}" if isinstance(value, int | float) else str(value) for name, value in row.items()
    }
    if low is not None and high is not None:
        texts["uar"] += f" [{low:.1f}, {high:.1f}]"
    if not texts.get("source") or not (texts.get("uar") or texts.get("wa")):
        raise InputError(f"the row {row} needs a source and a figure")
    return PublishedResult(**texts)
