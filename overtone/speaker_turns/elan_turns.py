"""Reads ELAN annotation files: the annotations of all independent tiers.

The speaker is the participant of the tier, else its name; the value of an annotation is its words. Tiers that depend on
another one, such as translations or single words, are no turns. In the output of `overtone timeline`, the values of the
tiers `emotion` are emotions, and those of the dependent tiers `text` are words.

`overtone.annotations.elan_file` reads the file.
"""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from overtone.annotations.elan_file import parse_document, slot_times
from overtone.annotations.tier_names import DECIDED_BY, TEXT, split_tier_name
from overtone.speaker_turns.turn import Turn, clean_text, make_turn

OWN_TYPE = "emotion"  # of the independent tiers that `overtone.formats.elan` writes


def parse(content: bytes, recording: str) -> Iterator[Turn]:
    """Yield the annotations of the independent tiers."""
    document = parse_document(content)
    times = slot_times(document)
    tiers = [tier for tier in document.iterfind("TIER") if not tier.get("PARENT_REF")]
    is_own = bool(tiers) and all(map(_is_own, tiers))
    words, deciders = (_dependent_texts(document, kind) if is_own else {} for kind in (TEXT, DECIDED_BY))
    for tier in tiers:
        name = tier.get("TIER_ID", "")
        speaker = tier.get("PARTICIPANT") or ("" if is_own else name)
        for annotation in tier.iterfind("ANNOTATION/ALIGNABLE_ANNOTATION"):
            identifier = annotation.get("ANNOTATION_ID", "")
            start, end = (times.get(annotation.get(f"TIME_SLOT_REF{number}", "")) for number in (1, 2))
            value = annotation.findtext("ANNOTATION_VALUE")
            text = words.get(identifier, "") if is_own else value
            turn = make_turn(f"tier '{name}', annotation {identifier}", start, end, speaker, text)
            yield turn._replace(label=clean_text(value), decided_by=deciders.get(identifier, "")) if is_own else turn


def _is_own(tier: Element) -> bool:
    name = tier.get("TIER_ID", "")
    return tier.get("LINGUISTIC_TYPE_REF") == OWN_TYPE and split_tier_name(name).content == OWN_TYPE


def _dependent_texts(document: Element, kind: str) -> dict[str, str]:
    """Return what the dependent tiers of a kind, such as "text", say of each annotation, by its id."""
    return {
        annotation.get("ANNOTATION_REF", ""): annotation.findtext("ANNOTATION_VALUE") or ""
        for tier in document.iterfind("TIER")
        if tier.get("LINGUISTIC_TYPE_REF") == kind
        for annotation in tier.iterfind("ANNOTATION/REF_ANNOTATION")
    }
