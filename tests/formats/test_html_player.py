"""What is written; `test_page_in_chromium.py` uses it."""

import io
import json
import re
from html.parser import HTMLParser

import html5lib
import numpy as np
import pytest
from timelines import EMOTIONS, NASTY_NAMES, branches, every_timeline, plain, turns

from overtone.formats import html_player
from overtone.formats.annotation_tiers import label_with_confidence, visible_segments
from overtone.formats.table import printable
from overtone.timeline import Timeline

SILENCE = [np.zeros(16_000, np.float32)] * 6
XHTML = "{http://www.w3.org/1999/xhtml}"


def written(given: Timeline, sound=None) -> str:
    stream = io.StringIO(newline="")
    html_player.write(given, stream, sound)
    return stream.getvalue()


def parsed(text: str):
    """The tree, by a parser that refuses what is not HTML."""
    return html5lib.HTMLParser(strict=True).parse(text)


@every_timeline
@pytest.mark.parametrize("sound", [None, SILENCE], ids=["beside", "inside"])
def test_every_page_is_html_and_tells_all_without_a_script(given: Timeline, sound) -> None:
    tree, inside = parsed(written(given, sound)), sound and given.duration_s < html_player.LONGEST_INSIDE_S
    items = ["".join(part.itertext()) for part in tree.iter(f"{XHTML}button")]
    expected = [label_with_confidence(part) for part in visible_segments(given)]
    assert len(items) == 3 + len(expected), "three buttons to play and zoom"
    assert all(text in item for text, item in zip(expected, items[3:], strict=True))
    assert [part.get("id") for part in tree.iter(f"{XHTML}script")] == ["data", *(["sound"] if inside else []), None]


def test_names_are_text_wherever_they_stand() -> None:
    for name in NASTY_NAMES:
        tree = parsed(written(turns(*NASTY_NAMES)))
        assert printable(name) in [part.text for part in tree.iter(f"{XHTML}span") if part.get("class") == "who"]
        title = parsed(written(plain(source=f"{name}.wav"))).find(f".//{XHTML}h1").text
        assert title == printable(f"{name}.wav").rsplit("/", 1)[-1]


@pytest.mark.parametrize("sound", [None, SILENCE], ids=["beside", "inside"])
def test_nothing_is_loaded_from_elsewhere(sound) -> None:
    class Links(HTMLParser):
        found: tuple[str, ...] = ()

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found += tuple(value or "" for name, value in attrs if name in ("src", "href", "srcset", "action"))

    links = Links()
    text = written(plain(source="/far/away/a b?.wav"), sound)
    links.feed(text)
    assert links.found == (("data:,", "./a%20b%3F.wav") if sound is None else ("data:,",))
    assert not re.search(r"url\(|@import|https?:", text)


def test_the_script_is_given_numbers() -> None:
    data = json.loads(parsed(written(plain())).find(f".//{XHTML}script[@id='data']").text)
    assert [one["name"] for one in data["emotions"]] == list(EMOTIONS)
    assert [one["percent"][20] for one in data["emotions"]] == [6, 81, 6, 6]
    assert data["emotions"][0]["percent"][0] is None
    assert (data["pitch_hz"][0], data["loudness_db"][0], data["envelope"][20]) == (None, -70, 1)
    expected = {"start": 3.25, "end": 5, "tier": 0, "speaker": "", "words": "uncertain (sad) 40 %"}
    assert data["segments"][1] == {**expected, "emotion": 2, "uncertain": True, "branches": "", "apart": False}


def test_it_says_what_the_branches_hear_and_where_they_disagree() -> None:
    tree = parsed(written(branches()))
    said = ["mel happy 60 % · prosody happy 60 %", "mel angry 60 % ≠ prosody sad 60 %"]
    assert [part.text for part in tree.iter(f"{XHTML}span") if part.get("class") == "branches"] == said
    data = json.loads(tree.find(f".//{XHTML}script[@id='data']").text)
    assert [(one["branches"], one["apart"]) for one in data["segments"]] == list(zip(said, (False, True), strict=True))
    about = "branches disagree on 1 of 2 segments"
    assert about in tree.find(f".//{XHTML}p[@class='about']").text
    assert about not in written(plain())


def test_a_long_recording_stays_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_player, "LONGEST_INSIDE_S", 5)

    def never():
        raise AssertionError("read although it is too long")
        yield

    assert 'src="./talk.wav"' in written(plain(), never())
