"""All colours of plots, HTML pages and the web page of the service."""

INK, SOFT, LINE = "#1c2430", "#5b6675", "#d9dee5"
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"  # Source: Okabe & Ito 2008
RAMP = ("#ffffff", "#d6e6f2", "#7fb3d5", "#2a7ab0", "#08416b")

# Each emotion of the vocabulary. The result of a search for the largest minimum distance between any two colours under
# normal vision, protanopia, deuteranopia and tritanopia; tests/formats/test_palette.py measures it.
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


def emotion_colour(emotion: str) -> str:
    """Return the colour of an emotion; grey for one outside the vocabulary."""
    return EMOTION_COLOURS.get(emotion, OTHER_EMOTION)


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
