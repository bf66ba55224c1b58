import io
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from timelines import (
    EMOTIONS,
    NASTY_NAMES,
    channels_timeline,
    every_timeline,
    many_classes_timeline,
    plain_timeline,
    turns_timeline,
)

from overtone.errors import MissingExtraError
from overtone.formats import png, svg, timeline_plot
from overtone.formats.annotation_tiers import MAX_LANES
from overtone.formats.palette import emotion_colours
from overtone.formats.table import printable
from overtone.timeline import Timeline, Tracks


def png_pixels(timeline: Timeline) -> np.ndarray:
    stream = io.TextIOWrapper(io.BytesIO())
    png.write(timeline, stream)
    return np.asarray(Image.open(stream.buffer).convert("RGB"))


def svg_text(timeline: Timeline) -> str:
    stream = io.StringIO()
    svg.write(timeline, stream)
    return stream.getvalue()


def svg_texts(timeline: Timeline) -> list[str]:
    root = ElementTree.fromstring(svg_text(timeline))
    assert not [element for element in root.iter() if element.tag.endswith("script")]
    return ["".join(text.itertext()).strip() for text in root.iter("{http://www.w3.org/2000/svg}text")]


@every_timeline
def test_every_timeline_is_drawn(timeline: Timeline) -> None:
    assert png_pixels(timeline).shape[1] == 1800
    texts = svg_texts(timeline)
    assert {"talk.wav", "sound", *EMOTIONS} <= set(texts)
    assert ("segments" in texts) == (not any(summary.speaker for summary in timeline.speakers))


def find_columns(pixels: np.ndarray, emotion: str) -> np.ndarray:
    """Return the pixel columns that contain the exact colour of an emotion."""
    colour = [int(emotion_colours(EMOTIONS)[emotion][start : start + 2], 16) for start in (1, 3, 5)]
    return np.flatnonzero((pixels == colour).all(axis=2).sum(axis=0) > 20)


def test_segments_are_drawn_at_their_times() -> None:
    pixels = png_pixels(plain_timeline())
    happy, sad = find_columns(pixels, "happy"), find_columns(pixels, "sad")
    pixels_per_second = (happy[-1] - happy[0]) / 2.25
    assert sad[-1] - sad[0] == pytest.approx(1.75 * pixels_per_second, abs=3)
    assert sad[0] - happy[0] == pytest.approx(2.25 * pixels_per_second, abs=3)


def test_names_are_drawn_literally() -> None:
    texts = svg_texts(turns_timeline(*NASTY_NAMES, "$x$"))
    assert {*map(printable, NASTY_NAMES), "$x$"} <= set(texts)
    assert "a $b$ <c>.wav" in svg_texts(plain_timeline(source="/some/where/a $b$ <c>.wav"))


def test_each_channel_has_tracks_of_its_own() -> None:
    texts = svg_texts(channels_timeline("agent", "$x$"))
    assert [texts.count(text) for text in ("sound", "happy", "pitch, Hz", "arousal")] == [2] * 4
    for name in ("agent", "$x$"):
        assert texts.count(name) == 2, "of its tier and of its tracks"


def test_equal_timelines_give_equal_plots() -> None:
    assert (png_pixels(plain_timeline()) == png_pixels(plain_timeline())).all()
    assert svg_text(plain_timeline()) == svg_text(plain_timeline())


def test_downsampling_keeps_means_and_loudness_peaks() -> None:
    probabilities = np.array([[0.2, 0.8], [0.4, 0.6], [np.nan, np.nan], [1, 0], [np.nan] * 2, [np.nan] * 2, [0, 1]])
    affect = np.array([[np.nan, 0.2, 0.4, 0.6, 0.8, 1, np.nan], np.full(7, np.nan)])
    fine = Tracks(0.1, probabilities, np.array([0, 200, 0, 100, 0, 0, 0.0]), np.arange(7) - 50.0, *affect)
    coarse = timeline_plot.downsample(fine, 4)
    assert coarse.step_s == pytest.approx(0.2)
    assert coarse.probabilities == pytest.approx(np.array([[0.3, 0.7], [1, 0], [np.nan] * 2, [0, 1]]), nan_ok=True)
    assert coarse.pitch_hz.tolist() == [200, 100, 0, 0]
    assert coarse.loudness_db.tolist() == [-49, -47, -45, -44]
    assert coarse.arousal == pytest.approx([0.2, 0.5, 0.9, np.nan], nan_ok=True)
    assert np.isnan(coarse.valence).all()
    assert timeline_plot.downsample(fine, 7) is fine


def test_a_missing_matplotlib_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'overtone\[pictures\]'"):
        png_pixels(plain_timeline())


def test_hundreds_of_classes_give_a_plot_of_the_usual_size() -> None:
    timeline = many_classes_timeline()
    assert png_pixels(timeline).shape[0] < 2000
    texts = svg_texts(timeline)
    assert "class $398$ that has a…" in texts  # cut, and no formula
    assert any(f"{MAX_LANES} of 400" in text for text in texts)
