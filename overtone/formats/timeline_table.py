"""A timeline as a table for people: one line per segment, then one per speaker.

talk.wav  1:01.3  adapted to the recording

  from     to       speaker  emotion    confidence        runner-up      pitch
  0:00.0   0:01.2   anna     -
  0:01.2   0:03.9   anna     happy      ██████▌     65 %  surprised 12%  212 Hz

anna: 48.2 s of speech: happy 24 %, neutral 21 %, uncertain 55 %
  estimated, with 90 % intervals: happy 35 % [14, 57], neutral 30 % [8, 55], ...

The first line says what the model was adapted to, if anything. A dash marks segments without speech. The speaker column
is omitted if no speaker is known. An emotion that a person decided reads `sad (person)`, or `wrong (happy)`, and the
prediction is in the column of the runner-up: `model: happy 81%`. If the words of a segment are known, their beginning
is the last column. The shares of a speaker are those of sure predictions, and apart from them that of uncertain ones;
the estimates are of the true shares, from all predictions.
"""

from typing import TextIO

from overtone.formats.annotation_tiers import ADAPTATION_LABELS, format_clock, label_with_confidence
from overtone.formats.table import (
    BAR_EIGHTHS,
    GAP,
    MISSING,
    bar,
    can_encode,
    class_label,
    display_width,
    emotion_label,
    printable,
    runner_up,
    shorten,
    shorten_end,
)
from overtone.speaker_summary import SpeakerSummary
from overtone.timeline import Segment, Timeline

MAX_SPEAKER_WIDTH, MAX_LABEL_WIDTH, MAX_TEXT_WIDTH = 24, 36, 60
TITLES = ("from", "to", "speaker", "emotion", "confidence", "runner-up", "pitch", "text")


def write(timeline: Timeline, stream: TextIO) -> None:
    """Write the name of the recording, its segments and its speakers, then an empty line."""
    unicode = can_encode(stream, BAR_EIGHTHS + "█")
    rows = [list(TITLES), *(_row(segment, unicode) for segment in timeline.segments)]
    if not any(segment.speaker for segment in timeline.segments):
        rows = [row[:2] + row[3:] for row in rows]
    if not any(segment.text for segment in timeline.segments):
        rows = [row[:-1] for row in rows]
    widths = [max(map(display_width, column)) for column in zip(*rows, strict=True)]
    title = [printable(timeline.source), format_clock(timeline.duration_s, 1), ADAPTATION_LABELS[timeline.adaptation]]
    stream.write(GAP.join(title).rstrip() + "\n\n")
    for row in rows:
        cells = (text + " " * (width - display_width(text)) for text, width in zip(row, widths, strict=True))
        stream.write((GAP + GAP.join(cells)).rstrip() + "\n")
    stream.write("\n" + "".join(f"{line}\n" for line in _summary_lines(timeline)))
    stream.write(f"{timeline.agreement}\n\n" if timeline.agreement else "\n")


def _summary_lines(timeline: Timeline) -> list[str]:
    """Return the summaries of the speakers, and that of the recording if it is not one of them."""
    speakers = list(timeline.named_speakers)
    summaries = speakers if len(speakers) == 1 else [*speakers, timeline.summary]
    lines = [line for summary in summaries for line in format_summary(summary)]
    reason = timeline.no_estimates if timeline.summary.speech_s else ""
    return [*lines, f"no estimates of the true shares: {reason}"] if reason else lines


def format_summary(summary: SpeakerSummary) -> list[str]:
    """Return the summary of a speaker, or of the recording, on one line; and the estimates, if there are any."""
    name = printable(summary.speaker) or "recording"
    shares = format_shares(summary)
    line = f"{name}: {summary.speech_s:.1f} s of speech{': ' if shares else ''}{shares}"
    estimates = format_estimates(summary)
    return [line, f"{GAP}estimated, with 90 % intervals: {estimates}"] if estimates else [line]


def format_shares(summary: SpeakerSummary) -> str:
    """Return the shares of sure predictions, the largest first, and that of uncertain ones; "" without speech."""
    shares = sorted(summary.shares.items(), key=lambda item: -item[1])
    texts = [f"{class_label(emotion)} {100 * share:.0f} %" for emotion, share in shares if share]
    uncertain = [f"uncertain {100 * summary.uncertain_share:.0f} %"] if summary.uncertain_share else []
    return ", ".join([*texts, *uncertain])


def format_estimates(summary: SpeakerSummary) -> str:
    """Return the estimated shares with their intervals, the largest first; "" if there are none."""
    estimates = sorted(summary.estimates.items(), key=lambda item: -item[1].value)
    return ", ".join(f"{class_label(emotion)} {estimate}" for emotion, estimate in estimates)


def _row(segment: Segment, unicode: bool) -> list[str]:
    prediction = segment.prediction
    pitch_hz = prediction.prosody.get("pitch_median_hz") if prediction else None
    pitch = "" if pitch_hz is None else f"{pitch_hz:.0f} Hz"
    position = [
        format_clock(segment.start_s, 1),
        format_clock(segment.end_s, 1),
        shorten(printable(segment.speaker), MAX_SPEAKER_WIDTH),
    ]
    text = shorten_end(printable(segment.text), MAX_TEXT_WIDTH)
    if segment.by_person:
        model = f"model: {class_label(prediction.emotion)} {prediction.confidence:.0%}" if prediction else ""
        return [*position, shorten_end(label_with_confidence(segment), MAX_LABEL_WIDTH), "", model, pitch, text]
    if prediction is None:
        return [*position, MISSING, "", "", "", text]
    return [
        *position,
        emotion_label(prediction),
        f"{bar(prediction.confidence, unicode)} {prediction.confidence:4.0%}",
        runner_up(prediction),
        pitch,
        text,
    ]
