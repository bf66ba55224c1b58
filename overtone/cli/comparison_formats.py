"""The result of `overtone compare` as text, Markdown, CSV or JSON."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from overtone.cli import text_document
from overtone.datatypes import Score
from overtone.emotions import list_classes
from overtone.evaluation.comparison import ComparisonResult, ModelResult, PairResult
from overtone.evaluation.document import Block, Heading, Paragraph, Table, to_markdown

MAX_CLASSES, MAX_CONFUSIONS = 3, 3  # listed for each pair or model
UNKNOWN = "–"
CSV_COLUMNS = ("model", "compared_with", "emotion", "measure", "value", "low", "high", "p", "p_holm")
METHOD = (
    "Rates in per cent, differences in points, first minus second. Intervals: 95 %, by bootstrap over {units}. p: "
    "two-sided sign-flip permutation test of the UAR over {units}. McNemar: two-sided exact test on the clips that one "
    "model alone predicts correctly; it takes clips of one speaker as independent, so rely on p where they differ. "
    "Sure: a confidence of at least the threshold of the model."
)
HOLM = " p values are adjusted by Holm for the number of pairs."
SEEDS = (
    " Scores are means over the seeds; for McNemar's test, a clip counts as correct if more than half of the seeds "
    "predict it correctly."
)
FOLDS = " Scores, ECE and shares are means over the folds, each among the classes of its clips."


def to_text(result: ComparisonResult, warnings: Sequence[str]) -> str:
    """Return the comparison as text for a terminal."""
    return text_document.to_text(_blocks(result, warnings))


def to_md(result: ComparisonResult, warnings: Sequence[str]) -> str:
    """Return the comparison as Markdown."""
    return to_markdown(_blocks(result, warnings))


def to_csv(result: ComparisonResult, warnings: Sequence[str]) -> str:
    """Return the comparison as CSV with one row per measure; rates are from 0 to 1. Warnings are left out."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows(row for model in result.models for row in _model_rows(model))
    writer.writerows(row for pair in result.pairs for row in _pair_rows(pair))
    return text.getvalue()


def to_json(result: ComparisonResult, warnings: Sequence[str]) -> str:
    """Return the comparison as JSON; rates are from 0 to 1."""
    values = {
        "clips": result.clips,
        "speakers": result.speakers,
        "emotions": result.emotions,
        "mean_of_folds": result.mean_of_folds,
        "left_out": result.left_out,
        "dropped_classes": result.dropped_classes,
        "warnings": list(warnings),
        "models": [model_to_object(model) for model in result.models],
        "pairs": [_pair_object(pair) for pair in result.pairs],
    }
    return json.dumps(values, indent=1, ensure_ascii=False) + "\n"


class ComparisonFormat(NamedTuple):
    """A row of the registry: the function that makes the text of a comparison, and the suffix of its files."""

    render: Callable[[ComparisonResult, Sequence[str]], str]
    suffix: str
    is_binary: bool = False

    def check_package(self) -> None:
        """Do nothing: no format needs a further package."""


FORMATS: dict[str, ComparisonFormat] = {
    "table": ComparisonFormat(to_text, ".txt"),
    "csv": ComparisonFormat(to_csv, ".csv"),
    "json": ComparisonFormat(to_json, ".json"),
    "markdown": ComparisonFormat(to_md, ".md"),
}


def notes(result: ComparisonResult) -> list[str]:
    """Return what was left out of the comparison, as sentences."""
    reasons = "; ".join(f"{count_clips(count)} {reason}" for reason, count in result.left_out.items())
    lines = [f"Left out: {reasons}."] if reasons else []
    for name, emotions in result.dropped_classes.items():
        lines.append(
            f"{name}: not all models have {list_classes(emotions)}; its probabilities of the other classes are "
            "renormalised to a sum of 1."
        )
    return lines


def count_clips(number: int) -> str:
    """Return a number of clips in words that agree with it."""
    return f"{number} clip" if number == 1 else f"{number} clips"


def _count_speakers(number: int) -> str:
    return f"{number} speaker" if number == 1 else f"{number} speakers"


def _blocks(result: ComparisonResult, warnings: Sequence[str]) -> list[Block]:
    speakers = f" of {_count_speakers(result.speakers)}" if result.speakers else ""
    subject = (
        f"{count_clips(result.clips)}{speakers}, the same for every model; classes: {list_classes(result.emotions)}."
    )
    method = METHOD.format(units=result.models[0].scores.interval_over)
    method += HOLM if len(result.pairs) > 1 else ""
    method += SEEDS if any(model.scores.seeds > 1 for model in result.models) else ""
    method += FOLDS if result.mean_of_folds else ""
    sections = (
        ("Scores", _score_table(result)),
        ("Differences", _pair_table(result)),
        ("Recall per class", _recall_table(result)),
        ("Classes that differ most", _class_table(result)),
        ("Most frequent confusions", _confusion_table(result)),
    )
    tables = [block for title, table in sections for block in (Heading(title), table)]
    lines = [*(f"Warning: {warning}." for warning in warnings), *notes(result)]
    title = Heading(f"Comparison of {', '.join(model.name for model in result.models)}", level=1)
    return [title, Paragraph(subject), *map(Paragraph, lines), *tables, Paragraph(method)]


def _score_table(result: ComparisonResult) -> Table:
    header = ("Model", "n", "UAR", "WA", "Macro-F1", "ECE", "Sure from", "Sure", "Sure and wrong")
    rows = []
    for model in result.models:
        s, (low, high) = model.scores, model.uncertain_below
        size = f"{s.n} ({s.seeds} seeds)" if s.seeds > 1 else str(s.n)
        threshold = f"{100 * low:.0f}" + (f" to {100 * high:.0f}" if high > low else "")
        shares = (f"{100 * value:.1f}" for value in (model.sure, model.sure_and_wrong))
        rows.append(
            (model.name, size, str(s.uar), str(s.wa), str(s.macro_f1), f"{100 * model.ece:.1f}", threshold, *shares)
        )
    return Table(header, tuple(rows), frozenset(header[1:]))


