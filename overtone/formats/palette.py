"""All colours of plots, HTML pages and the web page of the service."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from overtone.formats.own_colours import own_colours

INK, SOFT, LINE = "#1c2430", "#5b6675", "#d9dee5"
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"  # Source: Okabe & Ito 2008
RAMP = ("#ffffff", "#d6e6f2", "#7fb3d5", "#2a7ab0", "#08416b")

# Each known emotion. The result of a search for the largest minimum distance between any two colours under normal
# vision, protanopia, deuteranopia and tritanopia; tests/formats/test_palette.py measures it.
KNOWN_COLOURS = {
    "neutral": "#d5d0c8",
    "calm": "#4ccfe8",
    "happy": "#f8c43f",
    "sad": "#3045b6",
    "angry": "#ab1f12",
    "fearful": "#b15eaf",
    "disgust": "#478f4d",
    "surprised": "#de6f9c",
    "bored": "#5a4941",
}


@lru_cache(maxsize=64)
def emotion_colours(emotions: tuple[str, ...]) -> Mapping[str, str]:
    """Return the colour of each class of a model.

    Known emotions have the same colour in every model. The colour of an own class depends only on its place among the
    own classes; see `overtone.formats.own_colours`.

    Args:
        emotions: the classes, in the order of the model.
    """
    own = [name for name in emotions if name not in KNOWN_COLOURS]
    colours = KNOWN_COLOURS | dict(zip(own, own_colours(len(own), tuple(KNOWN_COLOURS.values())), strict=True))
    return MappingProxyType({name: colours[name] for name in emotions})


def text_colour(background: str) -> str:
    """Return black or white, whichever has the higher contrast on a background colour."""
    return max("#000000", "#ffffff", key=lambda ink: contrast(ink, background))


def contrast(colour: str, background: str) -> float:
    """Return the contrast ratio of two colours, in [1, 21].

    Source: W3C, "Web Content Accessibility Guidelines 2.2", contrast ratio.
    """
    dark, light = sorted(map(_luminance, (colour, background)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[start : start + 2], 16) / 255) for start in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
