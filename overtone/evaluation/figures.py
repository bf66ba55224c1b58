"""Figures of scores and training histories as PNG bytes, drawn with matplotlib's Agg canvas and without global state.

To add a figure, write a function that draws on `new_figure(...)` and returns `png(figure)`. The colours are the
Okabe-Ito palette and single-hue ramps, readable with colour blindness; line styles distinguish lines in greyscale.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from overtone.datatypes import FloatArray, IntArray, Scores
from overtone.errors import InputError
from overtone.formats.matplotlib_helpers import new_figure, png, set_title, style_axes
from overtone.formats.palette import BLUE, GREEN, INK, LINE, ORANGE, PINK, RAMP, SOFT
from overtone.formats.table import class_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Epoch = Mapping[str, Any]
Run = tuple[Any, Any]  # fold and seed

CURVE_STYLES = ((BLUE, "-"), (ORANGE, "--"), (GREEN, ":"))
CLASSES_THAT_FIT, MAX_SIDE_INCH = 10, 40.0  # of a confusion matrix, at its normal and largest size
MAX_LABELLED_CLASSES = 75  # with more, labels and numbers would overlap at the largest size
DARK_CELL = 0.55  # above this share the ramp is dark enough for white text


class RiskCurve(NamedTuple):
    """A risk-coverage curve and one point of it.

    Attributes:
        coverage: share of accepted predictions `(thresholds,)`, rising to 1.
        risk: share of accepted predictions that are wrong `(thresholds,)`.
        mark: coverage and risk of the marked point; NaN for no mark.
        mark_label: label of the marked point.
    """

    coverage: FloatArray
    risk: FloatArray
    mark: tuple[float, float]
    mark_label: str


def confusion(scores: Scores, title: str = "") -> bytes:
    """Return a confusion matrix: rows = truth, columns = prediction, coloured by the share of the row.

    With more than `MAX_LABELLED_CLASSES` classes, it has colours only.

    Args:
        scores: scores of one model.
        title: title of the figure.
    """
    counts = scores.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    is_labelled = len(counts) <= MAX_LABELLED_CLASSES
    more = max(0, len(counts) - CLASSES_THAT_FIT) if is_labelled else CLASSES_THAT_FIT
    side_inch = min(6.4 + 0.5 * more, MAX_SIDE_INCH)
    figure = new_figure(side_inch + 0.8, side_inch)
    axes = figure.add_subplot()
    axes.imshow(shares, cmap=_ramp(), vmin=0, vmax=1)
    for row, column in np.argwhere(counts) if is_labelled else ():
        _cell(axes, row, column, shares[row, column], int(counts[row, column]))
    names = [class_label(name) for name in scores.emotions] if is_labelled else []
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor", parse_math=False)
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.set_xlabel("prediction")
    axes.set_ylabel("truth")
    axes.set_xticks(np.arange(0.5, len(names) - 1), minor=True)
    axes.set_yticks(np.arange(0.5, len(names) - 1), minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    style_axes(axes, frame=False)
    set_title(axes, title, f"UAR {scores.uar}   ·   per cent of the row, number of predictions below")
    return png(figure)


def curves(history: Sequence[Epoch], part: str, title: str = "") -> bytes:
    """Return learning curves: accuracy and loss per epoch, with the epoch of the best validation UAR marked.

    Args:
        history: rows with "part", "epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "val_uar", and
            "fold" and "seed" for several training runs; a missing value leaves a gap.
        part: part of the model whose rows are drawn.
        title: title of the figure.

    Raises:
        InputError: the history has no row for this part.
    """
    rows = [row for row in history if row["part"] == part]
    if not rows:
        raise InputError(f"no epoch of part '{part}' in the training history")
    runs: dict[Run, list[Epoch]] = {}
    for row in rows:
        runs.setdefault((row.get("fold"), row.get("seed")), []).append(row)
    figure = new_figure(9.6, 4.0)
    for column, quantity in enumerate(("accuracy", "loss"), start=1):
        axes = figure.add_subplot(1, 2, column)
        for side, colour, style in (("train", BLUE, "--"), ("val", ORANGE, "-")):
            _curve(axes, list(runs.values()), f"{side}_{quantity}", colour, style)
        _mark_best(axes, runs)
        axes.set_xlabel("epoch")
        axes.set_ylabel(quantity)
        axes.grid(color=LINE, linewidth=0.8)
        axes.margins(x=0.02)
        if quantity == "accuracy":
            axes.set_ylim(0, 1.02)
            set_title(axes, title)
        else:
            axes.legend(frameon=False, ncols=3, loc="lower right", bbox_to_anchor=(1, 1), labelcolor=INK)
        style_axes(axes)
    return png(figure)


def recalls(scores: Mapping[str, Scores], title: str = "") -> bytes:
    """Return a bar chart of the recall of each emotion, one colour per model; the dotted line is chance level.

    Args:
        scores: name of a model -> its scores; at most four models, all with the same emotions.
        title: title of the figure.
    """
    names = next(iter(scores.values())).emotions
    figure = new_figure(9.6, 4.2)
    axes = figure.add_subplot()
    width = 0.8 / len(scores)
    for k, (model, model_scores) in enumerate(scores.items()):
        positions = np.arange(len(names)) + (k - (len(scores) - 1) / 2) * width
        heights = [100 * model_scores.classes[name].recall for name in names]
        colour = (BLUE, ORANGE, GREEN, PINK)[k]
        label = f"{model}  (UAR {100 * model_scores.uar.value:.1f})"
        bars = axes.bar(positions, heights, width * 0.92, color=colour, label=label)
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
    axes.set_xticks(range(len(names)), [class_label(name) for name in names], parse_math=False)
    axes.set_xlim(-0.55, len(names) - 0.05)
    axes.set_ylabel("recall, per cent")
    axes.set_ylim(0, 108)
    axes.set_yticks(range(0, 101, 20))
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=LINE, linewidth=0.8)
    axes.legend(frameon=False, ncols=len(scores), loc="lower right", bbox_to_anchor=(1, 1), labelcolor=INK)
    style_axes(axes)
    set_title(axes, title)
    return png(figure)


def reliability(edges: FloatArray, count: IntArray, accuracy: FloatArray, title: str = "", subtitle: str = "") -> bytes:
    """Return a reliability diagram above a histogram of the confidence; the dotted line is perfect calibration.

    Args:
        edges: edges of the confidence bins `(bins + 1,)`, from 0 to 1.
        count: number of predictions per bin `(bins,)`.
        accuracy: share of correct predictions per bin `(bins,)`, NaN for an empty bin.
        title: title of the figure.
        subtitle: line below the title.
    """
    figure = new_figure(6.4, 5.6)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    percent, width = 100 * (edges[:-1] + edges[1:]) / 2, 92 * np.diff(edges)
    top.bar(percent, np.nan_to_num(100 * accuracy), width, color=BLUE)
    top.plot([0, 100], [0, 100], color=INK, linewidth=1, linestyle=":")
    top.set_ylabel("correct, per cent of the predictions")
    top.set_ylim(0, 104)
    bottom.bar(percent, 100 * count / count.sum(), width, color=SOFT)
    bottom.set_ylabel("share, per cent")
    bottom.set_xlabel("confidence, per cent")
    bottom.set_xlim(0, 100)
    for axes in (top, bottom):
        axes.set_axisbelow(True)
        axes.grid(axis="y", color=LINE, linewidth=0.8)
        style_axes(axes)
    set_title(top, title, subtitle)
    return png(figure)


def risk_coverage(curves: Mapping[str, RiskCurve], title: str = "") -> bytes:
    """Return risk-coverage curves, each with one marked point.

    Args:
        curves: label -> curve; as many as `CURVE_STYLES` at most.
        title: title of the figure.
    """
    figure = new_figure(6.4, 4.2)
    axes = figure.add_subplot()
    for (label, curve), (colour, style) in zip(curves.items(), CURVE_STYLES, strict=False):
        axes.plot(100 * curve.coverage, 100 * curve.risk, style, color=colour, linewidth=2, label=label)
        x, y = 100 * curve.mark[0], 100 * curve.mark[1]
        if np.isfinite(y):
            side, offset = ("right", (-8, 8)) if x > 50 else ("left", (8, -12))  # away from the rising curve
            axes.plot([x], [y], "o", color=colour)
            axes.annotate(curve.mark_label, (x, y), offset, textcoords="offset points", ha=side, color=INK, fontsize=9)
    if len(curves) > 1:
        axes.legend(frameon=False, fontsize=9)
    axes.set_xlabel("accepted, per cent of the predictions")
    axes.set_ylabel("wrong, per cent of the accepted")
    axes.set_xlim(0, 100)
    axes.set_ylim(bottom=0)
    axes.grid(color=LINE, linewidth=0.8)
    style_axes(axes)
    set_title(axes, title)
    return png(figure)


def _cell(axes: "Axes", row: int, column: int, share: float, count: int) -> None:
    colour = "white" if share > DARK_CELL else INK
    weight = "bold" if row == column else "normal"
    axes.text(column, row - 0.1, f"{100 * share:.0f}", ha="center", va="center", color=colour, weight=weight)
    axes.text(column, row + 0.24, f"{count}", ha="center", va="center", color=colour, fontsize=7, alpha=0.75)


def _curve(axes: "Axes", runs: Sequence[Sequence[Epoch]], name: str, colour: str, style: str) -> None:
    """Draw the mean of all runs as a thick line and, for several runs, each run as a thin line."""
    label = "training" if name.startswith("train") else "validation"
    lines = [{int(row["epoch"]): _number(row.get(name)) for row in run} for run in runs]
    if len(lines) > 1:
        for line in lines:
            axes.plot(list(line), list(line.values()), color=colour, linestyle=style, linewidth=0.7, alpha=0.35)
    epochs = sorted({epoch for line in lines for epoch in line})
    values = [[line[epoch] for line in lines if np.isfinite(line.get(epoch, np.nan))] for epoch in epochs]
    means = [float(np.mean(finite)) if finite else np.nan for finite in values]
    axes.plot(epochs, means, color=colour, linestyle=style, linewidth=2, label=label)


def _mark_best(axes: "Axes", runs: Mapping[Run, Sequence[Epoch]]) -> None:
    """Draw a line at the epoch of the best validation UAR; only for a single run."""
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
