"""A timeline as a table for people: one line per segment, and one per speaker below.

talk.wav  1:01.3

  from     to       speaker  emotion    confidence        runner-up      pitch
  0:00.0   0:01.2   anna     -
  0:01.2   0:03.9   anna     happy      ██████▌     65 %  surprised 12%  212 Hz

anna: 48.2 s of speech: happy 44%, neutral 31%, sad 25%

A dash stands where nothing is said. Without speakers their column is left out.
"""

from typing import TextIO

from overtone.formats.annotation_tiers import format_clock
from overtone.formats.table import EIGHTHS, UNSURE, bar, cells_of, printable, runner_up, shortened, takes
from overtone.timeline import Segment, SpeakerSummary, Timeline

SUFFIX = ".txt"
GAP = "  "
NOTHING_SAID = "-"
WIDEST_SPEAKER = 24
TITLES = ("from", "to", "speaker", "emotion", "confidence", "runner-up", "pitch")


def write(timeline: Timeline, stream: TextIO) -> None:
    """Writes the name of the recording, its segments and its speakers, then an empty line."""
    fancy = takes(stream, EIGHTHS + "█")
    rows = [list(TITLES), *(_row(segment, fancy) for segment in timeline.segments)]
    if not any(segment.speaker for segment in timeline.segments):
        rows = [row[:2] + row[3:] for row in rows]
    widths = [max(map(cells_of, column)) for column in zip(*rows, strict=True)]
    stream.write(f"{printable(timeline.source)}{GAP}{format_clock(timeline.duration_s, 1)}\n\n")
    for row in rows:
        cells = (text + " " * (width - cells_of(text)) for text, width in zip(row, widths, strict=True))
        stream.write((GAP + GAP.join(cells)).rstrip() + "\n")
    stream.write("\n" + "".join(f"{summarised(summary)}\n" for summary in timeline.speakers) + "\n")


def summarised(summary: SpeakerSummary) -> str:
    """One speaker on one line."""
    shares = sorted(summary.shares.items(), key=lambda share: -share[1])
    heard = ", ".join(f"{emotion} {share:.0%}" for emotion, share in shares if share)
    name = f"{printable(summary.speaker)}: " if summary.speaker else ""
    return f"{name}{summary.speech_s:.1f} s of speech{': ' if heard else ''}{heard}"


def _row(segment: Segment, fancy: bool) -> list[str]:
    answer = segment.prediction
    where = [
        format_clock(segment.start_s, 1),
        format_clock(segment.end_s, 1),
        shortened(printable(segment.speaker), WIDEST_SPEAKER),
    ]
    if answer is None:
        return [*where, NOTHING_SAID, "", "", ""]
    pitch_hz = answer.prosody.get("pitch_median_hz")
    return [
        *where,
        UNSURE.format(answer.emotion) if answer.uncertain else answer.emotion,
        f"{bar(answer.confidence, fancy)} {answer.confidence:4.0%}",
        runner_up(answer),
        "" if pitch_hz is None else f"{pitch_hz:.0f} Hz",
    ]
