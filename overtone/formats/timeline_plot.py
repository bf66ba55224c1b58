"""A timeline as a matplotlib figure: segments, waveform, a lane per emotion, pitch, loudness, arousal and valence.

If each channel is a speaker, all but the segments is drawn for each of them.

The waveform is the envelope of the loudness track: one pixel of the plot is longer than one step of the track, so the
audio itself would show no more and is not read again, even for recordings of ten hours. No information is conveyed by
colour alone: emotions are named at their lane, and in their segment if the text fits.
"""

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from overtone.formats import plot_scales
from overtone.formats.annotation_tiers import (
    Tier,
    format_clock,
    is_hatched,
    label_with_confidence,
    lane_emotions,
    make_tiers,
)
from overtone.formats.matplotlib_helpers import new_figure, set_title, style_axes
from overtone.formats.palette import INK, LINE, SOFT, emotion_colours, text_colour
from overtone.formats.table import class_label, printable, shorten
from overtone.timeline import Segment, Timeline, Tracks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_INCH = 12.0
TIER_INCH, WAVEFORM_INCH, EMOTION_INCH, PITCH_INCH, LOUDNESS_INCH = 0.34, 1.1, 0.34, 1.3, 0.9
AFFECT_INCH = 0.7  # of arousal and of valence
CHARACTER_INCH, SEGMENT_POINTS = 0.07, 7.5  # character width and font size of segment labels
MAX_SPEAKER_CHARACTERS, MAX_TITLE_CHARACTERS = 24, 96
MAX_STEPS = 1500  # that a plot of this width can resolve
TICK_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
MAX_TICKS = 13
LANE_SHARE = 0.8  # of the height of a lane, for a probability of 1
TINT_ALPHA, HATCH = 0.16, "////"
NO_SPEECH_COLOUR = "#eef1f4"


def draw_timeline(timeline: Timeline) -> "Figure":
    """Return the plot as a matplotlib figure.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    tiers, emotions = make_tiers(timeline), lane_emotions(timeline)
    affect = [name for name in ("arousal", "valence") if not np.isnan(getattr(timeline.tracks, name)).all()]
    channels = timeline.tracks_by_speaker
    per_channel = [WAVEFORM_INCH, EMOTION_INCH * len(emotions), PITCH_INCH, LOUDNESS_INCH, *[AFFECT_INCH] * len(affect)]
    heights = [TIER_INCH * len(tiers), *per_channel * len(channels)]
    figure = new_figure(WIDTH_INCH, sum(heights) + 1.2)
    panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    _draw_tiers(panels[0], tiers, timeline.duration_s)
    loudest_db = max(channel.tracks.loudness_db.max() for channel in channels)
    for channel, (waveform, lanes, pitch, loudness, *others) in zip(
        channels, panels[1:].reshape(len(channels), -1), strict=True
    ):
        tracks = downsample(channel.tracks, MAX_STEPS)
        _draw_waveform(waveform, tracks, timeline, channel.speaker, loudest_db)
        _draw_emotions(lanes, tracks, timeline.emotions, emotions)
        _draw_pitch(pitch, tracks)
        _draw_loudness(loudness, tracks)
        for panel, name in zip(others, affect, strict=True):
            _draw_affect(panel, tracks, name)
    for axes in panels:
        axes.set_xlim(0, timeline.duration_s)
        axes.grid(axis="x", color=LINE, linewidth=0.8)
        axes.set_axisbelow(True)
        style_axes(axes, frame=False)
        axes.tick_params(axis="y", which="minor", labelcolor=SOFT)
    step_s = next((step for step in TICK_STEPS_S if timeline.duration_s / step < MAX_TICKS), TICK_STEPS_S[-1])
    ticks = np.arange(0, timeline.duration_s + 1e-9, step_s)
    panels[-1].set_xticks(ticks, [format_clock(tick) for tick in ticks])
    set_title(panels[0], recording_name(timeline), _subtitle(timeline))
    figure.align_ylabels()
    return figure


def recording_name(timeline: Timeline) -> str:
    """Return the file name of the recording without its folder, on one line, short enough for a title."""
    return shorten(printable(Path(timeline.source).name), MAX_TITLE_CHARACTERS)


def downsample(tracks: Tracks, max_steps: int) -> Tracks:
    """Return the tracks with longer steps: the maximum of the loudness, and the means of the other tracks.

    Args:
        tracks: of a timeline, unvoiced steps without pitch; returned unchanged if they have no more than `max_steps`.
        max_steps: upper limit of the new number of steps.
    """
    factor = -(-len(tracks) // max_steps)
    if factor <= 1:
        return tracks
    starts = np.arange(0, len(tracks), factor)
    voiced_hz = np.where(tracks.pitch_hz > 0, tracks.pitch_hz, np.nan)
    probabilities = np.stack([_nan_means(values, starts) for values in tracks.probabilities.T], axis=1)
    pitch_hz, arousal, valence = (_nan_means(values, starts) for values in (voiced_hz, tracks.arousal, tracks.valence))
    loudness_db = np.maximum.reduceat(tracks.loudness_db, starts)
    step_s = tracks.step_s * factor
    return Tracks(step_s, probabilities, np.nan_to_num(pitch_hz), loudness_db, arousal, valence)


def _nan_means(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the mean of the non-NaN values from each start to the next; NaN if there are none."""
    counts = np.add.reduceat(~np.isnan(values), starts, dtype=int)
    return np.add.reduceat(np.nan_to_num(values), starts) / np.where(counts, counts, np.nan)


