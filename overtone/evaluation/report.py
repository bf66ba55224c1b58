"""Reports of scores, leak audits and figures: `report.md` with `figures/`, and a self-contained `report.html`.

The tables are functions of rows: run folders, the reproduction of the paper and `docs/results.md` share one layout.
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
    """The scores of one model under one protocol.

    Attributes:
        name: name of the model, such as "paper recipe, fusion".
        protocol: name of the protocol.
        scores: scores of its out-of-fold predictions.
        audit: leak audit of all folds and seeds; None if unknown.
        published: a published score of this model, such as "90.3 accuracy"; "" for none.
    """

    name: str
    protocol: str
    scores: Scores
    audit: LeakAudit | None = None
    published: str = ""

    @property
    def part(self) -> str:
        """The part of the model, the last word of its name."""
        return self.name.rpartition(" ")[2]


@dataclass(frozen=True)
class Report:
    """The content of a report, in this order.

    Attributes:
        title: title of the report.
        paragraphs: description of the experiment.
        rows: one row per model and protocol.
        pictures: figures.
    """

    title: str
    paragraphs: tuple[str, ...] = ()
    rows: tuple[ScoreRow, ...] = ()
    pictures: tuple[Picture, ...] = ()


def write(report: Report, folder: Path) -> tuple[Path, Path]:
    """Write `report.md`, `report.html` and `figures/*.png`, each atomically; return the paths of the two reports.

    Raises:
        OvertoneError: a file cannot be written.
    """
    folder, document = Path(folder), blocks(report)
    for picture in report.pictures:
        write_bytes(folder / "figures" / picture.name, picture.png)
    markdown, page = folder / "report.md", folder / "report.html"
    write_text(markdown, to_markdown(document))
    write_text(page, to_html(document, report.title))
    return markdown, page


def blocks(report: Report) -> list[Block]:
    """Return the report as a document."""
    document: list[Block] = [Heading(report.title, level=1), *map(Paragraph, report.paragraphs)]
    if report.rows:
        document += [Heading("Scores"), score_table(report.rows), Paragraph(explain_score_table(report.rows))]
        document += [Heading("Best and worst class"), extremes_table(report.rows)]
    if report.pictures:
        document += [Heading("Figures"), *report.pictures]
    if report.rows:
        document.append(Heading("Per class"))
    for row in report.rows:
        document += [Heading(f"{row.name} ({row.protocol})", level=3), class_table(row.scores)]
    return document


def score_table(rows: Sequence[ScoreRow], strong: Sequence[ScoreRow] = ()) -> Table:
    """Return a table of UAR, WA and macro-F1 with intervals, size of the test data, and leak audit.

    Args:
        rows: rows of the table.
        strong: rows with emphasised name and UAR.
    """
    header = ["Model", "Protocol", "UAR", "WA", "Macro-F1", "Clips", "Speakers", "Seeds"]
    header += ["Test clips trained on", "Speakers trained on", "Sentences trained on"]
    published = any(row.published for row in rows)
    lines = []
    for row in rows:
        s, mark = row.scores, Strong if any(row is emphasised for emphasised in strong) else str
        line = [mark(row.name), row.protocol, mark(s.uar), str(s.wa), str(s.macro_f1)]
        line += [str(s.n // s.seeds), str(s.speakers or UNKNOWN), format_seeds(s), *audit_cells(row.audit)]
        lines.append((*line, *([row.published or UNKNOWN] if published else [])))
    header += ["Published"] if published else []
    return Table(tuple(header), tuple(lines), numbers=frozenset(header) - {"Model", "Protocol", "Published"})


def extremes_table(rows: Sequence[ScoreRow]) -> Table:
    """Return a table of the emotions with the highest and the lowest recall of each model."""
    lines = []
    for row in rows:
        recalls = {name: scores.recall for name, scores in row.scores.classes.items() if scores.support}
        best, worst = max(recalls, key=recalls.__getitem__), min(recalls, key=recalls.__getitem__)
        cells = (f"{name} ({100 * recalls[name]:.1f})" for name in (best, worst))
        lines.append((row.name, row.protocol, *cells))
    return Table(("Model", "Protocol", "Best class (recall)", "Worst class (recall)"), tuple(lines))


def class_table(scores: Scores) -> Table:
    """Return a table of precision, recall and F1 in per cent, and support, of each emotion."""
    header = ("Emotion", "Precision", "Recall", "F1", "Support")
    lines = [
        (emotion, *(f"{100 * value:.1f}" for value in (s.precision, s.recall, s.f1)), str(s.support))
        for emotion, s in scores.classes.items()
    ]
    return Table(header, tuple(lines), numbers=frozenset(header[1:]))


def audit_cells(audit: LeakAudit | None) -> tuple[str, str, str]:
    """Return the shares of test clips, speakers and sentences that the model was trained on, in per cent."""
    if audit is None:
        return (UNKNOWN, UNKNOWN, UNKNOWN)
    clips = _percentage(audit.seen_clips, audit.test_clips)
    speakers = _percentage(audit.shared_speakers, audit.test_speakers)
    return clips, speakers, _percentage(audit.shared_sentences, audit.test_sentences)


def format_seeds(scores: Scores) -> str:
    """Return the number of seeds and, for several seeds, the standard deviation of the UAR in percentage points."""
    return f"{scores.seeds} (±{100 * scores.seed_spread:.1f})" if scores.seeds > 1 else str(scores.seeds)


def explain_score_table(rows: Sequence[ScoreRow]) -> str:
    """Return an explanation of the columns of `score_table` for these rows."""
    over = sorted({row.scores.interval_over for row in rows})
    text = (
        f"All rates in per cent. UAR is the mean recall of the classes, WA the accuracy; in brackets the 95 % interval "
        f"by bootstrap over {' or '.join(over)}. Scores are means over the random seeds; the column Seeds also gives "
        f"the standard deviation of the UAR. Scores and the number of clips cover the test clips of all folds "
        f"together. The last columns give the share of the test clips, of their speakers and of their sentences that "
        f"any part of the model was trained on, validation included."
    )
    if "clips" in over:
        names = ", ".join(row.name for row in rows if row.scores.interval_over == "clips")
        text += (
            f" Intervals over clips are too narrow, but the speakers are unknown, or there is only one, for: {names}."
        )
    return text


def _percentage(part: int, total: int) -> str:
    """Return the share in per cent; a share other than 0 or 1 is never rounded to 0 or 100 %."""
    if not total:
        return UNKNOWN
    per_cent = 100 * part / total
    if 0 < per_cent < 0.5:
        return "< 1 %"
    return "> 99 %" if 99.5 <= per_cent < 100 else f"{per_cent:.0f} %"
