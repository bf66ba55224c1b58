"""Scores and training histories -> pictures (PNG bytes), made with matplotlib's Agg canvas and no global state.

To add a figure, write a function that draws on `new_figure(...)` and returns `png(figure)`. Colours are those of Okabe
and Ito and one-hue ramps, so every figure reads the same to colour-blind eyes and, by line style, in grey.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from overtone.datatypes import Scores
from overtone.errors import InputError
from overtone.formats.matplotlib_helpers import new_figure, plain, png, titled
from overtone.formats.palette import BLUE, GREEN, INK, LINE, ORANGE, PINK, RAMP, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Epoch = Mapping[str, Any]

DARK_CELL = 0.55  # above this share the ramp is so dark that white reads better


def confusion(scores: Scores, title: str = "") -> bytes:
    """What was taken for what: rows = truth, columns = answer, coloured by the share of the row.

    Args:
        scores: of one model.
        title: above the picture.
    """
    counts = scores.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = new_figure(7.2, 6.4)
    axes = figure.add_subplot()
    axes.imshow(shares, cmap=_ramp(), vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        _cell(axes, row, column, share, int(counts[row, column]))
    names = list(scores.emotions)
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("answer")
    axes.set_ylabel("truth")
    axes.set_xticks(np.arange(0.5, len(names) - 1), minor=True)
    axes.set_yticks(np.arange(0.5, len(names) - 1), minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    plain(axes, frame=False)
    titled(axes, title, f"UAR {scores.uar}   ·   per cent of the row, number of answers below")
    return png(figure)


def curves(history: Sequence[Epoch], part: str, title: str = "") -> bytes:
    """Accuracy and loss over the epochs, training and validation, the epoch of the best validation UAR marked.

    Args:
        history: rows with "part", "epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "val_uar", and
            "fold" and "seed" where several trainings are drawn together; a missing value leaves a gap.
        part: which part's rows to draw.
        title: above the picture.

    Raises:
        InputError: the history has no row of this part.
    """
    rows = [row for row in history if row["part"] == part]
    if not rows:
        raise InputError(f"no epoch of part '{part}' in the training history")
    runs: dict[tuple, list[Epoch]] = {}
    for row in rows:
        runs.setdefault((row.get("fold"), row.get("seed")), []).append(row)
    figure = new_figure(9.6, 4.0)
    for place, what in enumerate(("accuracy", "loss"), start=1):
        axes = figure.add_subplot(1, 2, place)
        for side, colour, style in (("train", BLUE, "--"), ("val", ORANGE, "-")):
            _curve(axes, list(runs.values()), f"{side}_{what}", colour, style)
        _mark_best(axes, runs)
        axes.set_xlabel("epoch")
        axes.set_ylabel(what)
        axes.grid(color=LINE, linewidth=0.8)
        axes.margins(x=0.02)
        if what == "accuracy":
            axes.set_ylim(0, 1.02)
            titled(axes, title)
        else:
            axes.legend(frameon=False, ncols=3, loc="lower right", bbox_to_anchor=(1, 1), labelcolor=INK)
        plain(axes)
    return png(figure)


def recalls(scores: Mapping[str, Scores], title: str = "") -> bytes:
    """Recall of each emotion as bars, one colour per model; the dotted line is chance.

    Args:
        scores: name of the model -> its scores, at most four, all with the same emotions.
        title: above the picture.
    """
    names = next(iter(scores.values())).emotions
    figure = new_figure(9.6, 4.2)
    axes = figure.add_subplot()
    width = 0.8 / len(scores)
    for k, (model, one) in enumerate(scores.items()):
        places = np.arange(len(names)) + (k - (len(scores) - 1) / 2) * width
        heights = [100 * one.classes[name].recall for name in names]
        colour = (BLUE, ORANGE, GREEN, PINK)[k]
        bars = axes.bar(places, heights, width * 0.92, color=colour, label=f"{model}  (UAR {100 * one.uar.value:.1f})")
        axes.bar_label(bars, fmt="%.0f", fontsize=8, color=SOFT, padding=1)
    axes.axhline(100 / len(names), color=INK, linewidth=1, linestyle=":")
    axes.annotate(
        "chance",
        (1, 100 / len(names)),
        xycoords=("axes fraction", "data"),
        xytext=(-2, 3),
        textcoords="offset points",
        ha="right",
        fontsize=8,
        color=SOFT,
    )
    axes.set_xticks(range(len(names)), names)
    axes.set_xlim(-0.55, len(names) - 0.05)
    axes.set_ylabel("recall, per cent")
    axes.set_ylim(0, 108)
    axes.set_yticks(range(0, 101, 20))
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=LINE, linewidth=0.8)
    axes.legend(frameon=False, ncols=len(scores), loc="lower right", bbox_to_anchor=(1, 1), labelcolor=INK)
    plain(axes)
    titled(axes, title)
    return png(figure)


def reliability(edges: np.ndarray, count: np.ndarray, accuracy: np.ndarray, title: str = "", below: str = "") -> bytes:
    """How often answers were right, by their confidence, above how many answers had it; the dotted line is calibrated.

    Args:
        edges: of the bins of confidence `(bins + 1,)`, from 0 to 1.
        count: answers in each bin `(bins,)`.
        accuracy: the share that was right `(bins,)`, NaN where there is none.
        title: above the picture.
        below: a line below the title.
    """
    figure = new_figure(6.4, 5.6)
    right, many = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    percent, width = 100 * (edges[:-1] + edges[1:]) / 2, 92 * np.diff(edges)
    right.bar(percent, np.nan_to_num(100 * accuracy), width, color=BLUE)
    right.plot([0, 100], [0, 100], color=INK, linewidth=1, linestyle=":")
    right.set_ylabel("right, per cent of the answers")
    right.set_ylim(0, 104)
    many.bar(percent, 100 * count / count.sum(), width, color=SOFT)
    many.set_ylabel("share, per cent")
    many.set_xlabel("confidence, per cent")
    many.set_xlim(0, 100)
    for axes in (right, many):
        axes.set_axisbelow(True)
        axes.grid(axis="y", color=LINE, linewidth=0.8)
        plain(axes)
    titled(right, title, below)
    return png(figure)


def risk_coverage(
    coverage: np.ndarray, risk: np.ndarray, mark: tuple[float, float], named: str, title: str = ""
) -> bytes:
    """Share of wrong answers among the surest ones, the more of them are given; one point marked.

    Args:
        coverage: share of the clips that are answered `(thresholds,)`, rising to 1.
        risk: share of those answers that is wrong `(thresholds,)`.
        mark: coverage and risk of the point to mark; NaN marks none.
        named: what stands beside it.
        title: above the picture.
    """
    figure = new_figure(6.4, 4.2)
    axes = figure.add_subplot()
    axes.plot(100 * coverage, 100 * risk, color=BLUE, linewidth=2)
    x, y = 100 * mark[0], 100 * mark[1]
    if np.isfinite(y):
        side, away = ("right", (-8, 8)) if x > 50 else ("left", (8, -12))  # off the curve, which rises
        axes.plot([x], [y], "o", color=ORANGE)
        axes.annotate(named, (x, y), away, textcoords="offset points", ha=side, color=INK, fontsize=9)
    axes.set_xlabel("answered, per cent of the clips")
    axes.set_ylabel("wrong, per cent of the answered")
    axes.set_xlim(0, 100)
    axes.set_ylim(bottom=0)
    axes.grid(color=LINE, linewidth=0.8)
    plain(axes)
    titled(axes, title)
    return png(figure)


def _cell(axes: "Axes", row: int, column: int, share: float, count: int) -> None:
    if not count:
        return
    colour = "white" if share > DARK_CELL else INK
    weight = "bold" if row == column else "normal"
    axes.text(column, row - 0.1, f"{100 * share:.0f}", ha="center", va="center", color=colour, weight=weight)
    axes.text(column, row + 0.24, f"{count}", ha="center", va="center", color=colour, fontsize=7, alpha=0.75)


def _curve(axes: "Axes", runs: Sequence[Sequence[Epoch]], name: str, colour: str, style: str) -> None:
    """Every run as a thin line and, of several, their mean as a thick one."""
    label = "training" if name.startswith("train") else "validation"
    lines = [{int(row["epoch"]): _number(row.get(name)) for row in run} for run in runs]
    if len(lines) > 1:
        for line in lines:
            axes.plot(list(line), list(line.values()), color=colour, linestyle=style, linewidth=0.7, alpha=0.35)
    epochs = sorted({epoch for line in lines for epoch in line})
    values = [[line[epoch] for line in lines if np.isfinite(line.get(epoch, np.nan))] for epoch in epochs]
    means = [float(np.mean(some)) if some else np.nan for some in values]
    axes.plot(epochs, means, color=colour, linestyle=style, linewidth=2, label=label)


def _mark_best(axes: "Axes", runs: Mapping[tuple, Sequence[Epoch]]) -> None:
    """A line at the epoch of the best UAR on the validation side; only where one training is drawn."""
    if len(runs) > 1:
        return
    (rows,) = runs.values()
    values = [_number(row.get("val_uar")) for row in rows]
    if np.isfinite(values).any():
        best = int(rows[int(np.nanargmax(values))]["epoch"])
        axes.axvline(best, color=SOFT, linewidth=1, linestyle=":", label=f"best UAR (epoch {best})")


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float | np.number) else float("nan")


def _ramp() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("ramp", RAMP)