def _subtitle(timeline: Timeline) -> str:
    speech_s = sum(speaker.speech_s for speaker in timeline.speakers)
    share = speech_s / timeline.duration_s
    may_overlap = timeline.turns_given or timeline.channels
    speech = f"speech {format_clock(speech_s)}" + ("" if may_overlap else f" ({100 * share:.0f} %)")
    facts = [format_clock(timeline.duration_s), speech, printable(timeline.model)]
    lanes, classes = len(lane_emotions(timeline)), len(timeline.emotions)
    facts += [f"lanes of {lanes} of {classes} classes"] if lanes < classes else []
    if any(map(is_hatched, timeline.segments)):
        facts.append("hatched: uncertain")
    return "   ·   ".join(facts)


def _draw_tiers(axes: "Axes", tiers: tuple[Tier, ...], duration_s: float) -> None:
    """Draw a strip per tier, each segment in the colour of its emotion, with its label if it fits."""
    inch_per_s = (WIDTH_INCH - 1.2) / duration_s
    for row, tier in enumerate(tiers):
        axes.broken_barh([(0, duration_s)], (row + 0.06, 0.88), color=NO_SPEECH_COLOUR, linewidth=0)
        _draw_segments(axes, tier.segments, (row + 0.06, 0.88))
        for segment in tier.segments:
            _draw_label(axes, segment, row + 0.5, int(segment.duration_s * inch_per_s / CHARACTER_INCH))
    axes.set_ylim(len(tiers), 0)
    axes.set_yticks(np.arange(len(tiers)) + 0.5, [_tier_label(tier) for tier in tiers], parse_math=False)


def _draw_label(axes: "Axes", segment: Segment, y: float, max_characters: int) -> None:
    """Write emotion and confidence, the emotion alone, or nothing, whichever fits, in the middle of a segment."""
    middle_s, colour = (segment.start_s + segment.end_s) / 2, _segment_colour(segment)
    texts = (label_with_confidence(segment), _emotion(segment))
    text = next((text for text in texts if len(text) <= max_characters), "")
    box = {"facecolor": colour, "linewidth": 0, "pad": 1.2}
    axes.text(
        middle_s, y, text, color=text_colour(colour), fontsize=SEGMENT_POINTS, ha="center", va="center", clip_on=True,
        parse_math=False, bbox=box if text else None,
    )  # fmt: skip


def _tier_label(tier: Tier) -> str:
    return shorten(tier.name, MAX_SPEAKER_CHARACTERS) or "segments"


def _emotion(segment: Segment) -> str:
    return printable(segment.emotion)


