"""The score of a batch as text for the terminal, and as the file `score.json` in its output folder."""

import json
from collections.abc import Iterator, Mapping

from overtone.batch.object_storage import join, write_bytes
from overtone.batch.scoring import BatchScore
from overtone.cli.comparison_formats import model_to_object
from overtone.cli.text_document import to_text
from overtone.emotions import list_classes
from overtone.evaluation.comparison import ModelResult
from overtone.evaluation.document import Block, Heading, Paragraph, Table
from overtone.formats.table import class_label, printable

SCORE_FILE = "score.json"
MAX_MATRIX_CLASSES = 12  # of a confusion matrix that fits into a terminal
MAX_CONFUSIONS, MAX_GROUPS, MAX_LABELS = 10, 20, 10  # that are printed; the file has all
METHOD = (
    "Rates in per cent. UAR is the mean recall of the classes that occur in the labels. In brackets the 95 % interval, "
    "by bootstrap over {units}. Sure: not marked as uncertain."
)
UNITS = {
    "speakers": "speakers (in a group of one speaker, over its clips)",
    "clips": "clips, as speakers are not known; it would be wider with them, since clips of a speaker are alike",
}
UNKNOWN = "(unknown)"


def write_score(score: BatchScore, output: str, warning: str = "") -> str:
    """Write `score.json` atomically, and return its path or URL.

    Args:
        score: of the batch.
        output: path or URL of its output folder.
        warning: why the score may be too high; "" if nothing says so.

    Raises:
        OvertoneError: it cannot be written.
    """
    path = join(output, SCORE_FILE)
    values = {**_to_object(score), "warning": warning or None}
    write_bytes(path, (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode())
    return path


def score_to_text(score: BatchScore, path: str) -> str:
    """Return the score as text.

    Args:
        score: of the batch.
        path: of `score.json`, which has what the text leaves out.
    """
    return to_text(_blocks(score, path))


def _to_object(score: BatchScore) -> dict[str, object]:
    """Return the score as JSON values; rates are from 0 to 1."""
    return {
        "label_column": score.label,
        "emotions": score.total.scores.emotions,
        "failures": score.failures,
        "unlabelled": score.unlabelled,
        "unknown_labels": score.unknown_labels,
        "all": _result_to_object(score.total),
        "by": {
            column: {value: _result_to_object(result) for value, result in results.items()}
            for column, results in score.groups.items()
        },
    }


def _result_to_object(result: ModelResult) -> dict[str, object]:
    s = result.scores
    kept = ("n", "uar", "wa", "macro_f1", "interval_over", "ece", "sure", "sure_and_wrong", "classes", "confusion")
    values = model_to_object(result)
    return {"speakers": s.speakers, **{name: values[name] for name in kept}}


def _blocks(score: BatchScore, path: str) -> Iterator[Block]:
    yield Heading(f"Score of {score.total.scores.n} predictions by the column '{score.label}'", level=1)
    yield from map(Paragraph, _notes(score))
    yield _score_table("", {"all": score.total})
    for column, results in score.groups.items():
        largest = dict(sorted(results.items(), key=lambda item: -item[1].scores.n)[:MAX_GROUPS])
        yield _score_table(column, {value: results[value] for value in results if value in largest})
        if len(results) > MAX_GROUPS:
            yield Paragraph(f"The {MAX_GROUPS} most frequent of {len(results)} values; all of them: {path}")
    yield from _confusion_blocks(score.total)
    yield Paragraph(METHOD.format(units=UNITS[score.total.scores.interval_over]))


def _notes(score: BatchScore) -> Iterator[str]:
    """Yield what is not in the score."""
    if score.failures:
        yield f"Not recognised, and so not scored: {score.failures}."
    if score.unlabelled:
        yield f"Left out without a label: {score.unlabelled}."
    if score.unknown_labels:
        shown = [f"{count} x {list_classes([label])}" for label, count in score.unknown_labels.items()][:MAX_LABELS]
        more = len(score.unknown_labels) - len(shown)
        listed = ", ".join(map(printable, shown)) + (f" and {more} more labels" if more else "")
        yield f"Left out with a label that the model does not have: {sum(score.unknown_labels.values())} ({listed})."


def _score_table(column: str, results: Mapping[str, ModelResult]) -> Table:
    header = (printable(column), "n", "Speakers", "UAR", "WA", "Macro-F1", "ECE", "Sure", "Sure and wrong")
    rows = []
    for value, result in results.items():
        s = result.scores
        shares = (f"{100 * share:.1f}" for share in (result.ece, result.sure, result.sure_and_wrong))
        speakers = str(s.speakers) if s.interval_over == "speakers" or s.speakers == 1 else "?"
        rows.append((printable(value) or UNKNOWN, str(s.n), speakers, str(s.uar), str(s.wa), str(s.macro_f1), *shares))
    return Table(header, tuple(rows), frozenset(header[1:]))


def _confusion_blocks(result: ModelResult) -> Iterator[Block]:
    """Yield the confusion matrix; of many classes, the recalls and the most frequent confusions."""
    s = result.scores
    present = [emotion for emotion in s.emotions if s.classes[emotion].support]
    names = {emotion: class_label(emotion) for emotion in s.emotions}
    if len(s.emotions) <= MAX_MATRIX_CLASSES:
        header = ("label", "Recall", *(f"as {name}" for name in names.values()))
        counts = {emotion: row for emotion, row in zip(s.emotions, s.confusion, strict=True)}
        rows = [
            (names[e], f"{100 * s.classes[e].recall:.1f}", *(f"{count:.0f}" for count in counts[e])) for e in present
        ]
        yield Table(header, tuple(rows), frozenset(header[1:]))
        return
    header = ("label", "Predicted as", "Predictions", "Share of the label")
    confused = result.confusions[:MAX_CONFUSIONS]
    cells = [(names[c.truth], names[c.predicted], str(c.count), f"{100 * c.share:.1f}") for c in confused]
    yield Table(header, tuple(cells), frozenset(header[2:]))
