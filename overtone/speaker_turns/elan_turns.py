"""Reads ELAN annotation files: the annotations of all independent tiers.

The speaker is the participant of the tier, else its name; the value of an annotation is its words. Tiers that depend on
another one, such as translations or single words, are no turns, nor are independent tiers of words, sounds or notes.
The texts of a tier that is called `speaker` or the like are names, and tiers besides it are not read. In the output of
`overtone timeline`, the values of the tiers `emotion` are emotions, and those of the dependent tiers `text` are words.
Where the document says that its times start later in the recording (`TIME_ORIGIN`), this time is added.

`overtone.annotations.elan_file` reads the file.
"""

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from overtone.annotations.elan_file import dependent_texts, media_origin, parse_document, slot_times
from overtone.annotations.tier_names import CONFIDENCE, DECIDED_BY, EMOTION, TEXT, has_speaker_names, split_tier_name
from overtone.speaker_turns.speaker_tiers import other_tiers
from overtone.speaker_turns.turn import Turn, clean_text, make_turn


def parse(content: bytes, recording: str) -> Iterator[Turn]:
    """Yield the annotations of the independent tiers."""
    document = parse_document(content)
    times = slot_times(document)
    tiers = [tier for tier in document.iterfind("TIER") if not tier.get("PARENT_REF")]
    own = _own_tiers(document, tiers)
    is_own = bool(own)
    origin_s = media_origin(document, recording)
    filled = [tier for tier in own or tiers if tier.find("ANNOTATION/ALIGNABLE_ANNOTATION") is not None]
    with_speakers = set() if is_own else {tier.get("TIER_ID", "") for tier in filled if _has_speakers(tier)}
    others = other_tiers([] if is_own else [tier.get("TIER_ID", "") for tier in filled], with_speakers)
    yield from others.hints
    words, deciders = (dependent_texts(document, content) if is_own else {} for content in (TEXT, DECIDED_BY))
    for tier in filled:
        name = tier.get("TIER_ID", "")
        if name in others.names:
            continue
        speaker = tier.get("PARTICIPANT") or ("" if is_own else name)
        for annotation in tier.iterfind("ANNOTATION/ALIGNABLE_ANNOTATION"):
            identifier = annotation.get("ANNOTATION_ID", "")
            start, end = (times.get(annotation.get(f"TIME_SLOT_REF{number}", "")) for number in (1, 2))
            value = annotation.findtext("ANNOTATION_VALUE")
            text = words.get(identifier, "") if is_own else value
            position = f"tier '{name}', annotation {identifier}"
            turn = make_turn(position, start, end, *((value, "") if name in with_speakers else (speaker, text)))
            turn = turn._replace(start_s=round(turn.start_s + origin_s, 6), end_s=round(turn.end_s + origin_s, 6))
            yield turn._replace(label=clean_text(value), decided_by=deciders.get(identifier, "")) if is_own else turn


def _has_speakers(tier: Element) -> bool:
    """Return whether the values of a tier are names of speakers."""
    texts = [value.text or "" for value in tier.iterfind("ANNOTATION/*/ANNOTATION_VALUE")]
    return not tier.get("PARTICIPANT") and any(texts) and has_speaker_names(tier.get("TIER_ID", ""), texts)


def _own_tiers(document: Element, tiers: Sequence[Element]) -> list[Element]:
    """Return the independent tiers of emotions that `overtone.formats.elan` wrote.

    Among tiers that a person added, they are known by the confidences that depend on them. If there are no others,
    tiers of emotions that a person made are read in the same way.
    """
    own = list(filter(_has_emotions, tiers))
    if len(own) == len(tiers):
        return own
    found = (tier for tier in document.iterfind("TIER") if tier.get("LINGUISTIC_TYPE_REF") == CONFIDENCE)
    with_confidence = {tier.get("PARENT_REF") for tier in found}
    known = [tier for tier in own if tier.get("TIER_ID") in with_confidence]
    filled = [tier for tier in tiers if tier.find("ANNOTATION") is not None]
    named = [tier for tier in filled if split_tier_name(tier.get("TIER_ID", "")).content == EMOTION]
    return known or (named if len(named) == len(filled) else [])


def _has_emotions(tier: Element) -> bool:
    """Return whether a tier has the name and the linguistic type of the emotions of a timeline."""
    return tier.get("LINGUISTIC_TYPE_REF") == EMOTION == split_tier_name(tier.get("TIER_ID", "")).content
