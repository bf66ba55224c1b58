"""`results/robustness.json` -> UAR, changed and wrong predictions of each recipe under recording conditions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from overtone.evaluation.document import Block, Heading, Paragraph, Table
from overtone.evaluation.robustness import means
from tools.report.measurements import blocks_from_file

COMMAND = "python -m benchmarks.robustness"
CLEAN = "clean"
METHOD = (
    "Test clips of each run, every clip under every condition, in per cent. UAR is among the classes of the corpus; "
    "'changed' is the share of the clips that are recognised differently than under the condition clean; "
    "'sure and wrong' is the share of the clips with a wrong prediction that is not marked as uncertain. A mean weighs "
    "all corpora equally."
)
Rows = Sequence[Mapping[str, Any]]


def blocks(path: Path) -> list[Block]:
    """Return the tables of each protocol and recipe; an empty list where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_from_file(path, _blocks, COMMAND)


def summary_blocks(path: Path) -> list[Block]:
    """Return a sentence per protocol and recipe; an empty list where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_from_file(path, _summary, COMMAND)


def _blocks(content: Mapping[str, Any]) -> list[Block]:
    descriptions = content["conditions"]
    conditions = Table(("Condition", "Description"), tuple(descriptions.items()))
    result: list[Block] = [Paragraph(METHOD), conditions]
    for (protocol, recipe), rows in _groups(content["rows"]).items():
        corpora = _corpora(rows)
        counts = ", ".join(f"{corpus} {_value(rows, CLEAN, corpus, 'n'):.0f}" for corpus in corpora)
        heading = Heading(f"{recipe} recipe, {protocol}", level=3)
        header = ("Condition", "UAR", *corpora, "Changed", "Sure", "Sure and wrong")
        mean = means(rows)
        lines = tuple(_line(rows, condition, corpora, mean[condition]) for condition in descriptions)
        result += [heading, Paragraph(f"Clips: {counts}. UAR is the mean of the corpora, and that of each.")]
        result.append(Table(header, lines, frozenset(header[1:])))
    return result


def _line(rows: Rows, condition: str, corpora: Sequence[str], mean: Mapping[str, float]) -> tuple[str, ...]:
    by_corpus = [f"{100 * _value(rows, condition, corpus, 'uar'):.1f}" for corpus in corpora]
    shares = [f"{100 * mean[key]:.0f} %" for key in ("changed", "sure", "sure_wrong")]
    return (condition, f"{100 * mean['uar']:.1f}", *by_corpus, *shares)


def _summary(content: Mapping[str, Any]) -> list[Block]:
    sentences = []
    for (protocol, recipe), rows in _groups(content["rows"]).items():
        uar = {condition: 100 * values["uar"] for condition, values in means(rows).items()}
        clean = uar.pop(CLEAN)
        mean, lowest, hardest = sum(uar.values()) / len(uar), *min((value, name) for name, value in uar.items())
        sentences.append(
            f"{recipe} recipe, {protocol}: a mean UAR of {clean:.1f} on clean clips, {mean:.1f} under {len(uar)} other "
            f"conditions, and {lowest:.1f} under the hardest, {hardest}."
        )
    return [Paragraph(" ".join([*sentences, "The tables are in results-details.md."]))]


def _groups(rows: Rows) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["protocol"], row["recipe"]), []).append(row)
    return groups


def _corpora(rows: Rows) -> list[str]:
    return sorted({row["corpus"] for row in rows})


def _value(rows: Rows, condition: str, corpus: str, key: str) -> float:
    (row,) = [row for row in rows if row["condition"] == condition and row["corpus"] == corpus]
    return float(row[key])
