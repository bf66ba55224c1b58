"""The table of the speakers on the page of a timeline: speech time, shares of the emotions, estimates.

`page_speakers.js` writes the same table again when a person corrects the segments, without the estimates: they come
from the predictions for the former segments.
"""

import html
from typing import Any

from overtone.formats.annotation_tiers import format_clock
from overtone.formats.table import printable
from overtone.formats.timeline_table import format_estimates
from overtone.speaker_summary import SpeakerSummary
from overtone.timeline import CORRECTED, Segment, Timeline


def speakers_data(timeline: Timeline, visible: list[Segment]) -> dict[str, Any]:
    """Return a part of the data of the page, as JSON values.

    `speakers` are the names of the summaries, `speaker_places` the place of the speaker of each visible segment among
    them, `shows_silent` whether speakers without speech have a row, and `no_estimates` why a corrected timeline has no
    estimates of the true shares.

    Args:
        timeline: to show.
        visible: its segments that the page shows.
    """
    places = {name: place for place, name in enumerate(timeline.speaker_names)}
    return {
        "speakers": list(map(printable, timeline.speaker_names)),
        "speaker_places": [places[segment.speaker] for segment in visible],
        "shows_silent": bool(timeline.channels),
        "no_estimates": CORRECTED,
    }


def spoken_text(timeline: Timeline) -> str:
    """Return how long all speakers speak, as HTML."""
    speech_s = sum(speaker.speech_s for speaker in timeline.speakers)
    return f'<span id="spoken">speech {format_clock(speech_s)}</span>'


def disagreements_text(timeline: Timeline) -> str:
    """Return on how many segments the branches of the model disagree, as HTML; an empty element if on none."""
    speech = [segment for segment in timeline.segments if segment.is_speech]
    count = sum(map(branches_disagree, speech))
    text = f" · its parts disagree on {count} of {len(speech)} segments" if count else ""
    return f'<span id="disagreements">{text}</span>'


def branches_disagree(segment: Segment) -> bool:
    """Return whether the branches of the model predict different emotions."""
    return segment.prediction is not None and not segment.prediction.branches_agree


def speaker_section(timeline: Timeline) -> str:
    """Return the section: speech time, emotions and estimates per speaker and of all.

    It is empty without speech, unless each channel is a speaker.
    """
    speakers = [speaker for speaker in timeline.speakers if speaker.speech_s or timeline.channels]
    rows = [_speaker_row(speaker, timeline.labels) for speaker in speakers]
    if len(speakers) > 1:
        rows.append(_speaker_row(timeline.summary, timeline.labels, "all"))
    head = "<tr><th>speaker</th><th>speech</th><th>sure emotions, by share of that time</th></tr>"
    table = f"<table>\n<thead>{head}</thead>\n<tbody>\n{''.join(rows)}</tbody>\n</table>\n"
    content = f"<h2>Speakers</h2>\n{table}{_estimates_note(timeline)}" if rows else ""
    return f'<section id="speakers">{content}</section>\n'


def _estimates_note(timeline: Timeline) -> str:
    if timeline.no_estimates:
        return (
            f'<p class="help">No estimates of the true shares: {html.escape(printable(timeline.no_estimates))}.</p>\n'
        )
    return (
        '<p class="help">Estimates are of the true shares, from all predictions and from how often the model confuses '
        "the emotions on recordings unlike its training data, with 90 % intervals.</p>\n"
    )


def _speaker_row(summary: SpeakerSummary, emotions: tuple[str, ...], name: str = "(unknown)") -> str:
    shares = sorted(((share, name) for name, share in summary.shares.items() if share), reverse=True)
    spans = " ".join(
        f'<span class="share"><span class="swatch e{emotions.index(name)}"></span> '
        f"<bdi>{html.escape(printable(name))}</bdi> {100 * share:.0f} %</span>"
        for share, name in shares
    )
    if summary.uncertain_share:
        spans += f' <span class="share">uncertain {100 * summary.uncertain_share:.0f} %</span>'
    if summary.estimates:
        spans += f"<br>estimated: {html.escape(format_estimates(summary))}"
    name = html.escape(printable(summary.speaker)) or name
    return f"<tr><td>{name}</td><td>{format_clock(summary.speech_s)}</td><td>{spans}</td></tr>\n"
