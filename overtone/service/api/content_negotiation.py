"""Accept header, or `?format=NAME` -> a form of `overtone.formats`."""

from collections.abc import Iterable
from typing import Any

from overtone.errors import suggest
from overtone.formats import FORMATS, TIMELINE_FORMATS
from overtone.service.api.errors import ApiError

JSON = "application/json"
MEDIA_TYPES = {
    "json": JSON,
    "jsonl": "application/x-ndjson",
    "csv": "text/csv",
    "table": "text/plain",
    "html": "text/html",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webvtt": "text/vtt",
    "elan": "application/x-elan+xml",
    "textgrid": "text/x-praat-textgrid",
    "audacity": "text/x-audacity-labels",
    "parquet": "application/vnd.apache.parquet",
}
BINARY = ("image/png", "application/vnd.apache.parquet", "application/octet-stream")


def media_type(form: str) -> str:
    """The media type of a form; one that is new has no name yet but can be asked for by its own."""
    return MEDIA_TYPES.get(form, "application/octet-stream")


def content_type(form: str) -> str:
    """The same with its character set."""
    media = media_type(form)
    return f"{media}; charset=utf-8" if media.startswith("text/") else media


def negotiate_prediction_format(asked: str | None, accept: str) -> str:
    """The form of answers that is asked for: by name, else the one of FORMS that Accept likes best; else JSON."""
    return _form(asked, accept, FORMATS)


def negotiate_timeline_format(asked: str | None, accept: str) -> str:
    """The same of timelines."""
    return _form(asked, accept, TIMELINE_FORMATS)


def contents(forms: Iterable[str], example: Any = None, schema: str = "") -> dict[str, Any]:
    """What the OpenAPI document says of a response in any of these forms."""
    told: dict[str, Any] = {}
    for form in forms:
        plain = {"type": "string", "format": "binary"} if media_type(form) in BINARY else {"type": "string"}
        told[media_type(form)] = {"schema": plain}
    if schema:
        told[JSON] = {"schema": {"$ref": f"#/components/schemas/{schema}"}, "example": example}
    return told


def _form(asked: str | None, accept: str, forms: Iterable[str]) -> str:
    if asked is not None:
        if asked not in forms:
            raise ApiError("invalid_parameter", f"form: no form is called '{asked}'{suggest(asked, forms)}")
        return asked
    for wanted in _by_preference(accept):
        for form in ("json", *forms):
            if _fits(wanted, media_type(form)):
                return form
    known = ", ".join(dict.fromkeys(media_type(form) for form in forms))
    raise ApiError("not_acceptable", f"Accept: none of the forms fits; known are {known}; or name one with ?format=")


def _by_preference(accept: str) -> list[str]:
    """Media types of an Accept header, the best first; what cannot be read counts as liked.

    Source: RFC 9110, section 12.5.1.
    """
    weighted = []
    for part in accept.split(",") if accept.strip() else ["*/*"]:
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                quality = _number(parameter[2:])
        if quality > 0:
            weighted.append((-quality, media.count("*"), media))
    return [media for _, _, media in sorted(weighted, key=lambda one: one[:2])]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


def _fits(wanted: str, media: str) -> bool:
    return wanted in (media, "*/*", f"{media.split('/')[0]}/*")