def _pair_table(result: ComparisonResult) -> Table:
    header = ["First", "Second", "UAR difference", "p", "Only first correct", "Only second correct", "McNemar p"]
    rows = []
    for pair in result.pairs:
        difference = pair.uar.difference
        interval = f"{100 * difference.value:+.1f} [{100 * difference.low:+.1f}, {100 * difference.high:+.1f}]"
        counts = (str(pair.only_first_correct), str(pair.only_second_correct))
        p, mcnemar_p = _p_value(pair.p_holm), _p_value(pair.mcnemar_p_holm)
        rows.append((pair.first, pair.second, interval, p, *counts, mcnemar_p))
    return Table(tuple(header), tuple(rows), frozenset(header[2:]))


def _recall_table(result: ComparisonResult) -> Table:
    names = [model.name for model in result.models]
    clips = {emotion: score.support for emotion, score in result.models[0].scores.classes.items()}
    seeds = result.models[0].scores.seeds
    rows = [
        (emotion, str(clips[emotion] // seeds), *(_recall(model, emotion) for model in result.models))
        for emotion in result.emotions
    ]
    return Table(("Class", "Clips", *names), tuple(rows), frozenset(("Clips", *names)))


def _class_table(result: ComparisonResult) -> Table:
    header = ("First", "Second", "Class", "Difference", "First predicts instead", "Second predicts instead")
    models = {model.name: model for model in result.models}
    rows = [
        (
            *(pair.first, pair.second, emotion, f"{100 * difference:+.1f}"),
            *(_confused(models[name], emotion) for name in (pair.first, pair.second)),
        )
        for pair in result.pairs
        for emotion, difference in list(pair.recall_differences.items())[:MAX_CLASSES]
    ]
    return Table(header, tuple(rows), frozenset({"Difference"}))


def _confusion_table(result: ComparisonResult) -> Table:
    rows = []
    for model in result.models:
        for confusion in model.confusions[:MAX_CONFUSIONS]:
            cells = (confusion.truth, confusion.predicted, str(confusion.count), f"{100 * confusion.share:.1f}")
            rows.append((model.name, *cells))
    header = ("Model", "Class", "Predicted as", "Predictions", "Share of the class")
    return Table(header, tuple(rows), frozenset(header[3:]))


def _confused(model: ModelResult, emotion: str) -> str:
    """Return the classes that a model predicts most often for clips of another class, with their shares in per cent."""
    found = [confusion for confusion in model.confusions if confusion.truth == emotion]
    return ", ".join(f"{c.predicted} {100 * c.share:.1f}" for c in found[:2]) or UNKNOWN


def _recall(model: ModelResult, emotion: str) -> str:
    score = model.scores.classes[emotion]
    return f"{100 * score.recall:.1f}" if score.support else UNKNOWN


def _p_value(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _model_rows(model: ModelResult) -> Iterator[tuple[object, ...]]:
    for measure in ("uar", "wa", "macro_f1"):
        score: Score = getattr(model.scores, measure)
        yield (model.name, "", "", measure, score.value, score.low, score.high, "", "")
    for measure in ("ece", "sure", "sure_and_wrong"):
        yield (model.name, "", "", measure, getattr(model, measure), "", "", "", "")
    yield (model.name, "", "", "n", model.scores.n, "", "", "", "")
    for emotion, scores in model.scores.classes.items():
        if scores.support:
            yield (model.name, "", emotion, "recall", scores.recall, "", "", "", "")


def _pair_rows(pair: PairResult) -> Iterator[tuple[object, ...]]:
    names, difference = (pair.first, pair.second), pair.uar.difference
    yield (*names, "", "uar_difference", *asdict(difference).values(), pair.uar.p, pair.p_holm)
    only = pair.only_first_correct - pair.only_second_correct
    yield (*names, "", "mcnemar_difference", only, "", "", pair.mcnemar_p, pair.mcnemar_p_holm)
    for measure in ("only_first_correct", "only_second_correct"):
        yield (*names, "", measure, getattr(pair, measure), "", "", "", "")
    for emotion, value in pair.recall_differences.items():
        yield (*names, emotion, "recall_difference", value, "", "", "", "")


def model_to_object(model: ModelResult) -> dict[str, Any]:
    """Return the results of a model as JSON values; rates are from 0 to 1."""
    s = model.scores
    return {
        "name": model.name,
        "n": s.n,
        "seeds": s.seeds,
        **{name: asdict(getattr(s, name)) for name in ("uar", "wa", "macro_f1")},
        "interval_over": s.interval_over,
        "folds": s.folds,
        "ece": model.ece,
        "uncertain_below": model.uncertain_below,
        "sure": model.sure,
        "sure_and_wrong": model.sure_and_wrong,
        "classes": {name: asdict(scores) for name, scores in s.classes.items()},
        "confusion": [[int(count) for count in row] for row in s.confusion],
    }


def _pair_object(pair: PairResult) -> dict[str, Any]:
    return {
        "first": pair.first,
        "second": pair.second,
        "uar_difference": asdict(pair.uar.difference),
        "p": pair.uar.p,
        "p_holm": pair.p_holm,
        "units": pair.uar.units,
        "over": pair.uar.over,
        "only_first_correct": pair.only_first_correct,
        "only_second_correct": pair.only_second_correct,
        "mcnemar_p": pair.mcnemar_p,
        "mcnemar_p_holm": pair.mcnemar_p_holm,
        "recall_differences": pair.recall_differences,
    }
