"""A timeline as a picture: segments above the waveform, then a curve per emotion, pitch and loudness.

The waveform is the envelope that the loudness of the timeline gives: at the width of a picture a pixel is longer than
its steps, so the sound itself would show no more, and need not be read again, ten hours of it neither. Every colour
is told by a word too: by the name of the emotion beside its curve, and in its segment where there is room.
"""

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from overtone.formats.annotation_tiers import Tier, format_clock, label_with_confidence, tiers
from overtone.formats.matplotlib_helpers import new_figure, plain, titled
from overtone.formats.palette import INK, LINE, SOFT, colour_of, ink_on
from overtone.formats.table import printable, shortened
from overtone.timeline import Segment, Timeline, Tracks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_INCH = 12.0
TIER_INCH, WAVEFORM_INCH, EMOTION_INCH, PITCH_INCH, LOUDNESS_INCH = 0.34, 1.1, 0.3, 1.0, 0.8
LETTER_INCH, LETTER_POINTS = 0.07, 7.5  # of the words in a segment
LONGEST_SPEAKER, LONGEST_TITLE = 24, 96  # letters
MOST_STEPS = 1500  # that a picture of this width can show
TICK_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
MOST_TICKS = 13
TINT, HATCH = 0.16, "////"
NO_SPEECH = "#eef1f4"


def draw_timeline(timeline: Timeline) -> "Figure":
    """The picture, a matplotlib figure.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    rows, names = tiers(timeline), timeline.emotions
    heights = [TIER_INCH * len(rows), WAVEFORM_INCH, EMOTION_INCH * len(names), PITCH_INCH, LOUDNESS_INCH]
    figure = new_figure(WIDTH_INCH, sum(heights) + 1.2)
    panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    curves = downsample(timeline.tracks, MOST_STEPS)
    _draw_tiers(panels[0], rows, timeline.duration_s)
    _draw_waveform(panels[1], curves, timeline)
    _draw_emotions(panels[2], curves, names)
    _draw_pitch(panels[3], curves)
    _draw_loudness(panels[4], curves)
    for axes in panels:
        axes.set_xlim(0, timeline.duration_s)
        axes.grid(axis="x", color=LINE, linewidth=0.8)
        axes.set_axisbelow(True)
        plain(axes, frame=False)
    step_s = next((step for step in TICK_STEPS_S if timeline.duration_s / step < MOST_TICKS), TICK_STEPS_S[-1])
    ticks = np.arange(0, timeline.duration_s + 1e-9, step_s)
    panels[-1].set_xticks(ticks, [format_clock(tick) for tick in ticks])
    titled(panels[0], recording_name(timeline), _about(timeline))
    figure.align_ylabels()
    return figure


def recording_name(timeline: Timeline) -> str:
    """The name of the recording without its folder, on one line that fits above a picture."""
    return shortened(printable(Path(timeline.source).name), LONGEST_TITLE)


def downsample(curves: Tracks, most_steps: int) -> Tracks:
    """The curves in longer steps: means of what is said, of the pitch where voiced, and the loudest of each step.

    Args:
        curves: of a timeline.
        most_steps: the new number of steps is no greater.
    """
    times = -(-len(curves) // most_steps)
    if times <= 1:
        return curves
    starts = np.arange(0, len(curves), times)
    voiced = np.where(curves.pitch_hz > 0, curves.pitch_hz, np.nan)
    means = [_means(values, starts) for values in (*curves.probabilities.T, voiced)]
    loudness_db = np.maximum.reduceat(curves.loudness_db, starts)
    return Tracks(curves.step_s * times, np.stack(means[:-1], axis=1), np.nan_to_num(means[-1]), loudness_db)


def _means(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Mean of the numbers between each start and the next; NaN where there is none."""
    counts = np.add.reduceat(~np.isnan(values), starts, dtype=int)
    return np.add.reduceat(np.nan_to_num(values), starts) / np.where(counts, counts, np.nan)


def _about(timeline: Timeline) -> str:
    speech_s = sum(one.speech_s for one in timeline.speakers)
    share = speech_s / timeline.duration_s
    said = f"speech {format_clock(speech_s)}" + ("" if timeline.turns_given else f" ({100 * share:.0f} %)")
    facts = [format_clock(timeline.duration_s), said, printable(timeline.model)]
    if any(part.prediction is not None and part.prediction.uncertain for part in timeline.segments):
        facts.append("hatched: uncertain")
    return "   ·   ".join(facts)


