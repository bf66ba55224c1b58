"""ELAN: independent tiers with their participants, as pympi writes them; documents that are refused."""

from pathlib import Path

import pytest
from pympi import Eaf

from overtone.errors import InputError
from overtone.speaker_turns import read_labelled_turns, read_turns, read_turns_file
from overtone.timeline import Segment

BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE bomb [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>
<ANNOTATION_DOCUMENT><TIER TIER_ID="&c;"/></ANNOTATION_DOCUMENT>"""
FILE = b"""<!DOCTYPE a [<!ENTITY file SYSTEM "file:///etc/passwd">]><ANNOTATION_DOCUMENT>&file;</ANNOTATION_DOCUMENT>"""


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Two tiers, one of them with a participant; and a tier of translations, which depends on the first."""
    eaf = Eaf()
    eaf.remove_tier("default")
    eaf.add_linguistic_type("note", "Symbolic_Association", timealignable=False)
    eaf.add_tier("utterances", part="Anna <Weber> & \u58f0")
    eaf.add_tier("ben")
    eaf.add_tier("translation", ling="note", parent="utterances")
    eaf.add_annotation("utterances", 500, 2750, "well,\nyes")
    eaf.add_annotation("ben", 2000, 4000, "")
    eaf.add_ref_annotation("translation", "utterances", 600, "naja")
    eaf.to_file(str(tmp_path / "talk.eaf"))
    return tmp_path / "talk.eaf"


def test_independent_tiers_are_speakers(talk: Path) -> None:
    expected = (Segment(0.5, 2.75, None, "Anna <Weber> & \u58f0", "well, yes"), Segment(2, 4, None, "ben"))
    assert read_turns(talk) == expected


def test_an_invalid_annotation_does_not_lose_the_others(talk: Path) -> None:
    text = talk.read_text("utf-8")
    for broken in (text.replace('TIME_VALUE="2000"', 'TIME_VALUE="soon"'), text.replace('TIME_VALUE="2000"', "")):
        assert broken != text
        talk.write_text(broken, "utf-8")
        turns, _, (invalid,) = read_turns_file(talk)
        assert [turn.start_s for turn in turns] == [0.5]
        assert invalid.startswith("tier 'ben', annotation a3: expected a time in seconds")


def write(folder: Path, tiers: dict[str, str], media: tuple[tuple[str, int | None], ...] = ()) -> Path:
    """Write tiers with one annotation each, from 500 to 2750 ms, and linked media with their time of origin."""
    eaf = Eaf()
    for name, origin_ms in media:
        eaf.add_linked_file(f"file:///C:/data/{name}", mimetype="audio/x-wav", time_origin=origin_ms)
    for tier, value in tiers.items():
        eaf.add_tier(tier)
        eaf.add_annotation(tier, 500, 2750, value)
    eaf.to_file(str(folder / "a.eaf"))
    return folder / "a.eaf"


@pytest.mark.parametrize(
    ("media", "recording", "expected"),
    [
        ((("talk.wav", 5000),), "talk.wav", 5.5),
        ((("talk.wav", 5000),), "other.wav", 5.5),
        ((("talk.wav", None),), "talk.wav", 0.5),
        ((("talk.mp4", 5000), ("talk.wav", 0)), "data/talk.wav", 0.5),
        ((("talk.mp4", 5000), ("talk.wav", 0)), "data/talk.mp4", 5.5),
        ((("Talk%20A.mp4", 5000), ("b.wav", 0)), "talk a.flac", 5.5),
    ],
)
def test_times_start_where_the_document_says(
    tmp_path: Path, media: tuple[tuple[str, int | None], ...], recording: str, expected: float
) -> None:
    (turn,) = read_turns(write(tmp_path, {"anna": "yes"}, media), recording)
    assert (turn.start_s, turn.end_s) == (expected, expected + 2.25)


def test_recordings_that_start_at_different_times_are_told_apart_or_refused(tmp_path: Path) -> None:
    path = write(tmp_path, {"anna": "yes"}, (("a.mp4", 5000), ("b.wav", 0)))
    with pytest.raises(InputError, match=r"a\.eaf: links recordings that start at different times: a\.mp4, b\.wav"):
        read_turns(path, "talk.wav")


@pytest.mark.parametrize("name", ["words@anna", "notes", "anna - phones", "emotion"])
def test_independent_tiers_that_are_not_those_of_speakers(tmp_path: Path, name: str) -> None:
    file, _, hints = read_labelled_turns(write(tmp_path, {"anna": "yes", name: "x"}))
    assert file.turns == (Segment(0.5, 2.75, None, "anna", "yes"),)
    assert len(hints) == 1 and f"'{name}'" in hints[0]


def test_a_tier_of_names_and_a_tier_of_emotions(tmp_path: Path) -> None:
    assert read_turns(write(tmp_path, {"speaker": "Anna"})) == (Segment(0.5, 2.75, None, "Anna"),)
    assert len(read_turns(write(tmp_path, {"speaker": "Anna", "transcript": "well, yes it is"}))) == 1
    assert [turn.speaker for turn in read_turns(write(tmp_path, {"speaker": "", "ben": "yes"}))] == ["speaker", "ben"]
    file, labels, _ = read_labelled_turns(write(tmp_path, {"emotion": "happy"}))
    assert file.turns == (Segment(0.5, 2.75),) and [label.name for label in labels] == ["happy"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (BOMB, r"a\.eaf: has a document type declaration, which ELAN does not write; remove it"),
        (FILE, "has a document type declaration"),
        (b"<ANNOTATION_DOCUMENT>", r"a\.eaf: not XML: "),
        (b"<html/>", r"expected an ELAN document, got <html>"),
        (b'<?xml version="1.0" encoding="x"?><a/>', r"not XML: "),
        (b'<ANNOTATION_DOCUMENT><HEADER TIME_UNITS="PAL-frames"/></ANNOTATION_DOCUMENT>', "its times are PAL-frames"),
        (b"<ANNOTATION_DOCUMENT/>", r"a\.eaf: contains no turn"),
        (b"<a>" * 100_000 + b"</a>" * 100_000, r"expected an ELAN document, got <a>"),
    ],
)
def test_other_documents_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.eaf").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_turns(tmp_path / "a.eaf")
