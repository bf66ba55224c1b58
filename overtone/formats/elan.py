"""A timeline as ELAN annotation file (EAF 3.0): an `emotion` tier per speaker, with the confidences below it.

<TIER TIER_ID="emotion@Anna" PARTICIPANT="Anna" LINGUISTIC_TYPE_REF="emotion">
  <ANNOTATION>
    <ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
      <ANNOTATION_VALUE>happy</ANNOTATION_VALUE>
...
<TIER TIER_ID="confidence@Anna" PARENT_REF="emotion@Anna" ...>

Confidences are symbolically associated: one belongs to each emotion and moves with it. Where the source is a file it
is linked, by its place on this machine and as a neighbour of the EAF, so that both can be moved together.

Source: Max Planck Institute for Psycholinguistics, "EAF Annotation Format: Schema version 3.0".
"""

import mimetypes
import os
from itertools import count
from pathlib import Path
from typing import TextIO
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from overtone.formats.annotation_tiers import Tier, label, span_ms, tiers
from overtone.formats.table import printable
from overtone.timeline import Timeline

SUFFIX = ".eaf"
SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
NO_DATE = "1970-01-01T00:00:00Z"  # the schema asks for one; equal timelines shall be equal files


def write(timeline: Timeline, stream: TextIO, *, is_here: bool = True) -> None:
    """Writes the document; times are whole milliseconds, as ELAN keeps them.

    Args:
        timeline: to write.
        stream: where to.
        is_here: whether the source is looked for on this machine.
    """
    document = Element(
        "ANNOTATION_DOCUMENT",
        {
            **{"AUTHOR": printable(timeline.model), "DATE": NO_DATE, "FORMAT": "3.0", "VERSION": "3.0"},
            **{"xmlns:xsi": SCHEMA_INSTANCE, "xsi:noNamespaceSchemaLocation": SCHEMA},
        },
    )
    header = SubElement(document, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    if is_here and os.path.isfile(timeline.source):  # noqa: PTH113 (a Path is no answer where a name is too long)
        SubElement(header, "MEDIA_DESCRIPTOR", _link(Path(timeline.source)))
    order = SubElement(document, "TIME_ORDER")
    ids = count(1)
    for tier in tiers(timeline):
        _add(document, order, tier, ids)
    order[:] = sorted(order, key=lambda slot: int(slot.attrib["TIME_VALUE"]))  # as the format asks
    _add_types(document)
    ElementTree.indent(document)
    text = ElementTree.tostring(document, encoding="unicode")
    stream.write(f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n')


def _link(file: Path) -> dict[str, str]:
    """ELAN neither writes nor reads percent signs: a blank in a path stays a blank."""
    place = printable(file.absolute().as_posix())
    return {
        "MEDIA_URL": f"file://{place if place.startswith('/') else '/' + place}",
        "RELATIVE_MEDIA_URL": f"./{printable(file.name)}",
        "MIME_TYPE": "audio/x-wav"
        if file.suffix.lower() == ".wav"
        else mimetypes.guess_type(file.name)[0] or "unknown",
    }


def _add(document: Element, order: Element, tier: Tier, ids: "count[int]") -> None:
    """Both tiers with their annotations, and their times."""
    who = {"PARTICIPANT": printable(tier.speaker)} if tier.speaker else {}
    emotions, confidences = (
        SubElement(document, "TIER", {"TIER_ID": tier.called(content), **who, "LINGUISTIC_TYPE_REF": content})
        for content in ("emotion", "confidence")
    )
    confidences.set("PARENT_REF", emotions.attrib["TIER_ID"])
    for segment in tier.segments:
        number = next(ids)
        slots = {}
        for end, time_ms in enumerate(span_ms(segment)):
            slot = f"ts{2 * number - 1 + end}"
            SubElement(order, "TIME_SLOT", {"TIME_SLOT_ID": slot, "TIME_VALUE": str(time_ms)})
            slots[f"TIME_SLOT_REF{end + 1}"] = slot
        emotion = f"e{number}"
        _annotate(emotions, "ALIGNABLE_ANNOTATION", {"ANNOTATION_ID": emotion, **slots}, label(segment))
        if segment.prediction is not None:
            belongs = {"ANNOTATION_ID": f"c{number}", "ANNOTATION_REF": emotion}
            _annotate(confidences, "REF_ANNOTATION", belongs, f"{segment.prediction.confidence:.3f}")


def _annotate(tier: Element, kind: str, attributes: dict[str, str], value: str) -> None:
    annotation = SubElement(SubElement(tier, "ANNOTATION"), kind, attributes)
    SubElement(annotation, "ANNOTATION_VALUE").text = value


def _add_types(document: Element) -> None:
    free = {"LINGUISTIC_TYPE_ID": "emotion", "TIME_ALIGNABLE": "true", "GRAPHIC_REFERENCES": "false"}
    below = {"LINGUISTIC_TYPE_ID": "confidence", "TIME_ALIGNABLE": "false", "GRAPHIC_REFERENCES": "false"}
    SubElement(document, "LINGUISTIC_TYPE", free)
    SubElement(document, "LINGUISTIC_TYPE", {**below, "CONSTRAINTS": "Symbolic_Association"})
    constraint = {"STEREOTYPE": "Symbolic_Association", "DESCRIPTION": "1-1 association with a parent annotation"}
    SubElement(document, "CONSTRAINT", constraint)
