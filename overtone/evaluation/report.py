"""Scores, audits, histories and pictures -> a report: `report.md` with `figures/`, and `report.html` all in one file.

The tables are functions of rows, so that a run folder, the rebuilt paper and `docs/results.md` show scores alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from overtone._internal.atomic_write import write_bytes, write_text
from overtone.datatypes import LeakAudit, Scores
from overtone.evaluation.document import Block, Heading, Paragraph, Picture, Strong, Table, to_html, to_markdown

UNKNOWN = "–"


@dataclass(frozen=True)
class ScoreRow:
    """One model under one protocol.

    Attributes:
        name: of the model, such as "paper recipe, fusion".
        protocol: name of the protocol.
        scores: of its out-of-fold predictions.
        audit: what test sides shared with trainings, summed over folds and seeds; None where it was not kept.
        published: what somebody else reported of this model, such as "90.3 accuracy"; "" for nothing.
    """

    name: str
    protocol: str
    scores: Scores
    audit: LeakAudit | None = None
    published: str = ""


@dataclass(frozen=True)
class Report:
    """What a report shows, in this order.

    Attributes:
        title: headline.
        paragraphs: what was done, in words.
        rows: one per model and protocol.
        pictures: figures.
    """

    title: str
    paragraphs: tuple[str, ...] = ()
    rows: tuple[ScoreRow, ...] = ()
    pictures: tuple[Picture, ...] = ()


def write(report: Report, folder: Path) -> tuple[Path, Path]:
    """Writes `report.md`, `report.html` and `figures/*.png`, each whole or not at all; returns the two reports' paths.

    Raises:
        OvertoneError: a file cannot be written.
    """
    folder, shown = Path(folder), blocks(report)
    for picture in report.pictures:
        write_bytes(folder / "figures" / picture.name, picture.png)
    markdown, page = folder / "report.md", folder / "report.html"
    write_text(markdown, to_markdown(shown))
    write_text(page, to_html(shown, report.title))
    return markdown, page


def blocks(report: Report) -> list[Block]:
    """The report as a document."""
    document: list[Block] = [Heading(report.title, level=1), *map(Paragraph, report.paragraphs)]
    if report.rows:
        document += [Heading("Scores"), score_table(report.rows), Paragraph(how_to_read(report.rows))]
        document += [Heading("Best and worst class"), extremes_table(report.rows)]
    if report.pictures:
        document += [Heading("Figures"), *report.pictures]
    if report.rows:
        document.append(Heading("Per class"))
    for row in report.rows:
        document += [Heading(f"{row.name} ({row.protocol})", level=3), class_table(row.scores)]
    return document


def score_table(rows: Sequence[ScoreRow], strong: Sequence[ScoreRow] = ()) -> Table:
    """UAR, WA and macro-F1 with intervals, what they were measured on, and the leak audit, a line per row.

    Args:
        rows: what to show.
        strong: rows whose name and UAR stand out.
    """
    header = ["Model", "Protocol", "UAR", "WA", "Macro-F1", "Clips", "Speakers", "Seeds"]
    header += ["Test clips trained on", "Speakers trained on", "Sentences trained on"]
    published = any(row.published for row in rows)
    lines = []
    for row in rows:
        s, mark = row.scores, Strong if any(row is one for one in strong) else str
        line = [mark(row.name), row.protocol, mark(s.uar), str(s.wa), str(s.macro_f1)]
        line += [str(s.n // s.seeds), str(s.speakers or UNKNOWN), seeds_shown(s), *audit_cells(row.audit)]
        lines.append((*line, *([row.published or UNKNOWN] if published else [])))
    header += ["Published"] if published else []
    return Table(tuple(header), tuple(lines), numbers=frozenset(header) - {"Model", "Protocol", "Published"})


def extremes_table(rows: Sequence[ScoreRow]) -> Table:
    """The emotion that each model recognises best and the one it recognises worst, by recall."""
    lines = []
    for row in rows:
        recalls = {name: one.recall for name, one in row.scores.classes.items() if one.support}
        best, worst = max(recalls, key=recalls.__getitem__), min(recalls, key=recalls.__getitem__)
        shown = (f"{name} ({100 * recalls[name]:.1f})" for name in (best, worst))
        lines.append((row.name, row.protocol, *shown))
    return Table(("Model", "Protocol", "Best class (recall)", "Worst class (recall)"), tuple(lines))


def class_table(scores: Scores) -> Table:
    """Precision, recall and F1 in per cent, and support, of each emotion."""
    header = ("Emotion", "Precision", "Recall", "F1", "Support")
    lines = [
        (name, *(f"{100 * value:.1f}" for value in (one.precision, one.recall, one.f1)), str(one.support))
        for name, one in scores.classes.items()
    ]
    return Table(header, tuple(lines), numbers=frozenset(header[1:]))


def audit_cells(audit: LeakAudit | None) -> tuple[str, str, str]:
    """How much of the test side was trained on: clips, speakers and sentences in per cent."""
    if audit is None:
        return (UNKNOWN, UNKNOWN, UNKNOWN)
    clips = _share(audit.seen_clips, audit.test_clips)
    speakers = _share(audit.shared_speakers, audit.test_speakers)
    return clips, speakers, _share(audit.shared_sentences, audit.test_sentences)


def seeds_shown(scores: Scores) -> str:
    """Number of seeds and, of several, the standard deviation of the UAR between them, in points."""
    return f"{scores.seeds} (±{100 * scores.seed_spread:.1f})" if scores.seeds > 1 else str(scores.seeds)


def how_to_read(rows: Sequence[ScoreRow]) -> str:
    """What the columns of `score_table` mean, true to these rows."""
    over = sorted({row.scores.interval_over for row in rows})
    text = (
        f"All rates in per cent. UAR is the mean recall of the classes, WA the accuracy; in brackets the 95 % interval "
        f"by bootstrap over {' or '.join(over)}. Figures are means over the seeds; beside their number stands the "
        f"standard deviation of the UAR. Clips are those tested with each seed, all folds together, and so is "
        f"the UAR. The last columns say which share of the test clips, of their speakers and of "
        f"their sentences any part of the model was trained on, validation included."
    )
    if "clips" in over:
        names = ", ".join(row.name for row in rows if row.scores.interval_over == "clips")
        text += f" Intervals over clips are too narrow, but speakers are unknown, or only one, for: {names}."
    return text


def _share(part: int, whole: int) -> str:
    """Per cent, never rounded to none or to all."""
    if not whole:
        return UNKNOWN
    per_cent = 100 * part / whole
    if 0 < per_cent < 0.5:
        return "< 1 %"
    return "> 99 %" if 99.5 <= per_cent < 100 else f"{per_cent:.0f} %"
