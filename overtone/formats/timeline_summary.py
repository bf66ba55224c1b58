"""The summary of a timeline as CSV: one row per speaker and emotion, and one per emotion for the whole recording.

path,model,adaptation,of,speaker,segments,speech_s,uncertain_share,arousal,valence,emotion,share,estimate,...
talk.wav,overtone,speakers,speaker,Anna,17,48.200,0.350000,0.410,0.520,happy,0.240000,0.310000,0.170000,0.460000,...
talk.wav,overtone,speakers,recording,,41,103.700,0.420000,0.390,0.490,happy,0.110000,0.180000,0.070000,0.320000,...

`of` is `speaker` or `recording`; a recording without known speakers has rows of the latter alone. `share` is the share
of the speech with this emotion as a sure prediction, so that the shares and `uncertain_share` sum to 1. `estimate` is
the estimated true share with its 90 % interval, `estimate_low` to `estimate_high`; where they are empty,
`no_estimate` says why. Several timelines may follow one header.
"""

from collections.abc import Iterator
from typing import TextIO

from overtone.formats.csv_dialect import PLAIN, Dialect, TableWriter
from overtone.speaker_summary import SpeakerSummary
from overtone.timeline import Timeline

COLUMNS = (
    *("path", "model", "adaptation", "of", "speaker", "segments", "speech_s", "uncertain_share", "arousal", "valence"),
    *("emotion", "share", "estimate", "estimate_low", "estimate_high", "no_estimate"),
)
NO_SPEECH = "no speech"


def write(timeline: Timeline, stream: TextIO, *, dialect: Dialect = PLAIN, header: bool = True) -> None:
    """Write a header, unless one has been written before, and the rows of the speakers and of the recording.

    Args:
        timeline: what is written.
        stream: opened with `newline=""`.
        dialect: separator and decimal sign of the table.
        header: whether the header is written; False for all but the first timeline in one table.
    """
    writer = TableWriter(stream, dialect)
    if header:
        writer.write_header(COLUMNS)
    for summary in timeline.named_speakers:
        for row in _rows(timeline, summary, "speaker"):
            writer.write_row(zip(COLUMNS, row, strict=True))
    for row in _rows(timeline, timeline.summary, "recording"):
        writer.write_row(zip(COLUMNS, row, strict=True))


def _rows(timeline: Timeline, summary: SpeakerSummary, of: str) -> Iterator[list[str | float | bool]]:
    segments = len(timeline.spoken(None if of == "recording" else summary.speaker))
    speaker = (timeline.source, timeline.model, timeline.adaptation, of, summary.speaker, segments)
    means = (float(summary.speech_s), summary.uncertain_share, summary.arousal, summary.valence)
    for emotion, share in summary.shares.items():
        found = summary.estimates.get(emotion)
        estimate = ("", "", "", timeline.no_estimates or NO_SPEECH)
        values = (found.value, found.low, found.high, "") if found else estimate
        yield [*speaker, *means, emotion, share if summary.speech_s else float("nan"), *values]
