"""pympi reads the EAF, whose elements are in the order of the schema."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from pympi import Eaf
from timelines import every_timeline, expected_tiers, plain_timeline, turns_timeline, write_to

from overtone.formats import elan
from overtone.formats.annotation_tiers import make_tiers
from overtone.formats.table import printable
from overtone.timeline import Timeline


@every_timeline
def test_pympi_reads_the_eaf(timeline: Timeline, tmp_path: Path) -> None:
    eaf = Eaf(str(write_to(tmp_path / "talk.eaf", elan, timeline)))
    expected = expected_tiers(timeline)
    assert list(eaf.get_tier_names()) == list(expected)
    for name, spans in expected.items():
        annotations = sorted(eaf.get_annotation_data_for_tier(name))
        assert [(start_ms / 1000, end_ms / 1000, text) for start_ms, end_ms, text, *_ in annotations] == [
            (pytest.approx(start, abs=6e-4), pytest.approx(end, abs=6e-4), text) for start, end, text in sorted(spans)
        ]
    for tier in make_tiers(timeline):
        attributes = eaf.get_parameters_for_tier(tier.tier_name("confidence"))
        assert attributes["PARENT_REF"] == tier.tier_name("emotion")
        assert attributes.get("PARTICIPANT", "") == printable(tier.speaker)


@pytest.mark.parametrize(
    "name", ["talk.wav", 'with "quotes" & <signs>.flac', "line\nbreak.wav", "声.mp3", b"no\xff.wav"]
)
def test_the_eaf_links_its_audio_file(name: str | bytes, tmp_path: Path) -> None:
    file = tmp_path / (name if isinstance(name, str) else name.decode("utf-8", "surrogateescape"))
    file.touch()
    eaf = Eaf(str(write_to(tmp_path / "talk.eaf", elan, plain_timeline(source=str(file)))))
    (link,) = eaf.get_linked_files()
    assert link["MEDIA_URL"] == f"file://{printable(str(file))}"
    assert link["RELATIVE_MEDIA_URL"] == f"./{printable(file.name)}"
    assert link["MIME_TYPE"].startswith("audio/")


def test_the_eaf_is_in_the_order_of_the_schema(tmp_path: Path) -> None:
    root = ElementTree.parse(write_to(tmp_path / "talk.eaf", elan, turns_timeline("Anna", "Ben"))).getroot()
    order = ["HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "CONSTRAINT"]
    assert list(dict.fromkeys(child.tag for child in root)) == order
    assert root.find("HEADER/MEDIA_DESCRIPTOR") is None, "a source that is not a file is not linked"
    slots = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE", "-1")) for slot in root.iter("TIME_SLOT")}
    assert list(slots.values()) == sorted(slots.values())
    ids = [item.get("ANNOTATION_ID") for kind in ("ALIGNABLE", "REF") for item in root.iter(f"{kind}_ANNOTATION")]
    assert len(ids) == len(set(ids)) > 0
    for annotation in root.iter("ALIGNABLE_ANNOTATION"):
        assert 0 <= slots[annotation.get("TIME_SLOT_REF1")] < slots[annotation.get("TIME_SLOT_REF2")] <= 6000
