"""Scores with confidence intervals, and paired significance tests between two models.

Clips of one speaker are not independent, so intervals come from a bootstrap over *speakers*: all clips of a speaker,
of all seeds, are resampled together. With several seeds a score is the mean over seeds, never the best one. The score
of a protocol with `mean_of_folds` is the mean of the scores of its folds, and speakers are resampled within each fold.

Every score is a function of the tallies of each class, unit (speaker, or clip) and seed; see
`overtone.evaluation.tallies`. There is one array of them per fold where scores are means of folds, else one for all
clips.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from overtone.datatypes import BoolArray, ClassScore, FloatArray, OofPredictions, Score, Scores, StrArray
from overtone.errors import InputError, OptionError, suggest
from overtone.evaluation.tallies import HITS, TRUE, confusion_matrix, macro_f1, mean_where, tally, uar, wa

RESAMPLES = 2000
PERMUTATIONS = 10_000
SEED = 20  # of bootstrap and permutations, so that the same predictions have the same interval everywhere
PERCENTILES = (2.5, 97.5)  # bounds of the 95 % interval
EPSILON = 1e-12  # smaller differences are rounding errors
MAX_WEIGHTS = 20_000_000  # size of one matrix of resampling weights: 160 MB


def score(
    predictions: OofPredictions, rng: np.random.Generator, resamples: int = RESAMPLES, *, mean_of_folds: bool = False
) -> Scores:
    """Return the scores of predictions, with 95 % intervals.

    UAR and macro-F1 exclude classes without a clip in the truth. If any speaker is unknown, or there is only one, the
    bootstrap resamples clips instead of speakers; `Scores.interval_over` names the unit.

    Args:
        predictions: predictions of one or several seeds.
        rng: random generator of the bootstrap.
        resamples: number of bootstrap resamples.
        mean_of_folds: whether scores are means of the scores of the folds (`Protocol.mean_of_folds`).
    """
    units, over = _units(predictions)
    folds = {fold: tally(predictions, units, rows) for fold, rows in _fold_rows(predictions, mean_of_folds).items()}
    totals = [tallies.sum(axis=0) for tallies in folds.values()]
    resampled = [_bootstrap(tallies, rng, resamples) for tallies in folds.values()]
    scores = {
        name: _score(_mean_of_folds(totals, measure), _mean_of_folds(resampled, measure))
        for name, measure in MEASURES.items()
    }
    per_seed = _mean_of_folds(totals, uar)
    known = predictions.speaker != ""
    confusion = confusion_matrix(predictions)
    return Scores(
        emotions=predictions.emotions,
        n=len(predictions),
        clips=len(np.unique(_qualified(predictions, predictions.path))),
        speakers=len(np.unique(_qualified(predictions, predictions.speaker)[known])),
        **scores,
        classes=_class_scores(predictions.emotions, confusion),
        confusion=confusion,
        seeds=len(per_seed),
        seed_spread=float(np.std(per_seed, ddof=1)) if len(per_seed) > 1 else 0.0,
        interval_over=over,
        folds={fold: float(_nan_mean(uar(tallies.sum(axis=0)))) for fold, tallies in folds.items() if mean_of_folds},
    )


MEASURES: dict[str, Callable[[FloatArray], FloatArray]] = {"uar": uar, "wa": wa, "macro_f1": macro_f1}


@dataclass(frozen=True)
class Comparison:
    """The difference between the scores of two models on the same clips.

    Attributes:
        measure: "uar" or "wa".
        difference: first minus second, in [-1, 1], with its 95 % interval.
        p: two-sided p-value under the null hypothesis of equal models, in (0, 1].
        units: number of speakers (or clips) compared.
        over: unit of the test, "speakers" or "clips".
    """

    measure: str
    difference: Score
    p: float
    units: int
    over: str


def paired_test(
    first: OofPredictions,
    second: OofPredictions,
    rng: np.random.Generator,
    measure: str = "uar",
    permutations: int = PERMUTATIONS,
    *,
    mean_of_folds: bool = False,
) -> Comparison:
    """Compare two models with a sign-flip permutation test over speakers.

    On the same clips, a difference in UAR or WA is a sum of one contribution per speaker. If the models were equal,
    each contribution would be equally likely to have the opposite sign. The test enumerates all sign patterns if there
    are at most `permutations`, and otherwise samples `permutations` of them. The interval is a bootstrap over speakers
    that resamples both models together.

    Args:
        first: predictions of one model.
        second: predictions of another, in any order: on the same clips with the same seeds; or with other seeds, if
            every seed of both models was tested on the same clips. Means over seeds are compared.
        rng: random generator of permutations and bootstrap.
        measure: "uar" or "wa".
        permutations: maximum number of sign patterns, and number of bootstrap resamples.
        mean_of_folds: whether scores are means of the scores of the folds.

    Raises:
        InputError: the models were not tested on the same clips.
        OptionError: there is no such measure.
    """
    if measure not in ("uar", "wa"):
        raise OptionError(f"no paired test of '{measure}'{suggest(measure, ('uar', 'wa'))}")
    if "" in (*first.corpus.tolist(), *second.corpus.tolist()):  # of an older file: compare clip ids alone
        first, second = (replace(table, corpus=np.full(len(table), "")) for table in (first, second))
    _check_same_clips(first, second)
    tallies_of_folds = [
        [tally(table, _units(table)[0], rows) for rows in _fold_rows(table, mean_of_folds).values()]
        for table in (first, second)
    ]
    pairs = list(zip(*tallies_of_folds, strict=True))
    shares = [_contributions(one, measure) - _contributions(other, measure) for one, other in pairs]
    contributions = np.concatenate(shares) / len(pairs)
    both, rate = [np.concatenate(pair, axis=1) for pair in pairs], MEASURES[measure]
    samples = [[tallies.sum(axis=0) for tallies in both], [_bootstrap(tallies, rng, permutations) for tallies in both]]
    seeds = len(np.unique(first.seed))
    difference = _score(*(_mean_difference(_mean_of_folds(sums, rate), seeds) for sums in samples))
    p = _sign_flip_p(contributions, rng, permutations)
    return Comparison(measure, difference, p, len(contributions), _units(first)[1])


def _check_same_clips(first: OofPredictions, second: OofPredictions) -> None:
    tables = (first, second)
    names = [_qualified(table, table.path).tolist() for table in tables]
    clips, rows = (
        [set(zip(names[k], getattr(table, column).tolist(), strict=True)) for k, table in enumerate(tables)]
        for column in ("truth", "seed")
    )
    every_clip_with_every_seed = all(len(table) == len(clips[0]) * len(np.unique(table.seed)) for table in tables)
    same_rows = rows[0] == rows[1] or every_clip_with_every_seed
    if first.emotions != second.emotions or clips[0] != clips[1] or not same_rows:
        differing = len(clips[0] ^ clips[1]) or len(rows[0] ^ rows[1])
        raise InputError(f"a paired test needs the same classes and clips for both models; {differing} rows differ")


def _mean_difference(rates: FloatArray, first_seeds: int) -> FloatArray:
    """Return the mean over the first seeds minus the mean over the others `(..., 1)`, of rates `(..., all seeds)`."""
    first, second = (_nan_mean(part) for part in np.split(rates, [first_seeds], axis=-1))
    return (first - second)[..., np.newaxis]


def _contributions(tallies: FloatArray, measure: str) -> FloatArray:
    """Return the contribution of each unit to the score of a model, float `(units,)`; their sum is the score."""
    hits, support = tallies[..., HITS], tallies[..., TRUE].sum(axis=0)  # (seeds, emotions)
    rates: FloatArray
    if measure == "wa":
        rates = hits.sum(axis=-1) / support.sum(axis=-1)
    else:
        rates = mean_where(hits / np.maximum(support, 1), np.broadcast_to(support > 0, hits.shape))
    means: FloatArray = rates.mean(axis=1)
    return means


def _sign_flip_p(contributions: FloatArray, rng: np.random.Generator, permutations: int) -> float:
    """Return the two-sided p-value of a sum of contributions `(units,)` under random signs."""
    contributions = contributions[np.abs(contributions) > EPSILON]  # a zero has no sign to flip
    units = len(contributions)
    exact = 2**units <= permutations
    if exact:
        signs = 1 - 2 * ((np.arange(2**units)[:, None] >> np.arange(units)) & 1)
    else:
        signs = rng.choice((-1, 1), size=(permutations, units))
    as_large = np.sum(np.abs(signs @ contributions) >= abs(contributions.sum()) - EPSILON)
    return float(as_large / len(signs) if exact else (as_large + 1) / (permutations + 1))


def _qualified(predictions: OofPredictions, names: StrArray) -> StrArray:
    """Return names of speakers or clips with their corpus, since two corpora may have the same names."""
    return np.char.add(np.char.add(predictions.corpus, "/"), names)


def _units(predictions: OofPredictions) -> tuple[StrArray, str]:
    """Return the name of the unit of each row, str `(n,)`, and whether units are "speakers" or "clips"."""
    speakers = _qualified(predictions, predictions.speaker)
    over = "speakers" if np.all(predictions.speaker != "") and len(np.unique(speakers)) > 1 else "clips"
    return speakers if over == "speakers" else _qualified(predictions, predictions.path), over


def _fold_rows(predictions: OofPredictions, mean_of_folds: bool) -> dict[str, BoolArray]:
    """Return the rows, bool `(n,)`, that have a score in common: those of each fold, or all under the name ""."""
    if not mean_of_folds:
        return {"": np.ones(len(predictions), dtype=bool)}
    return {fold: predictions.fold == fold for fold in np.unique(predictions.fold).tolist()}


def _mean_of_folds(sums: Sequence[FloatArray], measure: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Return the mean of a measure over the tallies of all folds, each `(..., emotions, 3)`."""
    return _nan_mean(np.stack([measure(tallies) for tallies in sums], axis=-1))


