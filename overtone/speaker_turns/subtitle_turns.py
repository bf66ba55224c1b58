"""Reads subtitles: SRT and WebVTT. A cue is a turn.

    00:00:01,000 --> 00:00:03,000            00:01.000 --> 00:03.000
    [SPEAKER_00]: well, yes                  <v Anna>well, yes

The speaker is the voice of a cue, which some programs write in SRT too; two voices in a cue are two turns. Without
voices, it is the name in brackets in front of the words, or the name in front of a colon if all cues have one, also
behind ">>" or a dash; lines of two names in a cue are two turns. Comments, styles and tags are not read. If the first
line of all cues is a label with its confidence, `overtone timeline` has written it, and it is not words: it has the
name of the speaker in SRT.

Source: W3C, "WebVTT: The Web Video Text Tracks Format".
"""

import html
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from overtone._internal.text_encoding import decode_text, split_lines
from overtone.speaker_turns.own_labels import split_label_line, split_prefix, starts_speaker
from overtone.speaker_turns.turn import Turn, make_turn

ARROW = "-->"
HEADER = re.compile(r"(?i)webvtt(?!\S)")
NO_CUE = ("NOTE", "STYLE", "REGION")  # first word of blocks of WebVTT that are not cues
TIME = re.compile(r"(?:\d+:)?\d{1,2}:\d{1,2}(?:[.,]\d{1,9})?")
TIMES = re.compile(rf"\s*{TIME.pattern}\s*{ARROW}\s*{TIME.pattern}(?!\S)")
VOICE = re.compile(r"<[vV](?:\.[^\s<>]*)?\s([^<>]*)>")
TAG = re.compile(r"(?i)</?(?:[biuscv]|font|ruby|rt|lang)(?:[.\s][^<>]*)?>|<\d[\d:.]*>|\{\\[^{}]*\}")

Voice = tuple[str, list[str]]  # name and lines


class _Cue(NamedTuple):
    """A cue: its position, its times as written, and for each voice its name and its lines."""

    position: str
    start: str
    end: str
    voices: list[Voice]
    error: str = ""


def parse(content: bytes, recording: str) -> Iterator[Turn]:
    """Yield a turn for each voice of each cue."""
    text = decode_text(content)
    is_webvtt = HEADER.match(text) is not None
    cues = list(_read_webvtt(text) if is_webvtt else _read_srt(text))
    voices = [voice for cue in cues for voice in cue.voices]
    if voices and all(lines and _own_speaker(name, lines[0]) is not None for name, lines in voices):
        cues = [cue._replace(voices=list(map(_without_label, cue.voices))) for cue in cues]
    else:
        cues = cues if is_webvtt else [cue._replace(voices=_tagged_voices(cue.voices)) for cue in cues]
        if not any(name for cue in cues for name, _ in cue.voices):
            cues = _with_names(cues)
    for position, start, end, found, error in cues:
        if error:
            yield Turn(position, error=error)
        yield from (make_turn(position, start, end, name, " ".join(lines)) for name, lines in found)


def _with_names(cues: list[_Cue]) -> list[_Cue]:
    """Return cues without voices, with the names of the speakers in front of their words as voices."""
    spoken = [words for cue in cues for _, lines in cue.voices if (words := " ".join(lines).strip())]
    found = list(map(split_prefix, spoken))
    names = {prefix.speaker for prefix in found if prefix}
    return [cue._replace(voices=_split_names(cue.voices, names if all(found) else set())) for cue in cues]


def _own_speaker(voice: str, line: str) -> str | None:
    """Return the speaker of a cue of `overtone timeline`, by its voice and its first line; None if it is none."""
    speaker = split_label_line(line)
    return (voice or speaker) if speaker is not None else None


