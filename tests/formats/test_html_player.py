"""The content of the page; `test_html_player_in_chromium.py` tests its behaviour in a browser."""

import io
import json
import re
from html.parser import HTMLParser

import html5lib
import numpy as np
import pytest
from timelines import (
    EMOTIONS,
    NASTY_NAMES,
    TEXTS,
    branch_timeline,
    channels_timeline,
    every_timeline,
    many_classes_timeline,
    plain_timeline,
    turns_timeline,
    words_timeline,
)

from overtone.formats import html_player
from overtone.formats.annotation_tiers import MAX_LANES, label_with_confidence, visible_segments
from overtone.formats.branches import branch_explanation
from overtone.formats.table import printable
from overtone.timeline import Timeline

SILENCE = [np.zeros(16_000, np.float32)] * 6
XHTML = "{http://www.w3.org/1999/xhtml}"


def write_page(timeline: Timeline, audio=None) -> str:
    stream = io.StringIO(newline="")
    html_player.write(timeline, stream, audio)
    return stream.getvalue()


def parse(text: str):
    """Return the element tree; the parser rejects invalid HTML."""
    return html5lib.HTMLParser(strict=True).parse(text)


def span_texts(tree, class_name: str) -> list[str]:
    return [span.text for span in tree.iter(f"{XHTML}span") if span.get("class") == class_name]


@every_timeline
@pytest.mark.parametrize("audio", [None, SILENCE], ids=["linked", "embedded"])
def test_every_page_is_valid_html_and_complete_without_scripts(timeline: Timeline, audio) -> None:
    tree, embedded = parse(write_page(timeline, audio)), audio and timeline.duration_s < html_player.MAX_EMBEDDED_S
    buttons = ["".join(button.itertext()) for button in tree.iter(f"{XHTML}button")]
    expected = [label_with_confidence(segment) for segment in visible_segments(timeline)]
    assert len(buttons) == 3 + len(expected), "three buttons to play and zoom"
    assert all(text in button for text, button in zip(expected, buttons[3:], strict=True))
    ids = [script.get("id") for script in tree.iter(f"{XHTML}script")]
    assert ids == ["data", "timeline", *(["audio-data"] if embedded else []), None]


def test_names_are_escaped_everywhere() -> None:
    for name in NASTY_NAMES:
        tree = parse(write_page(turns_timeline(*NASTY_NAMES)))
        assert printable(name) in span_texts(tree, "speaker")
        title = parse(write_page(plain_timeline(source=f"{name}.wav"))).find(f".//{XHTML}h1").text
        assert title == printable(f"{name}.wav").rsplit("/", 1)[-1]


def test_words_are_shown_and_escaped() -> None:
    page = write_page(words_timeline(*TEXTS))
    assert span_texts(parse(page), "text") == list(TEXTS)
    data = json.loads(parse(page).find(f".//{XHTML}script[@id='data']").text)
    assert [segment["text"] for segment in data["segments"]] == [*TEXTS, ""]
    assert "<script>alert" not in page


@pytest.mark.parametrize("audio", [None, SILENCE], ids=["linked", "embedded"])
def test_nothing_is_loaded_from_elsewhere(audio) -> None:
    class LinkParser(HTMLParser):
        links: tuple[str, ...] = ()

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.links += tuple(value or "" for name, value in attrs if name in ("src", "href", "srcset", "action"))

    parser = LinkParser()
    text = write_page(plain_timeline(source="/far/away/a b?.wav"), audio)
    parser.feed(text)
    assert parser.links == (("data:,", "./a%20b%3F.wav") if audio is None else ("data:,",))
    assert not re.search(r"url\(|@import|https?:", text)


def test_the_script_receives_the_timeline() -> None:
    data = json.loads(parse(write_page(plain_timeline())).find(f".//{XHTML}script[@id='data']").text)
    assert data["audio_file"] == "talk.wav"
    assert [emotion["name"] for emotion in data["emotions"]] == list(EMOTIONS)
    (tracks,) = data["tracks"]
    assert [percents[20] for percents in tracks["percents"]] == [6, 81, 6, 6]
    assert tracks["percents"][0][0] is None
    assert (tracks["pitch_hz"][0], tracks["loudness_db"][0], tracks["envelope"][20]) == (None, -70, 1)
    expected = {"start": 3.25, "end": 5, "tier": 0, "tracks": 0, "speaker": "", "label": "uncertain (sad) 40 %"}
    assert data["segments"][1] == {
        **expected, "emotion": 2, "uncertain": True, "text": "", "branches": "", "branches_disagree": False,
        "decided_by": "model", "model_emotion": "sad",
    }  # fmt: skip


def test_each_channel_has_tracks_of_its_own() -> None:
    tree = parse(write_page(channels_timeline("agent", "a --> b", "silent")))
    data = json.loads(tree.find(f".//{XHTML}script[@id='data']").text)
    assert data["tiers"] == [tracks["speaker"] for tracks in data["tracks"]] == ["agent", "a --> b", "silent"]
    assert [(row["speaker"], row["tier"], row["tracks"]) for row in data["segments"]] == [
        ("agent", 0, 0),
        ("a --> b", 1, 1),
    ]
    speech = [[percents is not None for percents in tracks["percents"][0]] for tracks in data["tracks"]]
    assert [row.index(True) if any(row) else None for row in speech] == [0, 5, None]
    assert [cell.text for cell in tree.iter(f"{XHTML}td")][::3] == ["agent", "a --> b", "silent", "all"]


def test_it_shows_the_branches_and_where_they_disagree() -> None:
    text = write_page(branch_timeline())
    tree = parse(text)
    labels = ["spectrum happy 60 % · melody happy 60 %", "parts disagree: spectrum angry 60 %, melody sad 60 %"]
    assert span_texts(tree, "branches") == labels
    data = json.loads(tree.find(f".//{XHTML}script[@id='data']").text)
    segments = [(segment["branches"], segment["branches_disagree"]) for segment in data["segments"]]
    assert segments == list(zip(labels, (False, True), strict=True))
    summary = "parts disagree on 1 of 2 segments"
    assert summary in "".join(tree.find(f".//{XHTML}p[@class='about']").itertext())
    assert branch_explanation("mel") in text and branch_explanation("prosody") in text
    without_branches = write_page(plain_timeline())
    assert summary not in without_branches and branch_explanation("mel") not in without_branches


def test_a_long_recording_is_not_embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_player, "MAX_EMBEDDED_S", 5)

    def fail_when_read():
        raise AssertionError("audio was read although it is too long")
        yield

    assert 'src="./talk.wav"' in write_page(plain_timeline(), fail_when_read())


def test_hundreds_of_classes_have_names_and_colours_and_some_have_lanes() -> None:
    data = json.loads(parse(write_page(many_classes_timeline(400))).find(f".//{XHTML}script[@id='data']").text)
    assert len(data["emotions"]) == len({row["colour"] for row in data["emotions"]}) == 400
    percents = data["tracks"][0]["percents"]
    assert sum(row is not None for row in percents) == MAX_LANES
    assert percents[data["segments"][0]["emotion"]][0] == 50
