"""A timeline and the corrections of a person -> the corrected timeline.

{"segments": [
{"start_s": 1.2, "end_s": 3.9, "model_segment": 1, "decided_by": "model"},
{"start_s": 3.9, "end_s": 5.1, "model_segment": 2, "decided_by": "person", "emotion": "sad", "text_from": [2, 3]},
{"start_s": 5.1, "end_s": 6.0, "model_segment": 4, "decided_by": "person", "emotion": null}
]}

These are all segments of the corrected timeline; a timeline without speaker turns may leave out those without speech.
`model_segment` is the place, from 0, of the segment of the model that it comes from: it has its prediction and speaker,
and its words, or those of the segments in `text_from`. `emotion` is what the person named, or null if the prediction is
wrong and the emotion unknown. No segments at all mean that nothing is corrected.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from overtone.agreement import DECIDERS, MODEL, PERSON
from overtone.emotions import find_class, parse_label
from overtone.errors import InputError
from overtone.timeline import Segment, Timeline, with_corrections

REQUIRED, OPTIONAL = ("start_s", "end_s", "model_segment", "decided_by"), ("emotion", "text_from")
MAX_SEGMENTS = 100_000
MAX_LABEL_LENGTH = 200
MAX_TEXT_LENGTH = 20_000_000  # characters; four times those of the largest file of turns: rows may repeat their words
MIN_SEGMENT_S, MAX_TIME_S = 0.001, 1e7  # beyond the duration of any recording


def check_corrections(document: Any) -> list[dict[str, Any]]:
    """Return the rows of a document of corrections.

    Raises:
        InputError: it has another form.
    """
    if not isinstance(document, dict) or list(document) != ["segments"] or not isinstance(document["segments"], list):
        raise InputError("expected an object with the key 'segments' alone, a list")
    rows = document["segments"]
    if len(rows) > MAX_SEGMENTS:
        raise InputError(f"{len(rows)} segments are more than {MAX_SEGMENTS}")
    for number, row in enumerate(rows, start=1):
        fault = _find_fault(row)
        if fault:
            raise InputError(f"segment {number}: {fault}")
    return rows


def _find_fault(row: Any) -> str:
    """Return what is wrong with a row; "" if nothing is."""
    if not isinstance(row, dict):
        return "expected an object"
    unknown = [str(key)[:40] for key in row if key not in (*REQUIRED, *OPTIONAL)]
    if unknown:
        return f"unknown key {unknown[0]!r}"
    missing = [key for key in REQUIRED if key not in row]
    if missing:
        return f"the key '{missing[0]}' is missing"
    if not all(_is_time(row[key]) for key in ("start_s", "end_s")) or row["start_s"] + MIN_SEGMENT_S > row["end_s"]:
        return "expected start_s and end_s in seconds, 0 <= start_s < end_s"
    if row["decided_by"] not in DECIDERS:
        return f"expected decided_by among {', '.join(DECIDERS)}"
    if not _is_place(row["model_segment"]):
        return "expected model_segment as a whole number from 0"
    texts = row.get("text_from", [])
    if not isinstance(texts, list) or not all(map(_is_place, texts)):
        return "expected text_from as a list of whole numbers from 0"
    if row["decided_by"] == PERSON and "emotion" not in row:
        return "the key 'emotion' is missing; it may be null"
    if not isinstance(row.get("emotion"), str | None) or len(row.get("emotion") or "") > MAX_LABEL_LENGTH:
        return f"expected emotion as a text of up to {MAX_LABEL_LENGTH} characters, or null"
    return ""


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_TIME_S


def _is_place(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def correct(timeline: Timeline, document: Any) -> Timeline:
    """Return the corrected timeline.

    Args:
        timeline: of the model.
        document: the corrections.

    Raises:
        InputError: they have another form, or do not fit the timeline.
    """
    rows = check_corrections(document)
    if not rows:
        return timeline
    segments, length = [], 0
    for number, row in enumerate(rows, start=1):
        try:
            length += sum(len(part.text) for part in _with_text(timeline, row))
            if length > MAX_TEXT_LENGTH:
                raise InputError(f"more than {MAX_TEXT_LENGTH} characters; name each segment once in text_from")
            segments.append(_correct_segment(timeline, row))
        except InputError as error:
            raise InputError(f"segment {number}: {error}") from error
    segments.sort(key=lambda segment: (segment.start_s, segment.end_s))
    if not timeline.turns_given and not timeline.channels:
        segments = _with_pauses(segments, timeline.duration_s)
    return with_corrections(timeline, segments)


def _correct_segment(timeline: Timeline, row: dict[str, Any]) -> Segment:
    if row["end_s"] > timeline.duration_s:
        raise InputError(f"is beyond the end of the recording at {timeline.duration_s:.3f} s")
    original = timeline.segments[row["model_segment"]]
    text = " ".join(part.text for part in _with_text(timeline, row) if part.text)
    moved: Segment = replace(original, start_s=float(row["start_s"]), end_s=float(row["end_s"]), text=text)
    if row["decided_by"] == PERSON:
        label = "" if row["emotion"] is None else _label(row["emotion"], timeline.emotions)
        moved = replace(moved, decided_by=PERSON, label=label)
    elif row.get("emotion") not in (None, original.emotion):
        raise InputError(f"the emotion differs from the prediction, '{original.emotion}', and decided_by is '{MODEL}'")
    return moved


def _with_text(timeline: Timeline, row: dict[str, Any]) -> list[Segment]:
    """Return the segments of the model whose words a row has.

    Raises:
        InputError: the timeline lacks one of its segments.
    """
    places = row.get("text_from", [row["model_segment"]])
    last = max([row["model_segment"], *places])
    if last >= len(timeline.segments):
        raise InputError(f"there is no segment {last} of the model; they are 0 to {len(timeline.segments) - 1}")
    return [timeline.segments[place] for place in places]


def _label(name: str, emotions: Sequence[str]) -> str:
    return find_class(name, emotions) or parse_label(name)


def _with_pauses(segments: Sequence[Segment], duration_s: float) -> list[Segment]:
    """Return segments and what is between them, from the start of the recording to its end."""
    edges = [0.0, *(time_s for part in segments for time_s in (part.start_s, part.end_s)), duration_s]
    if edges != sorted(edges):
        raise InputError("the segments overlap; in a timeline without speaker turns they must not")
    gaps = [Segment(end_s, start_s) for end_s, start_s in list(pairwise(edges))[::2] if start_s > end_s]
    return sorted([*segments, *gaps], key=lambda segment: segment.start_s)
