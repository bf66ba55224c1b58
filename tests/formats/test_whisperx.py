"""The JSON of the turns is written back with an emotion per segment and, if asked for, per word."""

import io
import json
from typing import Any

import pytest
from timelines import EMOTIONS, TEXTS, make_prediction, make_timeline, plain_timeline, turns_timeline, words_timeline

from overtone.errors import InputError
from overtone.formats import TIMELINE_FORMATS, whisperx, write_timeline
from overtone.formats.whisperx import Original
from overtone.timeline import Segment, Timeline

WORDS = [
    {"word": "Well,", "start": 1.0, "end": 1.2, "score": 0.8},
    {"word": "yes", "start": 0.2, "end": 0.4},
    {"word": "2014"},
    {"word": "long", "start": 1.0, "end": 1.9},
]


def write(timeline: Timeline, original: Original | None = None, words: bool = False) -> Any:
    stream = io.StringIO()
    write_timeline(timeline, stream, "whisperx", original=original, words=words)
    return json.loads(stream.getvalue())


def document() -> dict[str, Any]:
    """A document whose second segment could not be recognised."""
    segments = [
        {"start": 1, "end": 2, "text": " Well, yes 2014", "speaker": "B", "words": [*map(dict, WORDS)], "id": 7},
        {"start": 3, "end": 3, "text": ""},
        {"start": 0, "end": 1, "text": "no", "avg_logprob": -0.5},
    ]
    return {"segments": segments, "word_segments": [*map(dict, WORDS)], "language": "en"}


def timeline() -> Timeline:
    return make_timeline(Segment(0, 1), Segment(1, 2, make_prediction("happy", 0.8), "B"), turns=True)


def test_the_document_is_the_same_but_for_the_emotions() -> None:
    given = document()
    turns = given["segments"]
    found = write(timeline(), Original(given, turns, [turns[2], turns[0]]))
    emotions = [segment.pop("emotion") for segment in found["segments"]]
    assert found == document()
    assert (emotions[1], emotions[2]) == (None, None)
    assert (emotions[0]["label"], emotions[0]["confidence"], emotions[0]["uncertain"]) == ("happy", 0.8, False)
    assert list(emotions[0]["probabilities"]) == list(EMOTIONS)


def test_each_word_has_an_emotion() -> None:
    given = document()
    turns = given["segments"]
    found = write(timeline(), Original(given, turns, [turns[2], turns[0]]), words=True)
    for words in (found["segments"][0]["words"], found["word_segments"]):
        short, silent, untimed, long = (word["emotion"] for word in words)
        assert (short["label"], short["confidence"], short["uncertain"]) == ("happy", 0.8, True)
        assert silent is None and untimed is None
        assert (long["label"], long["uncertain"]) == ("happy", False)
        assert sum(long["probabilities"].values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("start_s", "end_s", "label"), [(1.95, 2.05, "happy"), (2.0, 2.1, "sad"), (1.0, 1.0, None), (7, 9, None)]
)
def test_a_word_has_the_mean_over_its_steps(start_s: float, end_s: float, label: str | None) -> None:
    spoken = make_timeline(Segment(0, 2, make_prediction("happy", 0.9)), Segment(2, 6, make_prediction("sad", 0.6)))
    word = {"word": "x", "start": start_s, "end": end_s}
    turns = [{"words": [word]}, None]
    write(spoken, Original(turns, turns, turns), words=True)
    assert word["emotion"] == label if label is None else word["emotion"]["label"] == label


def test_turns_from_elsewhere() -> None:
    found = write(words_timeline(*TEXTS))
    assert [segment["text"] for segment in found["segments"]] == [*TEXTS, ""]
    assert found["segments"][2]["speaker"] == "Anna" and found["segments"][2]["emotion"] is None
    assert found["segments"][0]["emotion"]["label"] == "sad"
    assert len(write(plain_timeline())["segments"]) == 2 and "speaker" not in write(plain_timeline())["segments"][0]
    assert len(write(turns_timeline("A", "B"))["segments"]) == 4


def test_lists_as_turns_stay_as_they_are() -> None:
    turns = [[0, 1, "A"], [1, 2, "B"]]
    assert write(timeline(), Original(turns, turns, turns), words=True) == turns


def test_a_document_that_is_nested_too_deeply_is_an_error() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InputError, match=r"talk\.wav: the JSON of its turns is nested too deeply"):
        whisperx.write(make_timeline(turns=True), io.StringIO(), Original(deep, [], []))


def test_the_suffix_ends_in_json() -> None:
    assert TIMELINE_FORMATS["whisperx"].suffix.endswith(".json")
