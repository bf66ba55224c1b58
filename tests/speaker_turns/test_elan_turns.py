"""ELAN: independent tiers with their participants, as pympi writes them; documents that are refused."""

from pathlib import Path

import pytest
from pympi import Eaf

from overtone.errors import InputError
from overtone.speaker_turns import read_turns, read_turns_file
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
