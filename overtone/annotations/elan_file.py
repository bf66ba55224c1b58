"""Reads the XML of an ELAN annotation file (EAF), the times of its annotations and the media that it links.

Documents with a DTD are refused: ELAN writes none, and entities could expand to any size.

Source: Max Planck Institute for Psycholinguistics, "EAF Annotation Format: Schema version 3.0".
"""

from pathlib import PurePath
from typing import NamedTuple
from urllib.parse import unquote
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from overtone.annotations.tier_names import split_tier_name

MILLISECONDS = "milliseconds"
FILE_URL = "file://"


class Media(NamedTuple):
    """A recording that a document links.

    Attributes:
        path: absolute path, as the document has it; "" if it has none.
        relative_path: path relative to the folder of the document; "" if it has none.
        is_audio: whether the document says that it is audio, and not video.
        origin_s: the time of the recording, in seconds, at which the times of the annotations start.
    """

    path: str
    relative_path: str
    is_audio: bool
    origin_s: float


def parse_document(content: bytes) -> Element:
    """Return the root element of an ELAN document.

    Raises:
        ValueError: it is not one, has a DTD, or times in another unit than milliseconds.
    """
    document = _parse_xml(content)
    if document.tag != "ANNOTATION_DOCUMENT":
        raise ValueError(f"expected an ELAN document, got <{document.tag[:40]}>")
    header = document.find("HEADER")
    units = MILLISECONDS if header is None else header.get("TIME_UNITS", MILLISECONDS)
    if units != MILLISECONDS:
        raise ValueError(f"its times are {units[:40]}; save it with milliseconds")
    return document


def slot_times(document: Element) -> dict[str, float | str | None]:
    """Return the time of each slot in seconds, by its id; what is written if it is no whole number of milliseconds."""
    return {
        slot.get("TIME_SLOT_ID", ""): _seconds(slot.get("TIME_VALUE"))
        for slot in document.iterfind("TIME_ORDER/TIME_SLOT")
    }


def dependent_texts(document: Element, content: str) -> dict[str, str]:
    """Return the text of each annotation of the tiers with this content, by the id of the annotation it belongs to.

    Args:
        document: as `parse_document` returns it.
        content: what the names of the tiers say, such as "text" for `text@anna`.
    """
    return {
        annotation.get("ANNOTATION_REF", ""): (annotation.findtext("ANNOTATION_VALUE") or "").strip()
        for tier in document.iterfind("TIER")
        if split_tier_name(tier.get("TIER_ID", "")).content == content
        for annotation in tier.iterfind("ANNOTATION/REF_ANNOTATION")
    }


def linked_media(document: Element) -> list[Media]:
    """Return the recordings that a document links, audio first."""
    found = [
        Media(
            _file_path(element.get("MEDIA_URL", "")),
            _file_path(element.get("RELATIVE_MEDIA_URL", "")),
            element.get("MIME_TYPE", "").startswith("audio/"),
            _origin_s(element.get("TIME_ORIGIN", "")),
        )
        for element in document.iterfind("HEADER/MEDIA_DESCRIPTOR")
    ]
    return sorted(found, key=lambda media: not media.is_audio)


def media_origin(document: Element, recording: str) -> float:
    """Return the time of a recording, in seconds, at which the times of a document start.

    Args:
        document: as `parse_document` returns it.
        recording: path of the recording; if the document links no file of this name, all that it links count.

    Raises:
        ValueError: the linked recordings start at different times, and none has the name of this one.
    """
    media = linked_media(document)
    stem = PurePath(recording).stem.casefold()
    named = [link for link in media if stem in {_stem(path) for path in (link.path, link.relative_path)}]
    exact = [link for link in named if PurePath(recording).name in {_name(link.path), _name(link.relative_path)}]
    origins = {link.origin_s for link in exact or named or media}
    if len(origins) > 1:
        names = ", ".join(_name(link.path or link.relative_path) for link in media)
        raise ValueError(f"links recordings that start at different times: {names}; name the recording as one of them")
    return origins.pop() if origins else 0.0


def _name(path: str) -> str:
    return PurePath(unquote(path.replace("\\", "/"))).name


def _stem(path: str) -> str:
    return PurePath(_name(path)).stem.casefold()


def _file_path(url: str) -> str:
    """Return the path in a `file:` URL, or in a relative one; "" for another URL.

    ELAN writes a path as it is, other programs with percent-encoding: `overtone.corpora` tries both.
    """
    if "://" not in url:
        return url.removeprefix("file:")
    path = url.removeprefix(FILE_URL) if url.startswith(FILE_URL) else ""
    has_drive = path.startswith("/") and path[2:3] == ":"  # file:///C:/talk.wav
    return path[1:] if has_drive else path


def spellings(path: str) -> list[str]:
    """Return a path of a document as it is, and with its percent-encoding decoded, if this differs."""
    return list(dict.fromkeys((path, unquote(path)))) if path else []


def _origin_s(milliseconds: str) -> float:
    return int(milliseconds) / 1000 if milliseconds.isdecimal() and len(milliseconds) < 16 else 0.0


def _parse_xml(content: bytes) -> Element:
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


def _seconds(milliseconds: str | None) -> float | str | None:
    """Return a time in seconds; what is written if it is no whole number of milliseconds."""
    is_number = milliseconds is not None and milliseconds.isdecimal() and len(milliseconds) < 16
    return int(milliseconds) / 1000 if milliseconds is not None and is_number else milliseconds
