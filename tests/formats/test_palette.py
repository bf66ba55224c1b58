from collections.abc import Collection

import numpy as np
import pytest

from overtone.emotions import EMOTIONS
from overtone.formats.palette import KNOWN_COLOURS, contrast, emotion_colours, text_colour

MIN_DISTANCE = 20  # CIELAB; the nine colours of Tol's "muted", made for this, come to 17

# Linear RGB as perceived with colour vision deficiencies.
# Source: Machado, Oliveira & Fernandes 2009, table 1.
VISION = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def cielab(linear_rgb: np.ndarray) -> np.ndarray:
    xyz = linear_rgb @ XYZ.T / XYZ.sum(axis=1)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def smallest_distance(colours: Collection[str], vision: str) -> float:
    """Return the smallest distance between any two colours in CIELAB, under a colour vision."""
    rgb = np.array([[int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)] for colour in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    lab = cielab(np.clip(linear @ np.array(VISION[vision]).T, 0, 1))
    distances = np.linalg.norm(lab[:, None] - lab[None], axis=-1)[np.triu_indices(len(lab), 1)]
    return float(distances.min())


@pytest.mark.parametrize("vision", VISION)
def test_emotion_colours_are_distinguishable(vision: str) -> None:
    assert smallest_distance(KNOWN_COLOURS.values(), vision) > MIN_DISTANCE


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(("own", "min_distance"), [(1, 20), (5, 20), (20, 12), (100, 5.5)])
def test_colours_of_own_classes_stay_apart(vision: str, own: int, min_distance: float) -> None:
    colours = emotion_colours((*EMOTIONS, *(f"own {k}" for k in range(own))))
    assert smallest_distance(colours.values(), vision) > min_distance


def test_colours_follow_from_the_place_in_the_class_list() -> None:
    few, many = emotion_colours(("angry", "x", "y")), emotion_colours(("sad", "angry", "a", "b", "c"))
    assert list(few) == ["angry", "x", "y"]
    assert few["angry"] == many["angry"] == KNOWN_COLOURS["angry"]
    assert (few["x"], few["y"]) == (many["a"], many["b"])
    assert len(set(emotion_colours(tuple(map(str, range(400)))).values())) == 400
    assert len(emotion_colours(tuple(map(str, range(1000))))) == 1000
    assert emotion_colours(EMOTIONS) == KNOWN_COLOURS


def test_text_is_readable_on_every_emotion_colour() -> None:
    assert tuple(KNOWN_COLOURS) == EMOTIONS
    for colour in emotion_colours((*EMOTIONS, *map(str, range(400)))).values():
        assert contrast(colour, text_colour(colour)) >= 4.5  # WCAG 2.2, AA


def test_contrast_follows_wcag() -> None:
    assert contrast("#000000", "#ffffff") == contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # the grey that narrowly fails
