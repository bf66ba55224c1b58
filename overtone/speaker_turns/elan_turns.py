"""Reads ELAN annotation files: the annotations of all independent tiers.

The speaker is the participant of the tier, else its name; the value of an annotation is its words. Tiers that depend on
another one, such as translations or single words, are no turns. In the output of `overtone timeline`, the values of the
tiers `emotion` are emotions, and those of the dependent tiers `text` are words.

Documents with a DTD are refused: ELAN writes none, and entities could expand to any size.

Source: Max Planck Institute for Psycholinguistics, "EAF Annotation Format: Schema version 3.0".
"""

from collections.abc import Iterator
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from overtone.speaker_turns.own_tiers import split_tier_name
from overtone.speaker_turns.turn import Turn, make_turn

MILLISECONDS = "milliseconds"
OWN_TYPE, OWN_TEXT_TYPE = "emotion", "text"  # of the tiers that `overtone.formats.elan` writes


def parse(content: bytes, recording: str) -> Iterator[Turn]:
    """Yield the annotations of the independent tiers."""
    document = parse_xml(content)
    if document.tag != "ANNOTATION_DOCUMENT":
        raise ValueError(f"expected an ELAN document, got <{document.tag[:40]}>")
    header = document.find("HEADER")
    units = MILLISECONDS if header is None else header.get("TIME_UNITS", MILLISECONDS)
    if units != MILLISECONDS:
        raise ValueError(f"its times are {units[:40]}; save it with milliseconds")
    times = {slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE") for slot in document.iterfind("TIME_ORDER/TIME_SLOT")}
    tiers = [tier for tier in document.iterfind("TIER") if not tier.get("PARENT_REF")]
    is_own = bool(tiers) and all(map(_is_own, tiers))
    words = _dependent_texts(document) if is_own else {}
    for tier in tiers:
        name = tier.get("TIER_ID", "")
        speaker = tier.get("PARTICIPANT") or ("" if is_own else name)
        for annotation in tier.iterfind("ANNOTATION/ALIGNABLE_ANNOTATION"):
            identifier = annotation.get("ANNOTATION_ID", "")
            start, end = (_seconds(times.get(annotation.get(f"TIME_SLOT_REF{number}"))) for number in (1, 2))
            text = words.get(identifier, "") if is_own else annotation.findtext("ANNOTATION_VALUE")
            yield make_turn(f"tier '{name}', annotation {identifier}", start, end, speaker, text)


def parse_xml(content: bytes) -> Element:
    """Return the root element of an XML document without a DTD.

    Raises:
        ValueError: it is not XML, or has a DTD.
    """
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse_dtd
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, LookupError) as error:
        raise ValueError(f"not XML: {error}; save it again with ELAN") from error
    return builder.close()


def _refuse_dtd(*_: object) -> None:
    raise ValueError("has a document type declaration, which ELAN does not write; remove it")


def _is_own(tier: Element) -> bool:
    name = tier.get("TIER_ID", "")
    return tier.get("LINGUISTIC_TYPE_REF") == OWN_TYPE and split_tier_name(name).content == OWN_TYPE


def _dependent_texts(document: Element) -> dict[str, str]:
    """Return the words of each annotation of the tiers that they depend on, by its id."""
    return {
        annotation.get("ANNOTATION_REF", ""): annotation.findtext("ANNOTATION_VALUE") or ""
        for tier in document.iterfind("TIER")
        if tier.get("LINGUISTIC_TYPE_REF") == OWN_TEXT_TYPE
        for annotation in tier.iterfind("ANNOTATION/REF_ANNOTATION")
    }


def _seconds(milliseconds: str | None) -> float | str | None:
    """Return a time in seconds; what is written if it is no whole number of milliseconds."""
    is_number = milliseconds is not None and milliseconds.isdecimal() and len(milliseconds) < 16
    return int(milliseconds) / 1000 if milliseconds is not None and is_number else milliseconds
