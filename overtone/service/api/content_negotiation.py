"""Accept header, or `?format=NAME` -> a format of `overtone.formats`."""

from collections.abc import Mapping
from typing import Any

from overtone.errors import OptionError, suggest
from overtone.formats import DEFAULT_DIALECT, PREDICTION_FORMATS, TIMELINE_FORMATS, Format, check_dialect
from overtone.service.api.errors import ApiError

JSON = "application/json"
MEDIA_TYPES = {name: row.media_type for name, row in (TIMELINE_FORMATS | PREDICTION_FORMATS).items()}


def content_type(name: str) -> str:
    """Return the value of the Content-Type header for a format: its media type, and the character set of text."""
    media_type = MEDIA_TYPES[name]
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type


def negotiate_prediction_format(name: str | None, accept: str) -> str:
    """Return the name of the prediction format for a response.

    Args:
        name: value of the query parameter `format`; None to use the Accept header.
        accept: value of the Accept header; "" for JSON.

    Raises:
        ApiError: the format is unknown, none matches the Accept header, or its package is not installed.
    """
    return _negotiate(name, accept, PREDICTION_FORMATS)


def negotiate_timeline_format(name: str | None, accept: str) -> str:
    """Return the name of the timeline format for a response; arguments and errors as `negotiate_prediction_format`."""
    return _negotiate(name, accept, TIMELINE_FORMATS)


def read_dialect(name: str | None, format_name: str, formats: Mapping[str, Format]) -> str:
    """Return the dialect of CSV for a response.

    Args:
        name: value of the query parameter `csv_dialect`; None for the default.
        format_name: the format of the response.
        formats: those that can be chosen.

    Raises:
        ApiError: the dialect is unknown, or the format has none.
    """
    dialect = DEFAULT_DIALECT if name is None else name
    try:
        check_dialect(format_name, dialect, formats)
    except OptionError as error:
        raise ApiError("invalid_parameter", f"csv_dialect: {error}") from error
    return dialect


def contents(formats: Mapping[str, Format], example: Any = None, schema: str = "") -> dict[str, Any]:
    """Return the OpenAPI object of a response in any of these formats; `schema` and `example` are those of JSON."""
    media_types: dict[str, Any] = {}
    for row in formats.values():
        text_or_binary = {"type": "string", "format": "binary"} if row.is_binary else {"type": "string"}
        media_types[row.media_type] = {"schema": text_or_binary}
    if schema:
        media_types[JSON] = {"schema": {"$ref": f"#/components/schemas/{schema}"}, "example": example}
    return media_types


def _negotiate(name: str | None, accept: str, formats: Mapping[str, Format]) -> str:
    chosen = _choose(name, accept, formats)
    if missing := formats[chosen].missing_package():
        raise ApiError("not_acceptable", f"format: {chosen} needs {missing}, which the service lacks; name another one")
    return chosen


def _choose(name: str | None, accept: str, formats: Mapping[str, Format]) -> str:
    if name is not None:
        if name not in formats:
            raise ApiError("invalid_parameter", f"format: unknown format '{name}'{suggest(name, formats)}")
        return name
    for accepted in _by_preference(accept):
        for candidate in ("json", "table", *formats):  # the defaults of */* and text/*
            if _matches(accepted, formats[candidate].media_type):
                return candidate
    supported = ", ".join(dict.fromkeys(row.media_type for row in formats.values()))
    raise ApiError("not_acceptable", f"Accept: supported are {supported}; or name a format with ?format=")


def _by_preference(accept: str) -> list[str]:
    """Return the media types of an Accept header, the preferred one first; an unreadable quality counts as 1.

    Source: RFC 9110, section 12.5.1.
    """
    weighted = []
    for part in accept.split(",") if accept.strip() else ["*/*"]:
        media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                quality = _parse_quality(parameter[2:])
        if quality > 0:
            weighted.append((-quality, media_type.count("*"), media_type))
    return [media_type for _, _, media_type in sorted(weighted, key=lambda entry: entry[:2])]


def _parse_quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


def _matches(accepted: str, media_type: str) -> bool:
    return accepted in (media_type, "*/*", f"{media_type.split('/')[0]}/*")
