"""Truth and probabilities -> scores with intervals, and whether one model is better than another.

Clips of one speaker are not independent, so intervals come from a bootstrap over *speakers*: all clips of a speaker,
of all seeds, are drawn together. With several seeds a figure is the mean over seeds, never the best one.

Everything here is a function of one table of counts, `(units, seeds, emotions, emotions)`: the confusion matrix (rows =
truth, columns = answer) of each unit (speaker, or clip) under each seed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from overtone.datatypes import ClassScore, OofPredictions, Score, Scores
from overtone.errors import InputError, MissingExtraError, OptionError, suggest

RESAMPLES = 2000
DRAWS = 10_000
SEED = 20  # of resampling and draws, so that one set of predictions has one interval everywhere
INTERVAL = (2.5, 97.5)  # per cent: 95 % in between
EQUAL = 1e-12  # differences smaller than this are rounding
BLOCK_CELLS = 20_000_000  # of one matrix of resampling weights: 160 MB


def score(predictions: OofPredictions, rng: np.random.Generator, resamples: int = RESAMPLES) -> Scores:
    """How well predictions fit the truth, with 95 % intervals.

    A class without any clip in the truth is left out of UAR and macro-F1. Where a speaker is not known, or there is
    only one, the bootstrap draws clips instead of speakers, and `Scores.interval_over` says so.

    Args:
        predictions: of one or several seeds.
        rng: for the bootstrap.
        resamples: how many times to draw.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    units, over = _units(predictions)
    counts = _counts(predictions, units)
    drawn = _resampled(counts, rng, resamples)
    intervals = {name: _score(rates(counts.sum(axis=0)), rates(drawn)) for name, rates in MEASURES.items()}
    per_seed = uar(counts.sum(axis=0))
    return Scores(
        emotions=predictions.emotions,
        n=len(predictions),
        clips=len(np.unique(predictions.path)),
        speakers=len(np.unique(predictions.speaker[predictions.speaker != ""])),
        **intervals,
        classes=_class_scores(predictions),
        confusion=counts.sum(axis=(0, 1)),
        seeds=counts.shape[1],
        seed_spread=float(np.std(per_seed, ddof=1)) if len(per_seed) > 1 else 0.0,
        interval_over=over,
    )


def uar(confusion: np.ndarray) -> np.ndarray:
    """Unweighted average recall `(...)` of confusion matrices `(..., emotions, emotions)`; NaN where all are empty.

    Source: balanced accuracy; classes without truth are left out, as scikit-learn does.
    """
    hits, support = np.einsum("...ii->...i", confusion), confusion.sum(axis=-1)
    return _mean_where(hits / np.maximum(support, 1), support > 0)


def wa(confusion: np.ndarray) -> np.ndarray:
    """Accuracy `(...)` of confusion matrices `(..., emotions, emotions)`; NaN where all are empty."""
    total = confusion.sum(axis=(-2, -1))
    return np.where(total > 0, np.einsum("...ii->...", confusion) / np.maximum(total, 1), np.nan)


def macro_f1(confusion: np.ndarray) -> np.ndarray:
    """Mean F1 `(...)` of the classes of confusion matrices `(..., emotions, emotions)`.

    Classes without truth are left out, as in the UAR: a resample without a class must not count it as missed.
    """
    support = confusion.sum(axis=-1)
    both = support + confusion.sum(axis=-2)
    return _mean_where(2 * np.einsum("...ii->...i", confusion) / np.maximum(both, 1), support > 0)


MEASURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"uar": uar, "wa": wa, "macro_f1": macro_f1}


@dataclass(frozen=True)
class Comparison:
    """How much better one model is than another on the same clips.

    Attributes:
        measure: "uar" or "wa".
        difference: first minus second, in [-1, 1], with its 95 % interval.
        p: two-sided probability of a difference as large if the models were equal, in (0, 1].
        units: number of speakers (or clips) that were compared.
        over: "speakers" or "clips".
    """

    measure: str
    difference: Score
    p: float
    units: int
    over: str


def paired_test(
    first: OofPredictions, second: OofPredictions, rng: np.random.Generator, measure: str = "uar", draws: int = DRAWS
) -> Comparison:
    """Whether the first model is better than the second, by sign-flip permutation over speakers.

    On the same clips UAR and WA differences are sums of one contribution per speaker. If the models were equal, each
    contribution could as well have the other sign: all sign patterns are tried where there are no more than `draws`,
    else `draws` of them by chance. The interval is a bootstrap over speakers, which draws both models together.

    Args:
        first: predictions of one model.
        second: predictions of another, in any order: on the same clips with the same seeds, or with other seeds where
            every seed of both was tested on the same clips. Means over seeds are compared.
        rng: for draws and bootstrap.
        measure: "uar" or "wa".
        draws: number of sign patterns, and of resamples.

    Raises:
        InputError: the two were not tested on the same clips.
        OptionError: no such measure.
    """
    if measure not in ("uar", "wa"):
        raise OptionError(f"no paired test of '{measure}'{suggest(measure, ('uar', 'wa'))}")
    _check_same_clips(first, second)
    units, over = _units(first)
    unit_of = dict(zip(first.path.tolist(), units.tolist(), strict=True))
    one, other = _counts(first, units), _counts(second, np.array([unit_of[path] for path in second.path.tolist()]))
    parts = _contributions(one, measure) - _contributions(other, measure)
    rate, both = MEASURES[measure], np.concatenate([one, other], axis=1)
    drawn = rate(_resampled(both, rng, draws))
    difference = _score(*(_apart(rates, one.shape[1]) for rates in (rate(both.sum(axis=0)), drawn)))
    return Comparison(measure, difference, _sign_flip_p(parts, rng, draws), len(parts), over)