def _without_label(voice: Voice) -> Voice:
    name, lines = voice
    return _own_speaker(name, lines[0]) or "", lines[1:]


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the first line of each block between blank lines, and its lines.

    Cues without a blank line between them are blocks too: one ends where the times of the next are, or their number.
    """
    block: list[str] = []
    for number, line in enumerate([*split_lines(text), ""], start=1):
        if TIMES.match(line) and any(ARROW in earlier for earlier in block[:2]):
            kept = len(block) - (block[-1].isdecimal() and ARROW not in block[-1])
            yield number - len(block), block[:kept]
            block = block[kept:]
        if line.strip():
            block.append(line.strip())
        elif block:
            yield number - len(block), block
            block = []


def _read_webvtt(text: str) -> Iterator[_Cue]:
    for number, lines in _blocks(text):
        is_header = number == 1 or lines[0].split()[0] in NO_CUE
        if not is_header or any(ARROW in line for line in lines[1:2]):
            yield _read_cue(number, lines, _voices)


def _read_srt(text: str) -> Iterator[_Cue]:
    """Yield the cues; a block without times continues the words before, unless it starts with the number of a cue."""
    last: _Cue | None = None
    waiting: _Cue | None = None  # a number alone: of the cue whose times follow, or an error
    for number, lines in _blocks(text):
        has_times = any(ARROW in line for line in lines[:2])
        if waiting and ARROW not in lines[0]:
            yield waiting
        waiting = None
        if not has_times and last and last.voices and not lines[0].isdecimal():
            last.voices[0][1].extend(lines)
            continue
        cue = _read_cue(number, lines, _single_voice)
        if not has_times and len(lines) == 1 and lines[0].isdecimal():
            waiting = cue
            continue
        last = cue
        yield last
    if waiting:
        yield waiting


def _read_cue(number: int, lines: list[str], read_voices: Callable[[list[str]], list[Voice]]) -> _Cue:
    """Return the cue in a block of lines, the first of which has this number."""
    index = next((index for index, line in enumerate(lines[:2]) if ARROW in line), None)
    if index is None:
        return _Cue(f"line {number}", "", "", [], f"expected times such as 00:00:01.000 {ARROW} 00:00:03.000")
    start, _, rest = lines[index].partition(ARROW)
    end = (rest.split() or [""])[0]
    position = f"line {number + index}"
    for time in (start.strip(), end):
        if not TIME.fullmatch(time):
            return _Cue(position, "", "", [], f"expected a time such as 00:00:01.000, got '{time[:40]}'")
    return _Cue(position, start.strip(), end, read_voices(lines[index + 1 :]))


def _single_voice(lines: list[str]) -> list[Voice]:
    return [("", list(lines))]


def _voices(lines: list[str], unescape: Callable[[str], str] = html.unescape) -> list[Voice]:
    """Return the name and the lines of each voice in a cue; one with the name "" if there is none.

    Args:
        lines: of the cue.
        unescape: replaces the character references of a text: WebVTT has them, SRT has not.
    """
    before, *parts = VOICE.split("\n".join(lines))
    found: dict[str, list[str]] = {}
    for name, text in [("", before), *zip(parts[::2], parts[1::2], strict=True)]:
        spoken = [unescape(TAG.sub("", line)) for line in text.split("\n")]
        found.setdefault(unescape(name).strip(), []).extend(line for line in spoken if line.strip())
    if len(found) > 1 and not found[""]:
        del found[""]
    return list(found.items())


def _tagged_voices(voices: list[Voice]) -> list[Voice]:
    """Return the voices of a cue of SRT, whose one voice has the lines as they are."""
    return [found for _, lines in voices for found in _voices(lines, str)]


def _split_names(voices: list[Voice], names: set[str]) -> list[Voice]:
    """Return the words of a cue without voices as one voice per speaker whose name is in front of them.

    Args:
        voices: of the cue.
        names: in front of the words of all cues; if some cues have none, a name must be in brackets.
    """
    found: list[Voice] = []
    for _, lines in voices:
        text = " ".join(lines)
        prefix = split_prefix(text) if names or text.startswith("[") else None
        if not prefix:
            found.append(("", [text]))
            continue
        for line in lines:
            prefix = split_prefix(line)
            if prefix and (not found or starts_speaker(line) or prefix.speaker in names):
                found.append((prefix.speaker, [prefix.text]))
            elif found:
                found[-1][1].append(line)
            else:  # the name is on several lines
                found.append(_joined(lines))
                break
    return found


def _joined(lines: list[str]) -> Voice:
    prefix = split_prefix(" ".join(lines))
    return (prefix.speaker, [prefix.text]) if prefix else ("", lines)
