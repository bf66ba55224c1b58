"""pympi reads our EAF, which keeps the order that the schema asks for."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from pympi import Eaf
from timelines import every_timeline, expected_tiers, plain, turns, written

from overtone.formats import elan
from overtone.formats.annotation_tiers import tiers
from overtone.formats.table import printable
from overtone.timeline import Timeline


@every_timeline
def test_pympi_reads_the_eaf(given: Timeline, tmp_path: Path) -> None:
    eaf = Eaf(str(written(elan, given, tmp_path / "talk.eaf")))
    expected = expected_tiers(given)
    assert list(eaf.get_tier_names()) == list(expected)
    for name, spans in expected.items():
        read = sorted(eaf.get_annotation_data_for_tier(name))
        assert [(one[0] / 1000, one[1] / 1000, one[2]) for one in read] == [
            (pytest.approx(a, abs=6e-4), pytest.approx(b, abs=6e-4), text) for a, b, text in sorted(spans)
        ]
    for tier in tiers(given):
        attributes = eaf.get_parameters_for_tier(tier.called("confidence"))
        assert attributes["PARENT_REF"] == tier.called("emotion")
        assert attributes.get("PARTICIPANT", "") == printable(tier.speaker)


@pytest.mark.parametrize(
    "name", ["talk.wav", 'with "quotes" & <signs>.flac', "line\nbreak.wav", "声.mp3", b"no\xff.wav"]
)
def test_the_eaf_links_its_sound(name: str | bytes, tmp_path: Path) -> None:
    file = tmp_path / (name if isinstance(name, str) else name.decode("utf-8", "surrogateescape"))
    file.touch()
    eaf = Eaf(str(written(elan, plain(source=str(file)), tmp_path / "talk.eaf")))
    (link,) = eaf.get_linked_files()
    assert link["MEDIA_URL"] == f"file://{printable(str(file))}"
    assert link["RELATIVE_MEDIA_URL"] == f"./{printable(file.name)}"
    assert link["MIME_TYPE"].startswith("audio/")


def test_the_eaf_is_in_the_order_of_the_schema(tmp_path: Path) -> None:
    root = ElementTree.parse(written(elan, turns("Anna", "Ben"), tmp_path / "talk.eaf")).getroot()
    order = ["HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "CONSTRAINT"]
    assert list(dict.fromkeys(child.tag for child in root)) == order
    assert root.find("HEADER/MEDIA_DESCRIPTOR") is None, "a source that is no file is not linked"
    slots = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE", "-1")) for slot in root.iter("TIME_SLOT")}
    assert list(slots.values()) == sorted(slots.values())
    ids = [part.get("ANNOTATION_ID") for kind in ("ALIGNABLE", "REF") for part in root.iter(f"{kind}_ANNOTATION")]
    assert len(ids) == len(set(ids)) > 0
    for part in root.iter("ALIGNABLE_ANNOTATION"):
        assert 0 <= slots[part.get("TIME_SLOT_REF1")] < slots[part.get("TIME_SLOT_REF2")] <= 6000
