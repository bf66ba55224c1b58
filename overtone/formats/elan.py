"""A timeline as an ELAN annotation file (EAF 3.0): an `emotion` tier per speaker, with a dependent `confidence` tier.

<TIER TIER_ID="emotion@Anna" PARTICIPANT="Anna" LINGUISTIC_TYPE_REF="emotion">
  <ANNOTATION>
    <ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
      <ANNOTATION_VALUE>happy</ANNOTATION_VALUE>
...
<TIER TIER_ID="confidence@Anna" PARENT_REF="emotion@Anna" ...>

Confidences are symbolically associated with emotions: each emotion has one, which moves with it. So are words, in
tiers `text@Anna`, if the words of a segment are known; and, if a person decided an emotion, who decided each (`decided
by@Anna`) and the prediction (`model emotion@Anna`). If the source is a file, it is linked twice: by its absolute path,
and as a file in the folder of the EAF, so that both can be moved together.

Source: Max Planck Institute for Psycholinguistics, "EAF Annotation Format: Schema version 3.0".
"""

import mimetypes
import os
from itertools import count
from pathlib import Path
from typing import TextIO
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from overtone.annotations.tier_names import EMOTION
from overtone.formats.annotation_tiers import TIER_TEXTS, Tier, make_tiers, span_ms, tier_contents
from overtone.formats.table import printable
from overtone.timeline import Timeline

SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
NO_DATE = "1970-01-01T00:00:00Z"  # the schema requires a date; a constant one keeps the output deterministic


def write(timeline: Timeline, stream: TextIO, *, is_local: bool = True) -> None:
    """Write the document. Times are whole milliseconds, as in ELAN.

    Args:
        timeline: to write.
        stream: the output.
        is_local: whether to link the source if it is a file on this machine.
    """
    document = Element(
        "ANNOTATION_DOCUMENT",
        {
            **{"AUTHOR": printable(timeline.model), "DATE": NO_DATE, "FORMAT": "3.0", "VERSION": "3.0"},
            **{"xmlns:xsi": SCHEMA_INSTANCE, "xsi:noNamespaceSchemaLocation": SCHEMA},
        },
    )
    header = SubElement(document, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    if is_local and os.path.isfile(timeline.source):  # noqa: PTH113 (Path.is_file raises for names that are too long)
        SubElement(header, "MEDIA_DESCRIPTOR", _media_descriptor(Path(timeline.source)))
    time_order = SubElement(document, "TIME_ORDER")
    ids = count(1)
    contents = tier_contents(timeline)
    for tier in make_tiers(timeline):
        _add_tiers(document, time_order, tier, ids, contents)
    time_order[:] = sorted(time_order, key=lambda slot: int(slot.attrib["TIME_VALUE"]))  # required by the format
    _add_linguistic_types(document, contents)
    ElementTree.indent(document)
    text = ElementTree.tostring(document, encoding="unicode")
    stream.write(f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n')


def _media_descriptor(file: Path) -> dict[str, str]:
    """Return the link to a media file. ELAN does not percent-encode: a space in a path stays a space."""
    path = printable(file.absolute().as_posix())
    is_wav = file.suffix.lower() == ".wav"
    return {
        "MEDIA_URL": f"file://{path if path.startswith('/') else '/' + path}",
        "RELATIVE_MEDIA_URL": f"./{printable(file.name)}",
        "MIME_TYPE": "audio/x-wav" if is_wav else mimetypes.guess_type(file.name)[0] or "unknown",
    }


def _add_tiers(
    document: Element, time_order: Element, tier: Tier, ids: "count[int]", contents: tuple[str, ...]
) -> None:
    """Add the emotion tier and those that depend on it, with their annotations and time slots."""
    participant = {"PARTICIPANT": printable(tier.speaker)} if tier.speaker else {}
    elements = {
        content: SubElement(
            document, "TIER", {"TIER_ID": tier.tier_name(content), **participant, "LINGUISTIC_TYPE_REF": content}
        )
        for content in contents
    }
    for content in contents[1:]:
        elements[content].set("PARENT_REF", elements[EMOTION].attrib["TIER_ID"])
    for segment in tier.segments:
        number = next(ids)
        slots = {}
        for end, time_ms in enumerate(span_ms(segment)):
            slot_id = f"ts{2 * number - 1 + end}"
            SubElement(time_order, "TIME_SLOT", {"TIME_SLOT_ID": slot_id, "TIME_VALUE": str(time_ms)})
            slots[f"TIME_SLOT_REF{end + 1}"] = slot_id
        emotion_id = f"e{number}"
        attributes = {"ANNOTATION_ID": emotion_id, **slots}
        _add_annotation(elements[EMOTION], "ALIGNABLE_ANNOTATION", attributes, TIER_TEXTS[EMOTION](segment))
        for content in contents[1:]:
            value = TIER_TEXTS[content](segment)
            if value:
                attributes = {"ANNOTATION_ID": f"{content[0]}{number}", "ANNOTATION_REF": emotion_id}
                _add_annotation(elements[content], "REF_ANNOTATION", attributes, value)


def _add_annotation(tier: Element, tag: str, attributes: dict[str, str], value: str) -> None:
    annotation = SubElement(SubElement(tier, "ANNOTATION"), tag, attributes)
    SubElement(annotation, "ANNOTATION_VALUE").text = value


def _add_linguistic_types(document: Element, contents: tuple[str, ...]) -> None:
    for content in contents:
        is_independent = content == EMOTION
        attributes = {
            "LINGUISTIC_TYPE_ID": content,
            "TIME_ALIGNABLE": "true" if is_independent else "false",
            "GRAPHIC_REFERENCES": "false",
        }
        constraint = {} if is_independent else {"CONSTRAINTS": "Symbolic_Association"}
        SubElement(document, "LINGUISTIC_TYPE", {**attributes, **constraint})
    constraint = {"STEREOTYPE": "Symbolic_Association", "DESCRIPTION": "1-1 association with a parent annotation"}
    SubElement(document, "CONSTRAINT", constraint)
