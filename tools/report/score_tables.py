"""Results -> tables of scores: all of them, the best recipe of each protocol, and the recall of each class."""

from collections.abc import Iterable, Sequence

from overtone.evaluation.document import Block, Heading, Paragraph, Strong, Table
from overtone.evaluation.report import UNKNOWN, audit_cells, class_table, format_seeds
from tools.report.oof_results import PAPER_RECIPE, Result, group_by_condition, group_by_title
from tools.report.published_results import drop_empty_columns

SCORE_HEADER = ("Model", "UAR", "WA", "Macro-F1", "Clips", "Speakers", "Seeds", "Protocol")
OVERLAP_HEADER = ("Clip overlap", "Speaker overlap", "Sentence overlap")
ADAPTED_NOTE = (
    "Speaker-adapted models use unlabelled clips of the test speaker. Compare them with speaker-adapted models only."
)
README_LEFT_OUT = ("emodb/loso",)  # the README has little space
BASELINE_NOTE = "openSMILE functionals and a support vector machine (benchmarks/README.md)"


def reading_notes(results: Sequence[Result]) -> str:
    """Return the explanation of the columns of the score tables, as far as these results need it."""
    units = sorted({result.row.scores.interval_over for result in results})
    text = (
        "All rates in per cent. UAR is the unweighted average recall over the classes, WA the accuracy; brackets hold "
        f"the 95 % interval by bootstrap over {' or '.join(units)}. Scores are means over the random seeds; ± is the "
        "standard deviation of the UAR between seeds. Clips are the test clips of each seed, all folds together. The "
        "overlap columns are the leak audit: the share of the test clips, of their speakers and of their sentences "
        "that any part of the model was trained on, validation data included."
    )
    if any(result.row.scores.folds for result in results):
        text += " Under unseen-corpus, every score is the mean of the scores of the corpora."
    if "clips" in units:
        names = ", ".join(result.row.name for result in results if result.row.scores.interval_over == "clips")
        text += f" Intervals over clips are too narrow; speakers are unknown, or only one, for: {names}."
    return text


def score_blocks(results: Sequence[Result], level: int = 3) -> list[Block]:
    """Return a score table per group of results, with a heading of this level where the group has a title."""
    document: list[Block] = []
    for title, group in group_by_title(results).items():
        document += [Heading(title, level)] if title else []
        document += [Paragraph(ADAPTED_NOTE)] if group[0].condition.adapted else []
        document.append(score_table(group))
    return document


def score_table(results: Sequence[Result]) -> Table:
    """Return UAR, WA and macro-F1 with intervals, sample sizes, protocol and leak audit; full own models are bold."""
    lines = []
    for result in results:
        scores = result.row.scores
        mark = Strong if result.is_full_model and not result.baseline else str
        sizes = (str(scores.n // scores.seeds), str(scores.speakers or UNKNOWN), format_seeds(scores))
        rates = (mark(scores.uar), str(scores.wa), str(scores.macro_f1))
        lines.append((mark(result.row.name), *rates, *sizes, result.row.protocol, *audit_cells(result.row.audit)))
    header = (*SCORE_HEADER, *OVERLAP_HEADER)
    return Table(header, tuple(lines), numbers=frozenset(header) - {"Model", "Protocol"})


def readme_table(results: Sequence[Result]) -> list[Block]:
    """Return the summary as one table, in which adapted models have rows of their own.

    Left out are the conditions of `README_LEFT_OUT` and, as they have another table, means of folds.
    """
    rows = [
        result
        for result in results
        if result.is_full_model and not result.row.scores.folds
        if result.condition.qualified_protocol not in README_LEFT_OUT
    ]
    table = _summary_table(sorted(rows, key=lambda result: result.condition.adapted))
    return [table] if table else []


def summary_blocks(results: Sequence[Result]) -> list[Block]:
    """Return one row per condition: the best recipe and, in the same row, baselines and the paper's recipe.

    Adapted models have a table of their own. Left out are conditions with baselines only and, as they have another
    table, means of folds.
    """
    full_models = [result for result in results if result.is_full_model and not result.row.scores.folds]
    document: list[Block] = []
    for adapted in (False, True):
        rows = [result for result in full_models if result.condition.adapted == adapted]
        if table := _summary_table(rows):
            document += [*([Paragraph(ADAPTED_NOTE)] if adapted else []), table]
    baselines = baseline_names(results)
    note = f"{' and '.join(baselines)}: baselines, {BASELINE_NOTE}."
    return [*document, Paragraph(note)] if document and baselines else document


def baseline_names(results: Iterable[Result]) -> list[str]:
    """Return the recipe names of the baselines, sorted."""
    return sorted({result.recipe for result in results if result.baseline})


def recall_blocks(results: Sequence[Result]) -> list[Block]:
    """Return a table per group of results: the recall of each emotion by each full model."""
    document: list[Block] = []
    for title, group in group_by_title(result for result in results if result.is_full_model).items():
        document += [*([Heading(title, level=3)] if title else []), _recall_table(group)]
    return document


def class_blocks(results: Sequence[Result]) -> list[Block]:
    """Return a table of precision, recall and F1 per emotion for the best own recipe of each condition."""
    document: list[Block] = []
    for group in group_by_condition([result for result in results if result.is_full_model]).values():
        if best := best_result(group):
            document += [Heading(f"{best.row.name}, {best.row.protocol}", level=3), class_table(best.row.scores)]
    return document


def best_result(results: Iterable[Result]) -> Result | None:
    """Return the own recipe with the highest UAR, then WA; else the paper's recipe; None with baselines only."""
    own = [result for result in results if not result.baseline]
    return max(own, key=_quality, default=None)


def _quality(result: Result) -> tuple[bool, float, float]:
    scores = result.row.scores
    return result.is_own, scores.uar.value, scores.wa.value


def _summary_table(results: Sequence[Result]) -> Table | None:
    references = (*baseline_names(results), PAPER_RECIPE)
    header: tuple[str, ...] = ("Protocol", "Recipe", "UAR", "WA", "Clips", "Seeds", *OVERLAP_HEADER[:2])
    header += tuple(f"UAR, {name}" for name in references)
    lines = []
    for group in group_by_condition(results).values():
        if not (best := best_result(group)):
            continue
        scores = best.row.scores
        uars = {result.recipe: str(result.row.scores.uar) for result in group if result is not best}
        rates = (Strong(scores.uar), str(scores.wa), str(scores.n // scores.seeds), format_seeds(scores))
        clips, speakers, _ = audit_cells(best.row.audit)
        others = (uars.get(name, UNKNOWN) for name in references)
        lines.append((str(best.condition), best.recipe, *rates, clips, speakers, *others))
    return drop_empty_columns(Table(header, tuple(lines), frozenset(header[2:]))) if lines else None


def _recall_table(results: Sequence[Result]) -> Table:
    emotions = tuple(dict.fromkeys(name for result in results for name in result.row.scores.emotions))
    header = ("Model", "Protocol", *emotions)
    lines = []
    for result in results:
        recalls = {name: scores.recall for name, scores in result.row.scores.classes.items() if scores.support}
        cells = (f"{100 * recalls[name]:.1f}" if name in recalls else UNKNOWN for name in emotions)
        lines.append((result.row.name, result.row.protocol, *cells))
    return Table(header, tuple(lines), frozenset(emotions))
