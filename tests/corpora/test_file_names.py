"""File name schemes: fields, codes, corrections and the list of all clips, on a small invented corpus."""

from dataclasses import replace
from pathlib import Path

import pytest

from overtone.corpora.file_names import FileNameScheme, number_codes, speaker_genders
from overtone.corpora.metadata import CorpusInfo
from overtone.datatypes import Utterance

INFO = CorpusInfo("demo", "Demo", "none", 2, ("happy", "sad"), "none", "", "", "FOLDER/")
SCHEME = FileNameScheme(
    info=INFO,
    pattern=r"(?:(?P<speaker>[a-z]+)-)?(?P<emotion>[HS])(?P<take_number>[0-9])",
    emotions={"H": "happy", "S": "sad"},
    genders=speaker_genders(female=["zoe"], male=["ben"]),
    codes={"take_number": ("1", "2")},
    clip=lambda fields: f"{fields['speaker']}/{fields['stem']}",
    corrections={"zoe_H1": "zoe-H1"},
    other_files={"readme.txt": "documentation"},
    all_stems="{speaker}-{emotion}{take_number}",
)


def test_fields_without_a_group_in_the_pattern_are_unknown() -> None:
    assert SCHEME.parse(Path("x/zoe-S2.wav")) == Utterance(
        Path("x/zoe-S2.wav"), "sad", speaker="zoe", corpus="demo", gender="female", clip="zoe/zoe-S2"
    )


def test_any_speaker_is_valid_without_a_table_of_genders() -> None:
    utterance = replace(SCHEME, genders={}).parse(Path("max-H1.mp3"))
    assert isinstance(utterance, Utterance) and (utterance.speaker, utterance.gender) == ("max", "")


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("ben/H1.wav", "ben/H1"),
        ("x/zoe_H1.wav", "zoe/zoe-H1"),
        ("x/H1.wav", "no speaker, neither in the name nor as the folder"),
        ("x/max-H1.wav", "speaker max does not exist"),
        ("x/zoe-H3.wav", "take number 3 does not exist"),
        ("x/zoe-X1.wav", "not a demo name"),
        ("x/readme.txt", "documentation"),
    ],
)
def test_names_and_reasons(path: str, result: str) -> None:
    parsed = SCHEME.parse(Path(path))
    assert (parsed.clip if isinstance(parsed, Utterance) else parsed) == result


def test_lower_case_and_exclude() -> None:
    scheme = replace(
        SCHEME,
        pattern=r"(?P<speaker>[a-z]+)-(?P<emotion>h)(?P<take_number>[0-9])",
        emotions={"h": "happy"},
        lower_case=True,
    )
    assert isinstance(scheme.parse(Path("ZOE-H1.wav")), Utterance)
    no_takes = replace(SCHEME, exclude=lambda path, fields: f"take {fields['take_number']} of {path.name}")
    assert no_takes.parse(Path("zoe-H1.wav")) == "take 1 of zoe-H1.wav"


def test_all_stems_lists_every_combination_that_is_not_excluded() -> None:
    assert len(SCHEME.clips_expected()) == 2 * 2 * 2
    no_sadness = replace(SCHEME, exclude=lambda path, fields: "sad" if fields["emotion"] == "S" else None)
    assert no_sadness.clips_expected() == {f"{name}/{name}-H{take}" for name in ("ben", "zoe") for take in (1, 2)}
    assert replace(SCHEME, all_stems="").clips_expected() == frozenset()


def test_number_codes_have_leading_zeros() -> None:
    assert number_codes(9, 11) == ("09", "10", "11")
    assert number_codes(9, 10, digits=1) == ("9", "10")