def _draw_segments(axes: "Axes", segments: tuple[Segment, ...], span: tuple[float, float], alpha: float = 1) -> None:
    """Draw segments as bars, all of one style in one call: a recording of ten hours has thousands."""

    def style(segment: Segment) -> tuple[str, bool]:
        return _segment_colour(segment), is_hatched(segment)

    for (colour, uncertain), group in groupby(sorted(segments, key=style), key=style):
        bars = [(segment.start_s, segment.duration_s) for segment in group]
        collection = axes.broken_barh(bars, span, facecolor=colour, alpha=alpha, linewidth=0)
        if uncertain and alpha == 1:
            collection.set(hatch=HATCH, edgecolor=text_colour(colour))


def _segment_colour(segment: Segment) -> str:
    """Return the colour of the emotion; other labels of a person than the classes of the model have one in common."""
    if not segment.emotion:
        return NO_SPEECH_COLOUR
    classes = segment.prediction.emotions if segment.prediction else ()
    return emotion_colours(tuple(dict.fromkeys([*classes, segment.emotion])))[segment.emotion]


def _draw_waveform(axes: "Axes", tracks: Tracks, timeline: Timeline, speaker: str, loudest_db: float) -> None:
    """Draw the envelope, 1 at the loudness `loudest_db`, over the segments of one speaker; of all for ""."""
    envelope = 10 ** ((tracks.loudness_db - loudest_db) / 20)
    segments = [segment for segment in timeline.segments if segment.speaker == speaker or not timeline.channels]
    speech = tuple(segment for segment in segments if segment.is_speech)
    if speaker:
        name = shorten(printable(speaker), MAX_SPEAKER_CHARACTERS)
        axes.set_title(name, loc="left", color=INK, fontsize=10, fontweight="bold", parse_math=False)
    _draw_segments(axes, speech, (-1.1, 2.2), TINT_ALPHA)
    middles_s = tracks.times_s + tracks.step_s / 2
    axes.fill_between(middles_s, -envelope, envelope, color=SOFT, linewidth=0.5)
    axes.set_ylim(-1.1, 1.1)
    axes.set_yticks([0], ["sound"])


def _draw_emotions(axes: "Axes", tracks: Tracks, classes: tuple[str, ...], emotions: tuple[str, ...]) -> None:
    """Draw a lane for each of these emotions among the classes, filled to the height of its probability."""
    lanes, colours = np.arange(len(emotions)), emotion_colours(classes)
    for lane, name in enumerate(emotions):
        tops = _repeat_last(lane + 1 - LANE_SHARE * tracks.probabilities[:, classes.index(name)])
        filled = np.nan_to_num(tops, nan=lane + 1)
        axes.fill_between(_edges(tracks), lane + 1, filled, step="post", color=colours[name], linewidth=0)
        axes.step(_edges(tracks), tops, where="post", color=INK, linewidth=0.6)
    axes.set_ylim(len(emotions), 0)
    axes.set_yticks(lanes + 0.5, [class_label(name) for name in emotions], parse_math=False)
    plot_scales.draw_lane_scales(axes, len(emotions), LANE_SHARE)


def _draw_pitch(axes: "Axes", tracks: Tracks) -> None:
    pitch_hz = _repeat_last(np.where(tracks.pitch_hz > 0, tracks.pitch_hz, np.nan))
    axes.step(_edges(tracks), pitch_hz, where="post", color=INK, linewidth=1.4, solid_capstyle="round")
    plot_scales.set_pitch_scale(axes, tracks.pitch_hz)


def _draw_loudness(axes: "Axes", tracks: Tracks) -> None:
    axes.plot(tracks.times_s + tracks.step_s / 2, tracks.loudness_db, color=SOFT, linewidth=1)
    plot_scales.set_loudness_scale(axes, tracks.loudness_db)


def _draw_affect(axes: "Axes", tracks: Tracks, name: str) -> None:
    """Draw arousal or valence."""
    axes.step(_edges(tracks), _repeat_last(getattr(tracks, name)), where="post", color=INK, linewidth=1.2)
    plot_scales.set_unit_scale(axes, name)


def _edges(tracks: Tracks) -> np.ndarray:
    """Return the start of each step and the end of the last one, in seconds."""
    return np.arange(len(tracks) + 1) * tracks.step_s


def _repeat_last(track: np.ndarray) -> np.ndarray:
    """Return a track with its last value repeated, as long as `_edges`."""
    return np.append(track, track[-1:])
