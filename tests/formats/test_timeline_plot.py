import io
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from timelines import EMOTIONS, NASTY_NAMES, every_timeline, plain, turns

from overtone.errors import MissingExtraError
from overtone.formats import png as png_form
from overtone.formats import svg, timeline_plot
from overtone.formats.palette import colour_of
from overtone.formats.table import printable
from overtone.timeline import Timeline, Tracks


def png(given: Timeline) -> np.ndarray:
    stream = io.TextIOWrapper(io.BytesIO())
    png_form.write(given, stream)
    return np.asarray(Image.open(stream.buffer).convert("RGB"))


def svg_of(given: Timeline) -> str:
    stream = io.StringIO()
    svg.write(given, stream)
    return stream.getvalue()


def svg_texts(given: Timeline) -> list[str]:
    root = ElementTree.fromstring(svg_of(given))
    assert not [part for part in root.iter() if part.tag.endswith("script")]
    return ["".join(part.itertext()).strip() for part in root.iter("{http://www.w3.org/2000/svg}text")]


@every_timeline
def test_every_timeline_can_be_drawn(given: Timeline) -> None:
    assert png(given).shape[1] == 1800
    texts = svg_texts(given)
    assert {"talk.wav", "sound", *EMOTIONS} <= set(texts)
    assert ("segments" in texts) == (not any(part.speaker for part in given.segments))


def columns_of(pixels: np.ndarray, emotion: str) -> np.ndarray:
    """Columns in which the very colour of an emotion stands."""
    colour = [int(colour_of(emotion)[at : at + 2], 16) for at in (1, 3, 5)]
    return np.flatnonzero((pixels == colour).all(axis=2).sum(axis=0) > 20)


def test_a_segment_stands_where_it_is_heard() -> None:
    pixels = png(plain())
    happy, sad = columns_of(pixels, "happy"), columns_of(pixels, "sad")
    second = (happy[-1] - happy[0]) / 2.25
    assert sad[-1] - sad[0] == pytest.approx(1.75 * second, abs=3)
    assert sad[0] - happy[0] == pytest.approx(2.25 * second, abs=3)


def test_names_are_drawn_as_they_are_written() -> None:
    texts = svg_texts(turns(*NASTY_NAMES, "$x$"))
    assert {*map(printable, NASTY_NAMES), "$x$"} <= set(texts)
    assert "a $b$ <c>.wav" in svg_texts(plain(source="/some/where/a $b$ <c>.wav"))


def test_equal_timelines_are_equal_pictures() -> None:
    assert (png(plain()) == png(plain())).all()
    assert svg_of(plain()) == svg_of(plain())


def test_coarser_curves_keep_means_and_peaks() -> None:
    probabilities = np.array([[0.2, 0.8], [0.4, 0.6], [np.nan, np.nan], [1, 0], [np.nan] * 2, [np.nan] * 2, [0, 1]])
    fine = Tracks(0.1, probabilities, np.array([0, 200, 0, 100, 0, 0, 0.0]), np.arange(7) - 50.0)
    coarse = timeline_plot.downsample(fine, 4)
    assert coarse.step_s == pytest.approx(0.2)
    assert coarse.probabilities == pytest.approx(np.array([[0.3, 0.7], [1, 0], [np.nan] * 2, [0, 1]]), nan_ok=True)
    assert coarse.pitch_hz.tolist() == [200, 100, 0, 0]
    assert coarse.loudness_db.tolist() == [-49, -47, -45, -44]
    assert timeline_plot.downsample(fine, 7) is fine


def test_without_matplotlib_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'overtone\[pictures\]'"):
        png(plain())
