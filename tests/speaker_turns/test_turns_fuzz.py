"""Any content of a file of turns gives turns or an `InputError`."""

import json
import tempfile
from pathlib import Path

import pytest
from damaged_content import damaged
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from timelines import TEXTS, words_timeline

from overtone.errors import InputError
from overtone.formats import TIMELINE_FORMATS, save_timeline
from overtone.speaker_turns import TURN_FORMATS, read_turns_file

RTTM = b";; x\nSPEAKER talk 1 0.5 2.25 <NA> <NA> anna weber <NA> <NA>\nSPEAKER talk 1 2 2 <NA> <NA> ben 0.5 <NA>\n"
SRT = b"1\n00:00:00,500 --> 00:00:02,750\n[anna]: <i>yes</i>\n\n2\n00:00:03,000 --> 00:00:04,000\nben: no\n"
PYANNOTE = {"content": [{"segment": {"start": 0.5, "end": 2.75}, "track": "A", "label": "anna"}], "uri": "talk"}
CHRONOLOGICAL = b'"Praat chronological TextGrid text file"\n0 5\n1\n"IntervalTier" "anna" 0 5\n1 0.5 2.75\n"yes"\n'
BINARY = (
    b"ooBinaryFile\x08TextGrid" + bytes(16) + b"\x01\x00\x00\x00\x01\x0cIntervalTier\x00\x01A" + bytes(16)
    + b"\x00\x00\x00\x01" + bytes(8) + b"\x40\x00" + bytes(6) + b"\xff\xff\x00\x02\xd8\x3d\xde\x00\x00B"
)  # fmt: skip
WRITTEN = ("textgrid", "elan", "webvtt", "srt", "rttm", "audacity", "csv", "json", "jsonl")
PIECES = (
    *(b"\n", b"\n\n", b"\t", b" ", b",", b";", b'"', b"<NA>", b"-->", b"<v x>", b":", b"-1", b"1e999", b"NaN", b"null"),
    *(b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"[", b"{", b"]", b"}", b"<", b"&", b"<!DOCTYPE a>", b"0 days 00:00:01"),
    *(b"SPEAKER", b"WEBVTT", b"9" * 400, b"\xf0\x9f\x98\x80", b"\\ud800", b"true", b"\r", b"|", b"00:00:01.000"),
)
pieces = st.sampled_from(PIECES)


def seeds() -> dict[str, list[bytes]]:
    """Return valid files of each format."""
    found: dict[str, list[bytes]] = {name: [] for name in TURN_FORMATS}
    found["rttm"], found["srt"] = [RTTM], [SRT]
    found["json"] = [json.dumps(PYANNOTE).encode()]
    found["textgrid"] = [CHRONOLOGICAL, BINARY]
    with tempfile.TemporaryDirectory() as folder:
        for name in WRITTEN:
            path = Path(folder) / f"talk{TIMELINE_FORMATS[name].suffix}"
            save_timeline(words_timeline(*TEXTS[:3]), path, name)
            found["json" if name == "jsonl" else name].append(path.read_bytes()[:20_000])
    return found


SEEDS = seeds()


def check(content: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"turns{TURN_FORMATS[name].suffixes[0]}"
        path.write_bytes(content)
        try:
            turns, _, invalid = read_turns_file(path, "talk.wav", 12.52)
        except InputError as error:
            assert str(error).startswith(str(path))
            return
    assert turns and all(0 <= turn.start_s < turn.end_s <= 12.52 for turn in turns)
    for turn in turns:
        assert "\n" not in turn.speaker + turn.text
        (turn.speaker + turn.text).encode("utf-8")
    assert all("line" in fault or "turn" in fault or "tier" in fault for fault in invalid)


@pytest.mark.parametrize("name", TURN_FORMATS)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_content_gives_turns_or_an_error(name: str, data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from(SEEDS[name]))
    check(data.draw(damaged(seed, pieces) | st.lists(pieces | st.binary(max_size=5)).map(b"".join)), name)


@pytest.mark.parametrize("name", TURN_FORMATS)
def test_the_valid_files_are_valid(name: str, tmp_path: Path) -> None:
    for content in SEEDS[name]:
        path = tmp_path / f"turns{TURN_FORMATS[name].suffixes[0]}"
        path.write_bytes(content)
        turns, _, invalid = read_turns_file(path, "talk.wav", 12.52)
        assert turns and not invalid
