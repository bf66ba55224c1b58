"""JSON of WhisperX, Whisper and pyannote, JSON Lines, values that are invalid."""

import json
from pathlib import Path
from typing import Any

import pytest

from overtone.errors import InputError
from overtone.speaker_turns import read_labelled_turns, read_turns, read_turns_file
from overtone.timeline import Segment

TURNS = (Segment(0.5, 2.75, None, "SPEAKER_00"), Segment(2, 4, None, "SPEAKER_01"))
PLAIN = [
    {"start": 0.5, "end": 2.75, "speaker": "SPEAKER_00"},
    {"start": 2.0, "end": 4, "speaker": "SPEAKER_01"},
]
WHISPERX = {
    "segments": [
        {
            "start": 0.5,
            "end": 2.75,
            "text": " Well,  yes.",
            "words": [
                {"word": "Well,", "start": 0.5, "end": 0.9, "score": 0.8, "speaker": "SPEAKER_00"},
                {"word": "2"},
            ],
            "speaker": "SPEAKER_00",
        },
        {"start": 2.0, "end": 4.0, "words": [{"word": "No"}, {"word": "\u58f0."}], "speaker": None},
    ],
    "word_segments": [],
    "language": "en",
}


def write(folder: Path, document: Any, name: str = "a.json") -> Path:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    return path


@pytest.mark.parametrize(
    "document",
    [
        PLAIN,
        {"diarization": PLAIN, "exclusive_diarization": PLAIN[:1]},
        {"jobId": "1", "status": "succeeded", "output": {"diarization": PLAIN}},
        {
            "pyannote": "Annotation",
            "content": [
                {"segment": {"start": row["start"], "end": row["end"]}, "track": "A", "label": row["speaker"]}
                for row in PLAIN
            ],
        },
        {"segments": [{"start": 0.5, "duration": 2.25, "speaker": "SPEAKER_00"}, [2, 4, "SPEAKER_01"]]},
        "".join(json.dumps(row) + "\n\n" for row in PLAIN),
    ],
    ids=["list", "serialize", "API", "Annotation", "others", "lines"],
)
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_turns_of_pyannote(tmp_path: Path, document: Any, name: str) -> None:
    assert read_turns(write(tmp_path, document, name)) == TURNS


def test_segments_of_whisperx(tmp_path: Path) -> None:
    expected = (Segment(0.5, 2.75, None, "SPEAKER_00", "Well, yes."), Segment(2, 4, None, "", "No \u58f0."))
    assert read_turns(write(tmp_path, WHISPERX)) == expected
    assert read_turns(write(tmp_path, WHISPERX["segments"][0])) == expected[:1]


def test_lines_of_several_recordings(tmp_path: Path) -> None:
    lines = "".join(json.dumps({**row, "path": f"{row['speaker']}.wav"}) + "\n" for row in PLAIN)
    assert read_turns(write(tmp_path, lines, "a.jsonl"), "SPEAKER_01.flac") == TURNS[1:]
    with pytest.raises(InputError, match="several recordings"):
        read_turns(write(tmp_path, lines, "a.jsonl"), "talk.wav")


@pytest.mark.parametrize(
    "keys",
    [
        *(("startTime", "endTime", "speakerId"), ("Start", "End", "Speaker"), ("begin", "end", "spk")),
        *(("start_time", "end_time", "speaker_label"), ("Start Time", "End Time", "Speaker Name")),
    ],
)
def test_keys_in_other_spellings(tmp_path: Path, keys: tuple[str, str, str]) -> None:
    items = [dict(zip(keys, row.values(), strict=True)) for row in PLAIN]
    assert read_turns(write(tmp_path, items)) == read_turns(write(tmp_path, {"segments": [], "turns": items})) == TURNS


def test_keys_that_may_have_the_speakers_are_named(tmp_path: Path) -> None:
    items = [{"start": 1, "end": 2, "who": "anna", "id": 7, "text": "yes"}]
    (hint,) = read_labelled_turns(write(tmp_path, items)).hints
    assert "'who'" in hint and "'id'" not in hint and "'text'" not in hint
    assert not read_labelled_turns(write(tmp_path, [{**items[0], "speaker": None}])).hints


@pytest.mark.parametrize(
    ("speakers", "expected"),
    [(("anna", "anna", None), "anna"), (("anna", "ben"), ""), ((None,), ""), ((), ""), ((0, 0), "0")],
)
def test_the_speaker_of_all_words(tmp_path: Path, speakers: tuple[Any, ...], expected: str) -> None:
    words = [{"word": "x", "speaker": speaker} for speaker in speakers]
    assert read_turns(write(tmp_path, [{"start": 1, "end": 2, "words": words}]))[0].speaker == expected


@pytest.mark.parametrize(("speaker", "expected"), [(1.0, "1"), (0, "0"), ("", "")])
def test_numbers_as_speakers(tmp_path: Path, speaker: Any, expected: str) -> None:
    assert read_turns(write(tmp_path, [{"start": 1, "end": 2, "speaker": speaker}]))[0].speaker == expected


