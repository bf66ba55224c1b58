"""GET /: the page, for those who open no terminal; it asks under /v1 as any other program does.

What it consists of lies in `overtone/service/web/`, and is all that it loads: scripts as they are written, without a build;
`libraries/` as they were published. A new example is a file in `examples/` and a row in `EXAMPLES`.
"""

import json
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from fastapi.responses import Response

import overtone
from overtone.formats import TIMELINE_FORMATS
from overtone.formats.html_player import script_digest, scripts
from overtone.formats.palette import EMOTION_COLOURS, ink_on
from overtone.service.api.errors import ApiError
from overtone.service.backend import ServiceBackend
from overtone.service.settings import Settings

FOLDERS = ("", "libraries", "examples")
IMPORTS = {"preact": "preact.mjs", "preact/hooks": "hooks.mjs", "htm": "htm.mjs"}
EXAMPLES = (
    {"title": "Five manners of speaking", "sound": "talk.flac", "turns": None},
    {"title": "The same, with speaker turns", "sound": "talk.flac", "turns": "talk.rttm"},
)
ACCEPT = "audio/*,video/*,.flac,.ogg,.opus,.m4a,.aac,.wma,.amr,.caf,.rttm,.csv,.TextGrid"
NAMES = {  # of the forms, in the order in which they are offered
    "html": "Page (HTML)",
    "png": "PNG",
    "svg": "SVG",
    "textgrid": "Praat",
    "elan": "ELAN",
    "audacity": "Audacity",
    "webvtt": "WebVTT",
    "csv": "CSV",
    "json": "JSON",
    "jsonl": "JSON Lines",
    "parquet": "Parquet",
    "table": "Text",
}
NEEDED = {"png": "matplotlib", "svg": "matplotlib", "parquet": "pyarrow"}  # what comes with an extra
# Not as the machine has them, which may know none of JavaScript.
TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".flac": "audio/flac",
    ".rttm": "text/plain",
}
OTHER = "application/octet-stream"


class Part(NamedTuple):
    """A file that the page loads: its media type and what is in it."""

    type: str
    content: bytes


def mount(app: FastAPI, house: ServiceBackend) -> None:
    """Puts the page at `/`, and what it loads below `/page/`."""
    loaded = _loaded()
    index = loaded.pop("index.html").content.decode()
    imports = json.dumps({"imports": {name: f"./page/{file}" for name, file in IMPORTS.items()}})
    told = json.dumps(_told(house.settings)).replace("<", r"\u003c")  # no script ends within a script
    index = index.replace("{{imports}}", imports).replace("{{house}}", told)
    headers = {"Content-Security-Policy": _policy(imports), "Referrer-Policy": "no-referrer"}

    async def page(request: Request) -> Response:
        return Response(index, media_type="text/html", headers=headers)

    async def part(request: Request) -> Response:
        found = loaded.get(request.path_params["name"])
        if found is None:
            raise ApiError("not_found", "the page has no such part")
        return Response(found.content, media_type=found.type)

    app.add_route("/", page, include_in_schema=False)
    app.add_route("/page/{name}", part, include_in_schema=False)


def _loaded() -> dict[str, Part]:
    """Every part of the page, by its name."""
    web = files("overtone.service").joinpath("web")
    parts = [part for folder in FOLDERS for part in web.joinpath(folder).iterdir() if part.is_file()]
    parts.append(files("overtone.formats").joinpath("look.css"))
    return {part.name: Part(TYPES.get(Path(part.name).suffix, OTHER), part.read_bytes()) for part in parts}


def _policy(imports: str) -> str:
    """Nothing but what lies here; in its frame, the page of a timeline with its one script."""
    allowed = {
        "default-src": "'none'",
        "script-src": f"'self' {script_digest(imports)} {script_digest(scripts())}",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "data:",
        "media-src": "blob:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{what} {where}" for what, where in allowed.items())


def _told(settings: Settings) -> dict[str, Any]:
    """What the page must know before it asks."""
    hours = settings.keep_s / 3600
    return {
        "version": overtone.__version__,
        "accept": ACCEPT,
        "limits": {"bytes": settings.recording_bytes, "seconds": settings.recording_s},
        "kept": f"after {hours:.3g} {'hour' if hours == 1 else 'hours'}, or when you forget it here",
        "emotions": {name: {"colour": colour, "ink": ink_on(colour)} for name, colour in EMOTION_COLOURS.items()},
        "examples": EXAMPLES,
        "forms": [_form(name) for name in (*NAMES, *(new for new in TIMELINE_FORMATS if new not in NAMES))],
    }


def _form(name: str) -> dict[str, str]:
    """A form as the page offers it; one whose package the service lacks says so."""
    suffix, needed = TIMELINE_FORMATS[name].SUFFIX, NEEDED.get(name)
    lacks = needed if needed and find_spec(needed) is None else ""
    return {"form": name, "name": NAMES.get(name, name), "suffix": suffix, "lacks": lacks}