def _bootstrap(tallies: FloatArray, rng: np.random.Generator, resamples: int) -> FloatArray:
    """Return summed tallies of units drawn with replacement: float `(resamples, seeds, emotions, 3)`."""
    units = len(tallies)
    flat = tallies.reshape(units, -1)
    rows = max(1, MAX_WEIGHTS // units)
    sizes = [min(rows, resamples - start) for start in range(0, resamples, rows)]
    uniform = np.full(units, 1 / units)
    sums = [rng.multinomial(units, uniform, size=size).astype(float) @ flat for size in sizes]
    return np.concatenate(sums).reshape(resamples, *tallies.shape[1:])


def _score(per_seed: FloatArray, resampled: FloatArray) -> Score:
    """Return the mean over seeds `(seeds,)` with the interval of the resamples `(resamples, seeds)`."""
    low, high = np.nanpercentile(_nan_mean(resampled), PERCENTILES)
    return Score(float(np.mean(per_seed)), float(low), float(high))


def _nan_mean(values: FloatArray) -> FloatArray:
    """Return the mean of the finite values over the last axis; NaN without any."""
    return mean_where(np.nan_to_num(values), np.isfinite(values))


def _class_scores(emotions: Sequence[str], confusion: FloatArray) -> dict[str, ClassScore]:
    """Return the scores of each class of a confusion matrix; an undefined rate is 0, as in scikit-learn."""
    hits, support, predicted = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    precision, recall = hits / np.maximum(predicted, 1), hits / np.maximum(support, 1)
    f1 = 2 * hits / np.maximum(support + predicted, 1)
    columns = zip(emotions, *(rates.tolist() for rates in (precision, recall, f1, support.astype(int))), strict=True)
    return {name: ClassScore(*scores) for name, *scores in columns}
