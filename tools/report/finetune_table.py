"""`results/finetune.json` -> what fine-tuning on few clips of an unseen corpus gains, by corpus and number of clips."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from overtone.evaluation.document import Block, Paragraph, Strong, Table
from tools.report.measurements import Target, at_least, blocks_from_file, target_table

COMMAND = "python -m benchmarks.finetune"
METHODS = {"bundled": "as it is", "linear": "linear, from scratch", "finetuned": "fine-tuned"}
TARGET_SIZE, TARGET_POINTS = 10, 8.0  # clips per class, and the gain there over both others, in points of UAR


def blocks(path: Path) -> list[Block]:
    """Return the table, its method and its targets; an empty list where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_from_file(path, _blocks, COMMAND)


def _blocks(content: Mapping[str, Any]) -> list[Block]:
    draws = content["draws"]
    corpora = sorted({row["corpus"] for row in draws})
    sizes = sorted({row["size"] for row in draws})
    header = ("Clips per class", "Model", *corpora, "Mean")
    lines = []
    for size in sizes:
        for method, name in METHODS.items():
            values = [_mean(_select(draws, size, corpus), method) for corpus in corpora]
            mark = Strong if method == "finetuned" else str
            cells = [f"{value:.1f}" if np.isfinite(value) else "–" for value in (*values, float(np.mean(values)))]
            lines.append((str(size) if method == "bundled" else "", mark(name), *map(mark, cells)))
    table = Table(header, tuple(lines), numbers=frozenset(header) - {"Model"})
    return [Paragraph(_method(draws)), table, Paragraph(_sizes(draws)), target_table(_targets(draws))]


def _select(draws: Sequence[Mapping[str, Any]], size: int, corpus: str) -> list[Mapping[str, Any]]:
    return [row for row in draws if row["size"] == size and row["corpus"] == corpus]


def _mean(rows: Sequence[Mapping[str, Any]], key: str) -> float:
    """The mean UAR of these draws in per cent; NaN for none."""
    return 100 * float(np.mean([row[key] for row in rows])) if rows else float("nan")


def _method(draws: Sequence[Mapping[str, Any]]) -> str:
    speakers = min(row["speakers"] for row in draws)
    return (
        "UAR in per cent on other speakers than those of the clips, in a corpus that the model was not trained on; "
        f"mean of {_numbers(draws)} of as many clips of each class, of {speakers} speakers, or of "
        "more where these have too few; where all have too few, of all their clips. As it is: the model without these "
        "clips, among the classes of the corpus. Linear, from scratch: logistic regression on the same statistics of "
        f"the encoder. Measured with: {COMMAND}."
    )


def _numbers(draws: Sequence[Mapping[str, Any]]) -> str:
    """How many draws there are of each size, such as `5 draws`, or `5 draws (2 of 25 clips per class)`."""
    per_cell = Counter((row["size"], row["corpus"]) for row in draws)
    fewest = {size: min(count for (of, _), count in per_cell.items() if of == size) for size, _ in per_cell}
    most = max(fewest.values())
    sizes: dict[int, list[str]] = {}
    for size in sorted(fewest):
        if fewest[size] < most:
            sizes.setdefault(fewest[size], []).append(str(size))
    fewer = [f"at least {count} of {', '.join(names)} clips per class" for count, names in sizes.items()]
    return f"{most} draws" + (f" ({'; '.join(fewer)})" if fewer else "")


def _sizes(draws: Sequence[Mapping[str, Any]]) -> str:
    """The clips and speakers of the largest size, which some corpora do not have."""
    largest = max(row["size"] for row in draws)
    rows = {corpus: _select(draws, largest, corpus) for corpus in sorted({row["corpus"] for row in draws})}
    texts = [
        f"{corpus} {np.mean([row['clips'] for row in found]):.0f} clips of "
        f"{np.mean([row['speakers'] for row in found]):.0f} speakers"
        for corpus, found in rows.items()
        if found
    ]
    seconds = np.median([row["seconds"] for row in draws])
    return (
        f"With {largest} clips per class, a draw has (mean): {', '.join(texts)}. The scores that cross-validation "
        f"expected differ from those of the tested speakers by {_gap(draws):.1f} points (mean absolute "
        f"difference). Training takes {seconds:.0f} s (median, on one core, features computed)."
    )


def _gap(draws: Sequence[Mapping[str, Any]]) -> float:
    return 100 * float(np.mean([abs(row["expected"] - row["finetuned"]) for row in draws]))


def _targets(draws: Sequence[Mapping[str, Any]]) -> list[Target]:
    """The mean gain over the corpora at `TARGET_SIZE`, over each of the other methods."""
    corpora = sorted({row["corpus"] for row in draws if row["size"] == TARGET_SIZE})
    targets = []
    for other in ("bundled", "linear") if corpora else ():
        rows = [_select(draws, TARGET_SIZE, corpus) for corpus in corpora]
        gain = float(np.mean([_mean(row, "finetuned") - _mean(row, other) for row in rows]))
        description = (
            f"{TARGET_SIZE} clips per class: gain over '{METHODS[other]}', at least {TARGET_POINTS:.0f} points"
        )
        targets.append(at_least(description, TARGET_POINTS, gain, "points"))
    return targets
