"""Explanations in plain words and small bars, for people.

clip.wav: happy 62 %
  The sound from 1.2 to 1.8 s speaks most for happy.
  A flat pitch lowers the probability of happy from 62 to 31 %.

  time               against    for
  0.0 to 0.2 s                 |##       +0.12

A bar to the right speaks for the class, to the left against it; the number is the change of the log-odds. A question
mark stands where the ways of leaving a part out disagree.
"""

from collections.abc import Iterable, Sequence
from typing import TextIO

from overtone.explanation import Contribution, Explanation
from overtone.formats.explanation_words import describe, format_frequencies, format_times, percent, sign_text
from overtone.formats.table import can_encode, emotion_label, printable

LABEL_CELLS, BAR_CELLS = 17, 14
BLOCKS = "█│"
PLAIN = "#|"


def write(explanations: Iterable[Explanation], stream: TextIO) -> None:
    """Write one paragraph of sentences and bars per explanation."""
    blocks = BLOCKS if can_encode(stream, BLOCKS) else PLAIN
    for number, explanation in enumerate(explanations):
        stream.write("\n" * bool(number) + "\n".join(_lines(explanation, blocks)) + "\n")
        stream.flush()


def _lines(explanation: Explanation, blocks: str) -> list[str]:
    prediction = explanation.prediction
    confidence = f" {percent(prediction.confidence)} %" if explanation.spans else ""
    lines = [f"{printable(prediction.source)}: {emotion_label(prediction)}{confidence}"]
    lines += [f"  {sentence}" for sentence in describe(explanation)]
    if not explanation.spans:
        return lines
    tables: tuple[tuple[str, list[tuple[str, Contribution]]], ...] = (
        ("time", [(format_times(part.start_s, part.end_s), part) for part in explanation.spans]),
        ("frequencies", [(format_frequencies(part.low_hz, part.high_hz), part) for part in explanation.bands]),
        ("property", [(part.name, part) for part in explanation.properties]),
    )
    for title, rows in tables:
        lines += ["", f"  {title:{LABEL_CELLS}}{'against':>{BAR_CELLS}} {'for':{BAR_CELLS}}"]
        lines += _bars(rows, blocks)
    return lines


def _bars(rows: Sequence[tuple[str, Contribution]], blocks: str) -> list[str]:
    largest = max((abs(part.value) for _, part in rows), default=0.0) or 1.0
    lines = []
    for label, part in rows:
        bar = blocks[0] * round(abs(part.value) / largest * BAR_CELLS)
        left, right = (bar, "") if part.value < 0 else ("", bar)
        lines.append(f"  {label:{LABEL_CELLS}}{left:>{BAR_CELLS}}{blocks[1]}{right:{BAR_CELLS}} {sign_text(part)}")
    return lines
