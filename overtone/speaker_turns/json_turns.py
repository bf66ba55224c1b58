"""Reads JSON of WhisperX and Whisper, of pyannote, and of `overtone timeline`; and JSON Lines with a turn per line.

{"segments": [{"start": 0.5, "end": 2.75, "text": "well, yes", "speaker": "SPEAKER_00", "words": [...]}]}    WhisperX
[{"start": 0.5, "end": 2.75, "speaker": "SPEAKER_00"}]                                                       pyannote
{"diarization": [{"start": 0.5, "end": 2.75, "speaker": "SPEAKER_00"}]}                                      pyannote
{"content": [{"segment": {"start": 0.5, "end": 2.75}, "track": "A", "label": "SPEAKER_00"}]}                 pyannote

A turn without words of its own has those of its list `words`. In the output of `overtone timeline`, segments without
speech are not turns, unless they have a speaker or words, or were turns before.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from overtone._internal.text_encoding import decode_text
from overtone.speaker_turns.content import select_recording
from overtone.speaker_turns.turn import Turn, make_turn

SUFFIXES = (".json", ".jsonl", ".ndjson")
LISTS = ("segments", "turnLevelTranscription", "diarization", "turns", "content", "output")  # by preference
STARTS, ENDS, DURATIONS = ("start_s", "start"), ("end_s", "end"), ("duration_s", "duration")
SPEAKERS, TEXTS, FILES = ("speaker", "label", "speaker_id"), ("text", "transcript"), ("path", "uri", "audio_filepath")
EXPECTED = "expected a list of turns with start, end and speaker"


def parse(content: bytes, recording: str) -> Iterator[Turn]:
    """Yield the turns of a recording."""
    items, were_turns = read_items(decode_text(content))
    selected = select_recording((_file(item) for _, item in items), recording)
    for position, item in items:
        if isinstance(item, ValueError):
            yield Turn(position, error=str(item))
        elif _file(item) in selected and (were_turns or not _is_pause(item)):
            yield object_to_turn(position, item)


def read_items(text: str) -> tuple[list[tuple[str, Any]], bool]:
    """Return the turns in a JSON text, each with its position, and whether a timeline had been given them as turns.

    Raises:
        ValueError: it is not JSON, or has no list of turns.
    """
    try:
        document = json.loads(text)
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
    except ValueError as error:
        lines = [(f"line {number}", line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
        items = [(position, _read_line(line)) for position, line in lines]
        if not any(isinstance(item, dict) for _, item in items):
            raise ValueError(f"not JSON: {error}") from error
        return items, False
    found = find_turns(document)
    if found is None:
        raise ValueError(EXPECTED)
    were_turns = isinstance(document, dict) and document.get("turns_given") is True
    return [(f"turn {number}", item) for number, item in enumerate(found, start=1)], were_turns


def parse_json(path: Path) -> Any:
    """Return the document in a file; None if it is not JSON."""
    try:
        return json.loads(decode_text(path.read_bytes())) if path.suffix.lower() in SUFFIXES else None
    except (OSError, ValueError, RecursionError):
        return None


def find_turns(document: Any, depth: int = 2) -> list[Any] | None:
    """Return the list of turns in a document; None if it has none."""
    if isinstance(document, list):
        return document
    if not isinstance(document, dict):
        return None
    if _first(document, STARTS) is not None:
        return [document]
    for key in LISTS:
        found = find_turns(document[key], depth - 1) if depth and key in document else None
        if found is not None:
            return found
    return None


def object_to_turn(position: str, item: Any) -> Turn:
    """Return the turn in a JSON value."""
    if isinstance(item, list) and 2 <= len(item) <= 4:  # start, end, speaker, words
        item = dict(zip(("start", "end", "speaker", "text"), item, strict=False))
    if not isinstance(item, dict):
        return Turn(position, error=f"{EXPECTED[:9]}an object with start, end and speaker, got {type(item).__name__}")
    times = item["segment"] if isinstance(item.get("segment"), dict) else item
    speaker, text = _first(item, SPEAKERS), _text(item)
    if not isinstance(speaker, str | int | None) or not isinstance(text, str | None):
        return Turn(position, error="expected the speaker and the words as text")
    end = _first(times, ENDS)
    duration = _first(times, DURATIONS) if end is None else None
    return make_turn(position, _first(times, STARTS), end, speaker, text, duration=duration)


def _read_line(line: str) -> Any:
    """Return the value on a line, or the error."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        return ValueError(f"not JSON: {error}")


def _file(item: Any) -> str:
    file = _first(item, FILES) if isinstance(item, dict) else None
    return file if isinstance(file, str) else ""


def _is_pause(item: Any) -> bool:
    """Return whether a value is a segment of `overtone timeline` without speech, speaker and words."""
    return isinstance(item, dict) and item.get("speech") is False and not item.get("speaker") and not item.get("text")


def _text(item: Mapping[str, Any]) -> Any:
    text, words = _first(item, TEXTS), item.get("words")
    if text is None and isinstance(words, list):
        found = [_first(word, ("word", "text")) for word in words if isinstance(word, dict)]
        return " ".join(word for word in found if isinstance(word, str))
    return text


def _first(item: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    """Return the value of the first of these keys that has one; None if none has."""
    return next((item[key] for key in keys if item.get(key) is not None), None)
