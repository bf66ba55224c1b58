"""The scales of plots: ranges, ticks and units."""

import io
import re

import numpy as np
import pytest
from timelines import EMOTIONS, channels_timeline, plain_timeline

from overtone.formats import plot_scales
from overtone.formats.html_player import page_script
from overtone.formats.plot_scales import PITCH_RANGE_HZ, PITCH_TICKS_HZ, pitch_range_hz
from overtone.formats.timeline_plot import draw_timeline


@pytest.mark.parametrize(
    ("pitch_hz", "expected"),
    [
        ([0, 120, 260, 0], (100, 300)),
        ([75, 400], (75, 400)),
        ([66, 590], (50, 600)),
        ([0, 0], PITCH_RANGE_HZ),
        ([100], PITCH_RANGE_HZ),
        ([], PITCH_RANGE_HZ),
    ],
)
def test_the_pitch_scale_ends_at_ticks_around_the_voice(pitch_hz: list[float], expected: tuple[int, int]) -> None:
    assert pitch_range_hz(np.array(pitch_hz)) == expected


def test_the_page_has_the_same_ticks_of_pitch() -> None:
    listed = re.search(r"PITCH_TICKS_HZ = \[(.*?)\]", page_script())
    assert listed is not None and tuple(map(int, listed[1].split(","))) == PITCH_TICKS_HZ


def test_every_lane_has_a_scale_with_labels_inside_its_range() -> None:
    panels = {axes.get_ylabel(): axes for axes in draw_timeline(plain_timeline()).axes}
    for name in ("arousal", "valence"):
        assert [label.get_text() for label in panels[name].get_yticklabels()] == ["0", "0.5", "1"]
    low, high = panels["pitch, Hz"].get_ylim()
    assert set(panels["pitch, Hz"].get_yticks()) == {tick for tick in PITCH_TICKS_HZ if low <= tick <= high}
    low, high = panels["loudness, dB"].get_ylim()
    assert all(low <= tick <= high and tick % 10 == 0 for tick in panels["loudness, dB"].get_yticks())


def test_every_lane_of_probabilities_has_a_scale_from_0_to_1() -> None:
    (axes,) = (axes for axes in draw_timeline(plain_timeline()).axes if len(axes.get_yticks(minor=True)))
    labels = [label.get_text() for label in axes.get_yticklabels(minor=True)]
    assert labels == ["0", "", "1"] * len(EMOTIONS)
    heights = axes.get_yticks(minor=True).reshape(-1, 3)
    assert np.allclose(heights[:, 0] - heights[:, 1], heights[:, 1] - heights[:, 2]), "0.5 is in the middle"
    assert np.allclose(heights[:, 0], np.arange(1, len(EMOTIONS) + 1))


def test_a_constant_loudness_has_a_scale() -> None:
    figure = draw_timeline(channels_timeline("silent"))
    figure.savefig(io.BytesIO(), format="svg")
    axes = figure.axes[0]
    plot_scales.set_loudness_scale(axes, np.full(4, -70.0))
    assert axes.get_ylim() == (-80, -60)