def _draw_tiers(axes: "Axes", rows: tuple[Tier, ...], duration_s: float) -> None:
    """One strip per tier, each segment in the colour of its emotion, with its words where they fit."""
    inch_per_s = (WIDTH_INCH - 1.2) / duration_s
    for row, tier in enumerate(rows):
        axes.broken_barh([(0, duration_s)], (row + 0.06, 0.88), color=NO_SPEECH, linewidth=0)
        _draw_bands(axes, tier.segments, (row + 0.06, 0.88))
        for segment in tier.segments:
            _write_words(axes, segment, row + 0.5, int(segment.duration_s * inch_per_s / LETTER_INCH))
    axes.set_ylim(len(rows), 0)
    axes.set_yticks(np.arange(len(rows)) + 0.5, [_called(tier) for tier in rows], parse_math=False)


def _write_words(axes: "Axes", segment: Segment, height: float, letters: int) -> None:
    """What is heard and how surely, or the emotion alone, in the middle of a segment that takes so many letters."""
    middle_s, colour = (segment.start_s + segment.end_s) / 2, _colour(segment)
    text = next((text for text in (label_with_confidence(segment), _emotion(segment)) if len(text) <= letters), "")
    behind = {"facecolor": colour, "linewidth": 0, "pad": 1.2}
    axes.text(
        middle_s, height, text, color=ink_on(colour), fontsize=LETTER_POINTS, ha="center", va="center", clip_on=True,
        parse_math=False, bbox=behind if text else None,
    )  # fmt: skip


def _called(tier: Tier) -> str:
    return shortened(tier.name, LONGEST_SPEAKER) or "segments"


def _emotion(segment: Segment) -> str:
    return printable(segment.prediction.emotion) if segment.prediction else ""


def _draw_bands(axes: "Axes", segments: tuple[Segment, ...], span: tuple[float, float], tint: float = 1) -> None:
    """Segments as bands; alike ones are drawn as one, as ten hours have thousands."""

    def look(segment: Segment) -> tuple[str, bool]:
        return _colour(segment), segment.prediction is not None and segment.prediction.uncertain

    for (colour, uncertain), alike in groupby(sorted(segments, key=look), key=look):
        bars = [(segment.start_s, segment.duration_s) for segment in alike]
        drawn = axes.broken_barh(bars, span, facecolor=colour, alpha=tint, linewidth=0)
        if uncertain and tint == 1:
            drawn.set(hatch=HATCH, edgecolor=ink_on(colour))


def _colour(segment: Segment) -> str:
    return colour_of(segment.prediction.emotion) if segment.prediction else NO_SPEECH


def _draw_waveform(axes: "Axes", curves: Tracks, timeline: Timeline) -> None:
    envelope = 10 ** (curves.loudness_db / 20)
    envelope = envelope / max(envelope.max(initial=0), 1e-9)
    _draw_bands(axes, tuple(part for part in timeline.segments if part.is_speech), (-1.1, 2.2), TINT)
    middles_s = curves.times_s + curves.step_s / 2
    axes.fill_between(middles_s, -envelope, envelope, color=SOFT, linewidth=0.5)
    axes.set_ylim(-1.1, 1.1)
    axes.set_yticks([0], ["sound"])


def _draw_emotions(axes: "Axes", curves: Tracks, names: tuple[str, ...]) -> None:
    """A lane per emotion, filled as high as it is probable."""
    lanes = np.arange(len(names))
    for lane, name in enumerate(names):
        heights = _held(lane + 1 - 0.9 * curves.probabilities[:, lane])
        filled = np.nan_to_num(heights, nan=lane + 1)
        axes.fill_between(_edges(curves), lane + 1, filled, step="post", color=colour_of(name), linewidth=0)
        axes.step(_edges(curves), heights, where="post", color=INK, linewidth=0.6)
    axes.set_ylim(len(names), 0)
    axes.set_yticks(lanes + 0.5, [printable(name) for name in names])
    axes.set_yticks(lanes + 1, minor=True)
    axes.grid(axis="y", which="minor", color=LINE, linewidth=0.8)


def _draw_pitch(axes: "Axes", curves: Tracks) -> None:
    pitch_hz = _held(np.where(curves.pitch_hz > 0, curves.pitch_hz, np.nan))
    axes.step(_edges(curves), pitch_hz, where="post", color=INK, linewidth=1.4, solid_capstyle="round")
    axes.set_ylabel("pitch, Hz")
    axes.set_ymargin(0.15)


def _draw_loudness(axes: "Axes", curves: Tracks) -> None:
    axes.plot(curves.times_s + curves.step_s / 2, curves.loudness_db, color=SOFT, linewidth=1)
    axes.set_ylabel("loudness, dB")
    axes.set_ymargin(0.1)


def _edges(curves: Tracks) -> np.ndarray:
    """Beginnings of the steps and the end of the last one."""
    return np.arange(len(curves) + 1) * curves.step_s


def _held(track: np.ndarray) -> np.ndarray:
    """A track with its last value once more, for `_edges`."""
    return np.append(track, track[-1:])
