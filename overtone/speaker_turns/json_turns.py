"""Reads JSON of WhisperX and Whisper, of pyannote, and of `overtone timeline`; and JSON Lines with a turn per line.

{"segments": [{"start": 0.5, "end": 2.75, "text": "well, yes", "speaker": "SPEAKER_00", "words": [...]}]}    WhisperX
[{"start": 0.5, "end": 2.75, "speaker": "SPEAKER_00"}]                                                       pyannote
{"diarization": [{"start": 0.5, "end": 2.75, "speaker": "SPEAKER_00"}]}                                      pyannote
{"content": [{"segment": {"start": 0.5, "end": 2.75}, "track": "A", "label": "SPEAKER_00"}]}                 pyannote

Keys may be in other spellings, such as `startTime`. A turn without words or a speaker of its own has those of its list
`words`. In the output of `overtone timeline`, segments without speech are not turns, unless they have a speaker or
words, or were turns before.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from overtone._internal.column_names import name_key
from overtone._internal.text_encoding import decode_text, split_lines
from overtone.speaker_turns.content import NO_RECORDING, select_recording
from overtone.speaker_turns.turn import MAX_LISTED, Turn, make_turn, unread_speakers

SUFFIXES = (".json", ".jsonl", ".ndjson")
LISTS = ("segments", "turnLevelTranscription", "diarization", "turns", "content", "output")  # by preference
STARTS, ENDS = ("start_s", "start", "start_time", "begin", "onset"), ("end_s", "end", "end_time", "stop")
DURATIONS, TEXTS = ("duration_s", "duration"), ("text", "transcript")
SPEAKERS = ("speaker", "label", "speaker_id", "speaker_label", "speaker_name", "spk", "participant")
FILES = ("path", "uri", "audio_filepath", "file", "file_name", "filename", "audio", "audio_file", "recording")
EXPECTED = "expected a list of turns with start, end and speaker"


def parse(content: bytes, recording: str) -> Iterator[Turn]:
    """Yield the turns of a recording."""
    items, were_turns = read_items(decode_text(content))
    selected = select_recording((_file(item) for _, item in items), recording)
    for position, item in items:
        if isinstance(item, ValueError):
            yield Turn(position, error=str(item))
        elif not _file(item) and "" not in selected:
            yield Turn(position, error=NO_RECORDING)
        elif (_file(item) in selected) and (were_turns or not _is_pause(item)):
            yield object_to_turn(position, item)
    unread = _unread_names([_by_key(item) for _, item in items if isinstance(item, dict)])
    if unread:
        yield unread_speakers("keys", unread)


def _unread_names(items: list[dict[str, Any]]) -> list[str]:
    """Return the keys that may have the names of speakers, if none of the known ones is there."""
    if any(set(SPEAKERS) & set(item) for item in items):
        return []
    known = {*STARTS, *ENDS, *DURATIONS, *TEXTS, *FILES}
    found = dict.fromkeys(key for item in items for key, value in item.items() if isinstance(value, str))
    return [key for key in found if key not in known]


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
        lines = [(f"line {number}", line) for number, line in enumerate(split_lines(text), start=1) if line.strip()]
        items = [(position, _read_line(line)) for position, line in lines]
        if not any(isinstance(item, dict) for _, item in items):
            raise ValueError(f"not JSON: {error}") from error
        return items, False
    found = find_turns(document)
    if found is None:
        raise ValueError(
            f"{EXPECTED}, or an object with one as '{LISTS[0]}', '{LISTS[2]}' or '{LISTS[3]}'{_got(document)}"
        )
    if found and not any(_has_start(item) for item in found):
        raise ValueError(f"{EXPECTED}: none has a start, in seconds, as 'start'{_got(found[0])}")
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
    if _first(_by_key(document), STARTS) is not None:
        return [document]
    lists = [find_turns(document[key], depth - 1) for key in LISTS if depth and key in document]
    known = [found for found in lists if found is not None]
    return next(filter(None, known), known[0] if known else None)


def _got(document: Any) -> str:
    """Return what a value is instead, for messages."""
    if not isinstance(document, dict):
        return f"; got {type(document).__name__}"
    names = ", ".join(f"'{key}'" for key in list(document)[:MAX_LISTED])
    return f"; got the keys {names}" if names else "; got an empty object"


def _has_start(item: Any) -> bool:
    """Return whether a value may be a turn: any but an object without a start."""
    return not isinstance(item, dict) or _first(_by_key(_times(item)), (*STARTS, *ENDS)) is not None


def _by_key(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object with its keys in one spelling: "startTime" and "Start Time" are "start_time"."""
    return {name_key(key): value for key, value in item.items()}


def _times(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return item["segment"] if isinstance(item.get("segment"), dict) else item


def object_to_turn(position: str, item: Any) -> Turn:
    """Return the turn in a JSON value."""
    if isinstance(item, list) and 2 <= len(item) <= 4:  # start, end, speaker, words
        item = dict(zip(("start", "end", "speaker", "text"), item, strict=False))
    if not isinstance(item, dict):
        return Turn(position, error=f"{EXPECTED[:9]}an object with start, end and speaker, got {type(item).__name__}")
    times, item = _by_key(_times(item)), _by_key(item)
    speaker, text = _speaker(item), _text(item)
    is_name = isinstance(speaker, str | int | None) and not isinstance(speaker, bool)
    if not is_name or not isinstance(text, str | None):
        return Turn(position, error="expected the speaker and the words as text")
    end = _first(times, ENDS)
    duration = _first(times, DURATIONS) if end is None else None
    return make_turn(position, _first(times, STARTS), end, speaker, text, duration=duration)


def _speaker(item: Mapping[str, Any]) -> Any:
    """Return the speaker of a turn; if it has none, that of all its words, if they have one."""
    speaker, words = _first(item, SPEAKERS), item.get("words")
    if isinstance(speaker, float) and speaker.is_integer():  # as pandas writes numbers where some are unknown
        return int(speaker)
    if speaker is None and isinstance(words, list):
        found = {str(_first(word, SPEAKERS)) for word in words if isinstance(word, dict)} - {str(None)}
        return found.pop() if len(found) == 1 else None
    return speaker


def _read_line(line: str) -> Any:
    """Return the value on a line, or the error."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        return ValueError(f"not JSON: {error}")


def _file(item: Any) -> str:
    file = _first(_by_key(item), FILES) if isinstance(item, dict) else None
    return file.strip() if isinstance(file, str) else ""


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
