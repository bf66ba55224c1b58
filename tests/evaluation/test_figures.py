"""Figures: content of the PNGs, deterministic bytes, and no global matplotlib state."""

import io
import subprocess
import sys
from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

from overtone.corpora.ravdess import EMOTIONS
from overtone.datatypes import ClassScore, Score, Scores
from overtone.errors import InputError
from overtone.evaluation import figures


def make_scores(confusion: np.ndarray | None = None) -> Scores:
    counts = np.diag(np.arange(1, 9)) + np.eye(8, k=1, dtype=int) if confusion is None else confusion
    classes = {name: ClassScore(0.5, k / 8, 0.5, k + 1) for k, name in enumerate(EMOTIONS)}
    rate = Score(0.5, 0.4, 0.6)
    return Scores(EMOTIONS, 8, 8, 2, rate, rate, rate, classes, counts)


def make_history(epochs: int = 5, **extra: object) -> list[dict]:
    return [
        {
            "part": "mel",
            "epoch": k,
            "train_loss": 2 / k,
            "train_accuracy": 1 - 1 / k,
            "val_loss": 2.5 / k,
            "val_accuracy": 0.5 - abs(3 - k) / 10,
            "val_uar": 0.5 - abs(3 - k) / 10,
            **extra,
        }
        for k in range(1, epochs + 1)
    ]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Collect every figure that is rendered as PNG, for inspection."""
    collected: list[Figure] = []
    render = figures.png

    def collect(figure: Figure) -> bytes:
        collected.append(figure)
        return render(figure)

    monkeypatch.setattr(figures, "png", collect)
    return collected


def pixels(png: bytes) -> np.ndarray:
    return matplotlib.image.imread(io.BytesIO(png))


def test_confusion_has_truth_in_rows(drawn: list[Figure]) -> None:
    png = figures.confusion(make_scores(), "A title")
    assert pixels(png).shape[:2] == (960, 1080)
    (axes,) = drawn[0].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("prediction", "truth")
    assert [label.get_text() for label in axes.get_yticklabels()] == list(EMOTIONS)
    cells = {(text.get_position(), text.get_text()) for text in axes.texts}
    assert ((1, 0 - 0.1), "50") in cells  # neutral predicted as calm: one of two, in row 0 and column 1
    assert ((0, 1 - 0.1), "0") not in cells
    assert np.asarray(axes.images[0].get_array())[0, 1] == 0.5
    assert axes.get_title(loc="left") == "A title"


def test_confusion_of_many_own_classes_is_larger_and_literal(drawn: list[Figure]) -> None:
    names = ("sad", "$5 \\frac$", *(f"class {k}" for k in range(28)))
    scores = replace(make_scores(np.eye(30, dtype=int)), emotions=names)
    assert pixels(figures.confusion(scores, "")).shape[0] > 2000
    (axes,) = drawn[0].axes
    assert [label.get_text() for label in axes.get_xticklabels()] == list(names)


def test_confusion_of_a_class_without_clips() -> None:
    counts = np.diag([1] * 8)
    counts[3] = 0
    assert pixels(figures.confusion(make_scores(counts))).std() > 0


def test_curves_show_training_validation_and_best_epoch(drawn: list[Figure]) -> None:
    figures.curves(make_history(), "mel", "CNN")
    accuracy, loss = drawn[0].axes
    assert (accuracy.get_ylabel(), loss.get_ylabel()) == ("accuracy", "loss")
    lines = {line.get_label(): line for line in loss.get_lines()}
    np.testing.assert_allclose(lines["training"].get_ydata(), [2 / k for k in range(1, 6)])
    np.testing.assert_allclose(lines["validation"].get_ydata(), [2.5 / k for k in range(1, 6)])
    assert "best UAR (epoch 3)" in lines


def test_curves_of_several_runs_show_their_mean(drawn: list[Figure]) -> None:
    rows = make_history(5, fold="1", train_loss=1.0) + make_history(3, fold="2", train_loss=2.0)
    figures.curves(rows, "mel")
    lines = {line.get_label(): line for line in drawn[0].axes[1].get_lines()}
    np.testing.assert_allclose(lines["training"].get_ydata(), [1.5, 1.5, 1.5, 1, 1])
    assert len(drawn[0].axes[1].get_lines()) == 6
    assert not [label for label in lines if label.startswith("best")]


@pytest.mark.parametrize("missing", [None, float("nan"), "n/a"])
def test_curves_leave_gaps(missing: object, drawn: list[Figure]) -> None:
    rows = make_history()
    rows[1]["val_loss"] = missing
    rows[0] = {key: value for key, value in rows[0].items() if key != "val_uar"}
    figures.curves(rows, "mel")
    lines = {line.get_label(): line for line in drawn[0].axes[1].get_lines()}
    assert np.flatnonzero(np.isnan(lines["validation"].get_ydata())).tolist() == [1]


def test_curves_of_one_epoch_and_of_none() -> None:
    figures.curves(make_history(1), "mel")
    with pytest.raises(InputError, match="no epoch of part 'prosody'"):
        figures.curves(make_history(), "prosody")


def test_bar_heights_are_recalls(drawn: list[Figure]) -> None:
    figures.recalls({"mel": make_scores(), "fusion": make_scores()}, "Recall")
    (axes,) = drawn[0].axes
    assert [bar.get_height() for bar in axes.containers[0]] == [100 * k / 8 for k in range(8)]
    assert len(axes.containers) == 2
    np.testing.assert_allclose(axes.get_lines()[0].get_ydata(), 12.5)


EDGES, COUNT, ACCURACY = np.linspace(0, 1, 5), np.array([0, 2, 2, 4]), np.array([np.nan, 0.5, 0.5, 1])


def test_reliability_bars(drawn: list[Figure]) -> None:
    figures.reliability(EDGES, COUNT, ACCURACY, "Title", "ECE 3")
    top, bottom = drawn[0].axes
    assert [bar.get_height() for bar in top.patches] == [0, 50, 50, 100]
    assert [bar.get_height() for bar in bottom.patches] == [0, 25, 25, 50]
    assert [bar.get_x() + bar.get_width() / 2 for bar in top.patches] == pytest.approx([12.5, 37.5, 62.5, 87.5])
    assert [text.get_text() for text in top.texts] == ["ECE 3"]


@pytest.mark.parametrize(("mark", "marks"), [((0.5, 0.1), 1), ((0.9, 0.2), 1), ((0, float("nan")), 0)])
def test_risk_and_coverage_with_a_mark(mark: tuple[float, float], marks: int, drawn: list[Figure]) -> None:
    curve = figures.RiskCurve(np.array([0.5, 1]), np.array([0.1, 0.3]), mark, "sure")
    figures.risk_coverage({"known": curve}, "Title")
    (axes,) = drawn[0].axes
    curve, *marked = axes.get_lines()
    np.testing.assert_allclose(curve.get_xydata(), [[50, 10], [100, 30]])
    assert [line.get_xydata().tolist() for line in marked] == [[[100 * mark[0], 100 * mark[1]]]] * marks
    assert [text.get_text() for text in axes.texts] == ["sure"] * marks


def test_several_risk_coverage_curves_have_a_legend(drawn: list[Figure]) -> None:
    curves = {
        name: figures.RiskCurve(np.array([0.5, 1]), np.array([0.1, risk]), (0.5, 0.1), "sure")
        for name, risk in (("known", 0.3), ("unseen", 0.6))
    }
    figures.risk_coverage(curves, "Title")
    (axes,) = drawn[0].axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["known", "unseen"]
    lines = [line for line in axes.get_lines() if len(line.get_xdata()) > 1]
    assert [line.get_ydata()[-1] for line in lines] == [30, 60]
    assert len({line.get_linestyle() for line in lines}) == 2


def test_same_figure_gives_same_bytes() -> None:
    for draw in (
        lambda: figures.confusion(make_scores()),
        lambda: figures.curves(make_history(), "mel"),
        lambda: figures.reliability(EDGES, COUNT, ACCURACY),
    ):
        assert draw() == draw()


def test_matplotlib_is_imported_lazily_and_without_pyplot() -> None:
    code = (
        "import sys; from overtone.formats.matplotlib_helpers import new_figure, png;"
        "from overtone.evaluation import figures; assert 'matplotlib' not in sys.modules;"
        "png(new_figure(1, 1)); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
