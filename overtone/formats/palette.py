"""Every colour of figures, pictures and pages, in one place."""

INK, SOFT, LINE = "#1c2430", "#5b6675", "#d9dee5"
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"  # Source: Okabe & Ito 2008
RAMP = ("#ffffff", "#d6e6f2", "#7fb3d5", "#2a7ab0", "#08416b")

# Each emotion of the vocabulary. Searched for the largest distance between any two as seen without red, green or blue
# cones; tests/formats/test_palette.py measures that.
EMOTION_COLOURS = {
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
OTHER_EMOTION = "#9aa5b4"


def colour_of(emotion: str) -> str:
    """The colour of an emotion; grey for one that is not of the vocabulary."""
    return EMOTION_COLOURS.get(emotion, OTHER_EMOTION)


def ink_on(colour: str) -> str:
    """Black or white, whichever reads better on a colour."""
    return max("#000000", "#ffffff", key=lambda ink: contrast(ink, colour))


def contrast(one: str, other: str) -> float:
    """How well one colour reads on another, from 1 to 21.

    Source: W3C, "Web Content Accessibility Guidelines 2.2", contrast ratio.
    """
    dark, light = sorted(_luminance(colour) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
