"""GET /: the web page, which uses the API under /v1 like any other client.

Its files are in `overtone/service/web/`: scripts without a build step, and third-party libraries in `libraries/`. To
add an example, put its file into `examples/` and add a row to `EXAMPLES`.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from fastapi.responses import Response

from overtone import __version__
from overtone.emotions import EMOTIONS
from overtone.formats import TIMELINE_FORMATS
from overtone.formats.html_player import page_script, script_digest
from overtone.formats.palette import emotion_colours, text_colour
from overtone.service.api.errors import ApiError
from overtone.service.backend import ServiceBackend
from overtone.service.settings import Settings
from overtone.speaker_turns import SUFFIXES as TURN_SUFFIXES

FOLDERS = ("", "libraries", "examples")
IMPORTS = {"preact": "preact.mjs", "preact/hooks": "hooks.mjs", "htm": "htm.mjs"}
EXAMPLES = (
    {"title": "Five speaking styles", "audio": "talk.flac", "turns": None},
    {"title": "With speaker turns", "audio": "talk.flac", "turns": "talk.rttm"},
)
ACCEPT = ("audio/*", "video/*", ".flac", ".ogg", ".opus", ".m4a", ".aac", ".wma", ".amr", ".caf", *TURN_SUFFIXES)
# Not from `mimetypes`: it reads the configuration of the machine, which may lack JavaScript modules.
MEDIA_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".flac": "audio/flac",
    ".rttm": "text/plain",
}
DEFAULT_MEDIA_TYPE = "application/octet-stream"


class Asset(NamedTuple):
    """A file that the page loads."""

    media_type: str
    content: bytes


def mount(app: FastAPI, backend: ServiceBackend) -> None:
    """Add the page to an app at `/`, and its files below `/page/`."""
    assets = _load_assets()
    index = assets.pop("index.html").content.decode()
    imports = json.dumps({"imports": {name: f"./page/{file}" for name, file in IMPORTS.items()}})
    index = index.replace("{{imports}}", imports)
    headers = {"Content-Security-Policy": _content_security_policy(imports), "Referrer-Policy": "no-referrer"}

    async def page(request: Request) -> Response:
        emotions = tuple(backend.card.get("predicted_emotions", EMOTIONS))  # no card while no worker is ready
        config = json.dumps(_page_config(backend.settings, emotions))
        config = config.replace("<", r"\u003c")  # "</script>" would end the script
        return Response(index.replace("{{config}}", config), media_type="text/html", headers=headers)

    async def asset(request: Request) -> Response:
        found = assets.get(request.path_params["name"])
        if found is None:
            raise ApiError("not_found", "the page has no such file")
        return Response(found.content, media_type=found.media_type)

    app.add_route("/", page, include_in_schema=False)
    app.add_route("/page/{name}", asset, include_in_schema=False)


def _load_assets() -> dict[str, Asset]:
    """Return all files of the page by name."""
    web = files("overtone.service").joinpath("web")
    parts = [part for folder in FOLDERS for part in web.joinpath(folder).iterdir() if part.is_file()]
    parts.append(files("overtone.formats").joinpath("look.css"))
    return {
        part.name: Asset(MEDIA_TYPES.get(Path(part.name).suffix, DEFAULT_MEDIA_TYPE), part.read_bytes())
        for part in parts
    }


def _content_security_policy(imports: str) -> str:
    """Return a policy that allows the files of this service only, and the script of the timeline page in its frame."""
    policy = {
        "default-src": "'none'",
        "script-src": f"'self' {script_digest(imports)} {script_digest(page_script())}",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "data:",
        "media-src": "blob:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{directive} {sources}" for directive, sources in policy.items())


def _page_config(settings: Settings, emotions: tuple[str, ...] = EMOTIONS) -> dict[str, Any]:
    """Return the configuration of the page, as JSON.

    Args:
        settings: of the service.
        emotions: the classes of its predictions.
    """
    hours = settings.keep_s / 3600
    return {
        "version": __version__,
        "accept": ",".join(ACCEPT),
        "turns": TURN_SUFFIXES,
        "limits": {"bytes": settings.max_recording_bytes, "seconds": settings.max_recording_s},
        "keep_s": settings.keep_s,
        "retention": f"{hours:.3g} {'hour' if hours == 1 else 'hours'}",
        "emotions": {
            name: {"colour": colour, "textColour": text_colour(colour)}
            for name, colour in emotion_colours(emotions).items()
        },
        "examples": EXAMPLES,
        "formats": [
            {"format": name, "label": row.label, "suffix": row.suffix, "missing": row.missing_package()}
            for name, row in TIMELINE_FORMATS.items()
        ],
    }
