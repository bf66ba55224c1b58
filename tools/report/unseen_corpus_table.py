"""Results -> tables of protocols whose scores are means of folds, one corpus each: UAR, and the worth of confidence."""

from collections.abc import Sequence

import numpy as np

from overtone.corpora import CORPORA
from overtone.evaluation.calibration import UNCERTAIN_BELOW, ConfidenceScores, confidence_scores
from overtone.evaluation.document import Block, Paragraph, Strong, Table
from overtone.evaluation.oof_files import select
from overtone.evaluation.report import UNKNOWN
from tools.report.oof_results import BUNDLED_RECIPES, Result
from tools.report.score_tables import best_result

REFERENCE = {False: "none", True: "speaker's clips"}
RATES = ("Sure and wrong", "Right if sure", "ECE")
NOTE = (
    "Each column tests one corpus with a model that was trained on the others, among the classes that they share. UAR "
    "in per cent; the mean is over the corpora, with its 95 % interval over speakers. A prediction is sure if its "
    "confidence reaches the threshold that was fitted on other corpora of the training set (of baselines: "
    f"{UNCERTAIN_BELOW:.0%}). Sure and wrong is a share of all predictions, right if sure one of the sure ones, ECE "
    "the calibration error; each is the mean over the corpora. Rows with reference clips are adapted to unlabelled "
    "clips of the test speaker: compare them with each other only."
)


def unseen_results(results: Sequence[Result]) -> list[Result]:
    """Return the full models of protocols whose scores are means of folds; those without speaker adaptation first."""
    found = [
        result for result in results if result.is_full_model and result.row.scores.folds and not result.condition.data
    ]
    return sorted(found, key=lambda result: (result.condition.adapted, result.condition.sort_key))


def readme_blocks(results: Sequence[Result]) -> list[Block]:
    """Return the table of the README: the best recipe, those of bundled models and baselines; empty without results."""
    found = unseen_results(results)
    best, bundled = _best(found), {pooled for pooled, _ in BUNDLED_RECIPES.values()}
    shown = [
        result for result in found if result.baseline or result.recipe in bundled or any(result is one for one in best)
    ]
    return blocks(shown)


def _best(results: Sequence[Result]) -> list[Result | None]:
    """Return the best recipe without and the best one with speaker adaptation; None where there is none."""
    return [
        best_result(result for result in results if result.condition.adapted == adapted) for adapted in (False, True)
    ]


def summary_blocks(results: Sequence[Result]) -> list[Block]:
    """Return one sentence with the scores of the best recipe; an empty list without results."""
    plain, adapted = _best([result for result in unseen_results(results) if not result.baseline])
    if plain is None:
        return []
    wrong, right, _ = _mean_rates(plain)
    scores = plain.row.scores
    text = (
        f"On {len(scores.folds)} corpora that it was not trained on ({scores.clips} clips of {scores.speakers} "
        f"speakers), the mean UAR of the model is {scores.uar} per cent"
    )
    if adapted is not None:
        text += f", and {adapted.row.scores.uar} with unlabelled clips of the same speaker as a reference"
    text += (
        f". Of the predictions that are not marked as uncertain, {_percent(right)} per cent are right; "
        f"{_percent(wrong)} per cent of all predictions are certain and wrong."
    )
    return [Paragraph(text)]


def blocks(results: Sequence[Result]) -> list[Block]:
    """Return the table of all full models and its explanation; an empty list without results."""
    found = unseen_results(results)
    if not found:
        return []
    corpora = sorted({fold for result in found for fold in result.row.scores.folds})
    header = ("Model", "Reference", *map(_display_name, corpora), "Mean", *RATES)
    lines = []
    for result in found:
        mark = str if result.baseline else Strong
        scores = result.row.scores
        uars = (_percent(scores.folds.get(name, np.nan)) for name in corpora)
        start = (mark(result.recipe), REFERENCE[result.condition.adapted])
        lines.append((*start, *uars, mark(scores.uar), *map(_percent, _mean_rates(result))))
    return [Table(header, tuple(lines), frozenset(header[2:])), Paragraph(f"{NOTE} {_tested_on(found)}")]


def _tested_on(results: Sequence[Result]) -> str:
    """Return the size of the test sets, and what the best recipe has seen of them."""
    first = next((result for result in results if not result.baseline), results[0])
    scores, audit = first.row.scores, first.row.audit
    overlap = f"; {audit}" if audit else ""
    return f"Tested on {scores.clips} clips of {scores.speakers} speakers{overlap}."


def detail_blocks(results: Sequence[Result]) -> list[Block]:
    """Return a table with a row per full model and corpus; an empty list without results."""
    lines = [
        (
            result.recipe,
            REFERENCE[result.condition.adapted],
            _display_name(fold),
            *map(_percent, (uar, *_rates(scores))),
        )
        for result in unseen_results(results)
        for (fold, uar), scores in zip(result.row.scores.folds.items(), fold_confidences(result).values(), strict=True)
    ]
    header = ("Model", "Reference", "Corpus", "UAR", *RATES)
    return [Table(header, tuple(lines), frozenset(header[3:]))] if lines else []


def fold_confidences(result: Result) -> dict[str, ConfidenceScores]:
    """Return fold -> what the confidence of its predictions is worth."""
    predictions = result.predictions
    thresholds = result.record.uncertain_below if result.record else {}
    return {
        fold: confidence_scores(select(predictions, predictions.fold == fold), thresholds.get(fold, UNCERTAIN_BELOW))
        for fold in result.row.scores.folds
    }


def _rates(scores: ConfidenceScores) -> tuple[float, float, float]:
    """Return the values of the columns `RATES`."""
    return scores.sure_and_wrong, scores.right_if_sure, scores.ece


def _mean_rates(result: Result) -> list[float]:
    """Return the values of the columns `RATES`, each the mean over the corpora that have it; NaN if none has."""
    columns = np.array([_rates(scores) for scores in fold_confidences(result).values()]).T
    return [float(column[np.isfinite(column)].mean()) if np.isfinite(column).any() else np.nan for column in columns]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if np.isfinite(share) else UNKNOWN


def _display_name(corpus: str) -> str:
    return CORPORA[corpus].INFO.display_name if corpus in CORPORA else corpus
