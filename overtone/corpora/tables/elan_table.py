"""Reads the tiers of emotions of an ELAN annotation file (EAF) as a table.

The recording is the one that the file links (`MEDIA_DESCRIPTOR`), else the audio file with the same name next to it.
The speaker is the participant of the tier, else the name behind `emotion@`.
"""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from overtone.annotations.elan_file import dependent_texts, linked_media, parse_document, slot_times
from overtone.annotations.tier_names import DECIDED_BY, EMOTION, MODEL_EMOTION, split_tier_name
from overtone.corpora.tables.labelled_intervals import Labelled, check_tiers, make_table, read_content
from overtone.corpora.tables.rows import Table
from overtone.errors import CorpusError

Times = tuple[float | str | None, float | str | None]


def read(name: str, folder: str, content: bytes | None, expected: str) -> Table:
    """Return an ELAN file as a table; arguments as `overtone.corpora.tables.csv_table.read`.

    Raises:
        CorpusError: it cannot be read, or has no tier of emotions.
    """
    try:
        document = parse_document(read_content(name, content))
    except ValueError as error:
        raise CorpusError(f"{name}: {error}") from error
    check_tiers(name, [tier.get("TIER_ID", "") for tier in document.iterfind("TIER")])
    return make_table(name, folder, _labelled(document), linked_media(document))


def _labelled(document: Element) -> Iterator[Labelled]:
    """Yield the annotations of the tiers of emotions that have a text."""
    times = _annotation_times(document)
    decided_by, model_emotion = (dependent_texts(document, content) for content in (DECIDED_BY, MODEL_EMOTION))
    for tier in document.iterfind("TIER"):
        name = tier.get("TIER_ID", "")
        found = split_tier_name(name)
        if found.content != EMOTION:
            continue
        speaker = " ".join((tier.get("PARTICIPANT") or found.speaker).split())
        for annotation in tier.iterfind("ANNOTATION/*"):
            identifier, text = annotation.get("ANNOTATION_ID", ""), annotation.findtext("ANNOTATION_VALUE") or ""
            if text.strip():
                position = f"tier '{name}', annotation {identifier}"
                more = decided_by.get(identifier, ""), model_emotion.get(identifier, "")
                yield Labelled(position, *times.get(identifier, (None, None)), text, speaker, *more)


def _annotation_times(document: Element) -> dict[str, Times]:
    """Return the start and end of each annotation by its id; those of the annotation that it depends on, if it does."""
    slots = slot_times(document)
    times: dict[str, Times] = {}
    parents: dict[str, str] = {}
    for annotation in document.iterfind("TIER/ANNOTATION/*"):
        identifier = annotation.get("ANNOTATION_ID", "")
        if annotation.get("ANNOTATION_REF"):
            parents[identifier] = annotation.get("ANNOTATION_REF", "")
        else:
            start, end = (slots.get(annotation.get(f"TIME_SLOT_REF{number}", "")) for number in (1, 2))
            times[identifier] = (start, end)
    for identifier, ancestor in parents.items():
        seen = {identifier}
        while ancestor in parents and ancestor not in seen:  # a circle has no times
            seen.add(ancestor)
            ancestor = parents[ancestor]
        if ancestor in times:
            times[identifier] = times[ancestor]
    return times
