"""The curve of a probability where cells of a clip, its spans or bands, are deleted or inserted one after the other.

Deleted cells are replaced in another way than explanations replace them, so that the test is not circular: spans by
digital silence, bands by a filter over the whole clip.
"""

import itertools
from collections.abc import Callable

import numpy as np

from overtone.datatypes import SAMPLE_RATE_HZ
from overtone.inference.explaining.band_changes import BAND_EDGES_HZ, BANDS
from overtone.inference.explaining.replacement import span_weights
from overtone.inference.explaining.time_spans import cell_edges

STEPS = 5  # of a curve, from the whole clip to an empty one
RANDOM_ORDERS = 1
RANDOM, ENERGY, EXPLANATION = "random", "energy", "explanation"
ORDERS = (EXPLANATION, RANDOM, ENERGY)
DELETION, INSERTION = "deletion", "insertion"
Mask = np.ndarray


def measure_areas(
    probability: Callable[[tuple[bool, ...]], float],
    contributions: np.ndarray,
    energies: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, dict[str, float]]:
    """Return direction -> order -> area under the curve.

    Args:
        probability: of the predicted class, in [0, 1], where the cells with True are deleted.
        contributions: of each cell `(cells,)`, positive where it speaks for the predicted class.
        energies: of each cell `(cells,)`.
        rng: for random orders, whose areas are averaged.
    """
    cells = len(contributions)
    scores = {
        EXPLANATION: [contributions],
        ENERGY: [energies],
        RANDOM: [rng.random(cells) for _ in range(RANDOM_ORDERS)],
    }
    areas: dict[str, dict[str, float]] = {DELETION: {}, INSERTION: {}}
    for name in ORDERS:
        orders = [np.argsort(-each, kind="stable") for each in scores[name]]
        for direction in areas:
            curves = [
                [probability(_mask(order, step, cells, direction == INSERTION)) for step in range(STEPS + 1)]
                for order in orders
            ]
            areas[direction][name] = float(np.mean([np.trapezoid(curve) / STEPS for curve in curves]))
    return areas


def _mask(order: np.ndarray, step: int, cells: int, inverted: bool) -> tuple[bool, ...]:
    """Return which cells are deleted at a step of a curve: the first of the order, or all but the first."""
    mask = np.zeros(cells, bool)
    mask[order[: round(step / STEPS * cells)]] = True
    return tuple((~mask if inverted else mask).tolist())


def delete_spans(samples: np.ndarray, mask: Mask) -> np.ndarray:
    """Return the clip with digital silence in the chosen spans."""
    return samples * (1 - span_weights(mask, cell_edges(len(samples))))


def delete_bands(samples: np.ndarray, mask: Mask) -> np.ndarray:
    """Return the clip without the chosen bands, by a filter over the whole clip with vertical edges."""
    spectrum = np.fft.rfft(samples)
    spectrum[mask[_band_of(len(samples))]] = 0
    return np.fft.irfft(spectrum, len(samples))


def span_energies(samples: np.ndarray) -> np.ndarray:
    """Return the mean power of each span."""
    edges = cell_edges(len(samples))
    return np.array([(samples[first:end] ** 2).mean() for first, end in itertools.pairwise(edges)])


def band_energies(samples: np.ndarray) -> np.ndarray:
    """Return the energy of each band."""
    return np.bincount(_band_of(len(samples)), np.abs(np.fft.rfft(samples)) ** 2, minlength=BANDS)


def _band_of(length: int) -> np.ndarray:
    frequencies_hz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE_HZ)
    return np.clip(np.searchsorted(BAND_EDGES_HZ, frequencies_hz, side="right") - 1, 0, BANDS - 1)