def _check_same_clips(first: OofPredictions, second: OofPredictions) -> None:
    clips = [set(zip(p.path.tolist(), p.truth.tolist(), strict=True)) for p in (first, second)]
    rows = [set(zip(p.path.tolist(), p.seed.tolist(), strict=True)) for p in (first, second)]
    whole = all(len(p) == len(clips[0]) * len(np.unique(p.seed)) for p in (first, second))  # each clip with every seed
    if first.emotions != second.emotions or clips[0] != clips[1] or not (rows[0] == rows[1] or whole):
        differing = len(clips[0] ^ clips[1]) or len(rows[0] ^ rows[1])
        raise InputError(f"a paired test needs the same classes and clips for both models; {differing} rows differ")


def _apart(rates: np.ndarray, seeds: int) -> np.ndarray:
    """Mean over the first seeds less mean over the others `(..., 1)`, of rates `(..., seeds of both)`."""
    first, second = (_mean_where(np.nan_to_num(some), np.isfinite(some)) for some in np.split(rates, [seeds], axis=-1))
    return (first - second)[..., np.newaxis]


def _contributions(counts: np.ndarray, measure: str) -> np.ndarray:
    """What each unit adds to the score of a model, float `(units,)`; their sum is the score."""
    hits = np.einsum("usii->usi", counts)
    support = counts.sum(axis=(0, -1))  # (seeds, emotions)
    if measure == "wa":
        rates = hits.sum(axis=-1) / support.sum(axis=-1)
    else:
        rates = _mean_where(hits / np.maximum(support, 1), np.broadcast_to(support > 0, hits.shape))
    return rates.mean(axis=1)


def _sign_flip_p(parts: np.ndarray, rng: np.random.Generator, draws: int) -> float:
    """Two-sided p of a sum of contributions `(units,)` against all, or `draws`, patterns of signs."""
    parts = parts[np.abs(parts) > EQUAL]  # a zero has no sign to flip
    exact = 2 ** len(parts) <= draws
    if exact:
        signs = 1 - 2 * ((np.arange(2 ** len(parts))[:, None] >> np.arange(len(parts))) & 1)
    else:
        signs = rng.choice((-1, 1), size=(draws, len(parts)))
    as_large = np.sum(np.abs(signs @ parts) >= abs(parts.sum()) - EQUAL)
    return float(as_large / len(signs) if exact else (as_large + 1) / (draws + 1))


def _units(predictions: OofPredictions) -> tuple[np.ndarray, str]:
    """The unit of each row, int `(n,)`, and what the units are."""
    speakers = predictions.speaker
    over = "speakers" if np.all(speakers != "") and len(np.unique(speakers)) > 1 else "clips"
    names = speakers if over == "speakers" else predictions.path
    return np.unique(names, return_inverse=True)[1], over


def _counts(predictions: OofPredictions, units: np.ndarray) -> np.ndarray:
    """Confusion matrices by unit and seed, float `(units, seeds, emotions, emotions)`."""
    size = len(predictions.emotions)
    places = {emotion: i for i, emotion in enumerate(predictions.emotions)}
    truth = np.array([places[emotion] for emotion in predictions.truth.tolist()])
    seeds, seed = np.unique(predictions.seed, return_inverse=True)
    counts = np.zeros((int(units.max()) + 1, len(seeds), size, size))
    np.add.at(counts, (units, seed, truth, predictions.probabilities.argmax(axis=1)), 1)
    return counts


def _resampled(counts: np.ndarray, rng: np.random.Generator, resamples: int) -> np.ndarray:
    """Counts of as many units drawn with replacement, summed: float `(resamples, seeds, emotions, emotions)`."""
    units = len(counts)
    flat = counts.reshape(units, -1)
    rows = max(1, BLOCK_CELLS // units)
    sizes = [min(rows, resamples - start) for start in range(0, resamples, rows)]
    even = np.full(units, 1 / units)
    drawn = [rng.multinomial(units, even, size=size).astype(float) @ flat for size in sizes]
    return np.concatenate(drawn).reshape(resamples, *counts.shape[1:])


def _score(per_seed: np.ndarray, drawn: np.ndarray) -> Score:
    """Mean over seeds `(seeds,)` with the interval of resamples `(resamples, seeds)`."""
    means = _mean_where(np.nan_to_num(drawn), np.isfinite(drawn))
    low, high = np.nanpercentile(means, INTERVAL)
    return Score(float(np.mean(per_seed)), float(low), float(high))


def _mean_where(values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Mean over the last axis of the values that count; NaN where none does."""
    number = counted.sum(axis=-1)
    return np.where(number > 0, (values * counted).sum(axis=-1) / np.maximum(number, 1), np.nan)


def _class_scores(predictions: OofPredictions) -> dict[str, ClassScore]:
    try:
        from sklearn.metrics import precision_recall_fscore_support
    except ImportError as error:
        raise MissingExtraError("scores need scikit-learn: pip install 'overtone[train]'") from error
    names = list(predictions.emotions)
    answers = np.array(names)[predictions.probabilities.argmax(axis=1)]
    columns = precision_recall_fscore_support(predictions.truth, answers, labels=names, zero_division=0)
    rows = zip(names, *(column.tolist() for column in columns), strict=True)
    return {name: ClassScore(precision, recall, f1, int(support)) for name, precision, recall, f1, support in rows}
