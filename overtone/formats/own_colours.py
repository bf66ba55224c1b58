"""Colours of own classes: each as far as possible from those of the known emotions and of the own classes before it.

The distance of two colours is the smallest of their distances in CIELAB under normal vision and three colour vision
deficiencies. Candidates are the colours of a regular grid in sRGB that are neither too dark nor too light for the
backgrounds of the pages.
"""

from functools import lru_cache

import numpy as np

from overtone.datatypes import FloatArray

GRID_STEP = 15  # of 255
MIN_LIGHTNESS, MAX_LIGHTNESS = 25.0, 88.0  # CIELAB L*
MAX_DISTINCT = 512  # beyond any use; further classes get the same colours again
DISTANCE_DIGITS = 6  # ties are decided by the order of the grid, not by the rounding of a processor

# Linear RGB as perceived with normal vision, protanopia, deuteranopia and tritanopia.
# Source: Machado, Oliveira & Fernandes 2009, "A physiologically-based model for simulation of color vision deficiency",
# table 1.
VISIONS = np.array(
    [
        np.eye(3),
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    ]
)
# Linear sRGB -> CIE XYZ, white point D65. Source: IEC 61966-2-1.
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


@lru_cache(maxsize=64)
def own_colours(count: int, used: tuple[str, ...]) -> tuple[str, ...]:
    """Return the colours of own classes, `#rrggbb`; fewer classes get the first of the same colours.

    Args:
        count: number of own classes.
        used: the colours to stay apart from.
    """
    if not count:
        return ()
    grid = np.arange(0, 256, GRID_STEP)
    candidates = np.stack(np.meshgrid(grid, grid, grid, indexing="ij"), axis=-1).reshape(-1, 3)
    lightness = _cielab(candidates)[0, :, 0]
    candidates = candidates[(lightness >= MIN_LIGHTNESS) & (lightness <= MAX_LIGHTNESS)]
    lab = _cielab(candidates)
    taken = _cielab(np.array([[int(colour[start : start + 2], 16) for start in (1, 3, 5)] for colour in used]))
    nearest = np.min([_distances(lab, taken[:, k]) for k in range(len(used))], axis=0)
    chosen = []
    for _ in range(min(count, MAX_DISTINCT)):
        best = int(np.argmax(np.round(nearest, DISTANCE_DIGITS)))
        nearest = np.minimum(nearest, _distances(lab, lab[:, best]))
        chosen.append("#{:02x}{:02x}{:02x}".format(*candidates[best].tolist()))
    return tuple(chosen[k % MAX_DISTINCT] for k in range(count))


def _distances(lab: FloatArray, other: FloatArray) -> FloatArray:
    """Return the distance of each colour to another one, `(colours,)`, the smallest of all visions.

    Args:
        lab: colours under each vision, `(visions, colours, 3)`.
        other: a colour under each vision, `(visions, 3)`.
    """
    distances: FloatArray = np.linalg.norm(lab - other[:, None], axis=-1).min(axis=0)
    return distances


def _cielab(rgb: np.ndarray) -> FloatArray:
    """Return colours in CIELAB under each vision, `(visions, colours, 3)`.

    Source: CIE 15, "Colorimetry"; IEC 61966-2-1 for sRGB.

    Args:
        rgb: sRGB, 0 to 255, `(colours, 3)`.
    """
    values = rgb / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.einsum("vij,cj->vci", VISIONS, linear), 0, 1)
    xyz = seen @ XYZ.T / XYZ.sum(axis=1)
    x, y, z = np.moveaxis(np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