def test_line_separators_of_unicode_in_json_lines(tmp_path: Path) -> None:
    lines = "".join(json.dumps({**row, "text": "a\u2028b\x85c"}, ensure_ascii=False) + "\n" for row in PLAIN)
    assert [turn.text for turn in read_turns(write(tmp_path, lines, "a.jsonl"))] == ["a b c", "a b c"]


def test_lines_without_a_recording(tmp_path: Path) -> None:
    """Count them to the only recording, and report them where there are several; a line that is no JSON has none."""
    lines = json.dumps({**PLAIN[0], "file": "a.wav"}) + "\n" + json.dumps(PLAIN[1]) + "\n{no\n"
    turns, _, invalid = read_turns_file(write(tmp_path, lines, "a.jsonl"), "talk.wav")
    assert turns == TURNS and [fault[:6] for fault in invalid] == ["line 3"]
    lines += json.dumps({**PLAIN[0], "recording": "b.wav"})
    turns, _, invalid = read_turns_file(write(tmp_path, lines, "a.jsonl"), "a.wav")
    assert turns == TURNS[:1] and [fault[:6] for fault in invalid] == ["line 2", "line 3"]


def test_a_timeline_without_speech_was_given_as_turns_or_not(tmp_path: Path) -> None:
    segments = [{"start_s": 0, "end_s": 1, "speaker": "", "speech": False}, {"start_s": 1, "end_s": 2, "speech": True}]
    assert len(read_turns(write(tmp_path, {"turns_given": False, "segments": segments}))) == 1
    assert len(read_turns(write(tmp_path, {"turns_given": True, "segments": segments}))) == 2


@pytest.mark.parametrize(
    ("item", "fault"),
    [
        (7, "turn 2: expected an object with start, end and speaker, got int"),
        ({"start": 1}, "turn 2: expected a time in seconds, such as 12.5, got nothing"),
        ({"start": True, "end": 2}, "turn 2: expected a time in seconds, such as 12.5, got True"),
        ({"start": 1, "end": 10**400}, "turn 2: expected a time in seconds, such as 12.5, got 1000"),
        ({"start": 1, "end": float("nan")}, "turn 2: expected a time in seconds, such as 12.5, got nan"),
        ({"start": 1, "end": 2, "speaker": {"id": 1}}, "turn 2: expected the speaker and the words as text"),
        ({"start": 1, "end": 2, "speaker": True}, "turn 2: expected the speaker and the words as text"),
        ({"start": 1, "end": 2, "text": [1]}, "turn 2: expected the speaker and the words as text"),
        ({"start": 2, "end": 1}, "turn 2: the turn from 2 to 1 s ends before it starts"),
    ],
)
def test_an_invalid_turn_does_not_lose_the_others(tmp_path: Path, item: Any, fault: str) -> None:
    turns, _, (invalid,) = read_turns_file(write(tmp_path, [PLAIN[0], item, PLAIN[1]]))
    assert turns == TURNS
    assert invalid.startswith(fault)


def test_an_invalid_line_does_not_lose_the_others(tmp_path: Path) -> None:
    turns, _, (invalid,) = read_turns_file(write(tmp_path, f"{json.dumps(PLAIN[0])}\n{{no\n{json.dumps(PLAIN[1])}\n"))
    assert turns == TURNS
    assert invalid.startswith("line 2: not JSON: ")


def test_half_of_a_surrogate_pair_is_replaced(tmp_path: Path) -> None:
    (turn,) = read_turns(write(tmp_path, [{"start": 0, "end": 1, "speaker": "a\ud800", "text": "\udcffb\U0001f600"}]))
    assert (turn.speaker, turn.text) == ("a\ufffd", "\ufffdb\U0001f600")


def test_control_characters_are_replaced(tmp_path: Path) -> None:
    (turn,) = read_turns(
        write(tmp_path, [{"start": 0, "end": 1, "speaker": "a\0b\x1b[31m\t", "text": "\x9b1m\x7fc\nd"}])
    )
    assert (turn.speaker, turn.text) == ("a\ufffdb\ufffd[31m", "\ufffd1m\ufffdc d")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", r"a\.json: not JSON: "),
        ('{"a": 1}', r"a\.json: expected a list of turns with start, end and speaker"),
        ('{"utterances": [{"start": 500, "end": 2750}]}', r"a\.json: expected a list of turns .* 'utterances'"),
        ('[{"start_ms": 500, "end_ms": 2750}]', r"a\.json: .* none has a start, in seconds, .* 'start_ms'"),
        ('[{"id": 1, "segments": []}]', r"a\.json: .* none has a start, .* 'segments'"),
        ("7", r"a\.json: expected a list of turns"),
        ("[]", r"a\.json: contains no turn"),
        ("[" * 100_000, r"a\.json: is nested too deeply|not JSON"),
        ('{"output": {"output": {"output": {"segments": []}}}}', r"a\.json: expected a list of turns"),
    ],
)
def test_other_documents_are_refused(tmp_path: Path, document: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_turns(write(tmp_path, document))
