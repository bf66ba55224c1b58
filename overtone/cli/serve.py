"""`overtone serve`: the service, until it is told to end (Ctrl-C, SIGTERM). `docs/serve.md` tells more.

What it took it finishes first; jobs that are not done go on when it is started again.
"""

import argparse
import contextlib
import functools
import ipaddress
import logging
import os
import re
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from overtone.cli.argtypes import at_least_one, share
from overtone.cli.errors import print_error
from overtone.errors import MissingExtraError, OptionError
from overtone.service.backend import ServiceBackend
from overtone.service.settings import MB, Settings, state_folder

BACKLOG = 256
PRIVATE = 0o077  # what of a file is denied: to everybody but the user who runs the service
OTHER_FILES = 200  # workers, the store, connections that are refused
LIMITS: tuple[tuple[str, str, str, str], ...] = (
    ("workers", "N", "processes that recognise (default: one per core)", "workers"),
    ("max-queue", "N", "clips that may wait for one", "waiting"),
    ("clip-mb", "MB", "of the body of a request to recognise", "clip_bytes"),
    ("clip-seconds", "S", "of sound in a clip", "clip_s"),
    ("clip-time", "S", "that a worker may take for a clip", "clip_time_s"),
    ("files", "N", "in one request", "files"),
    ("recording-mb", "MB", "of the body of a request for a timeline", "recording_bytes"),
    ("recording-seconds", "S", "of sound in a recording, or in a stream", "recording_s"),
    ("recording-time", "S", "that a worker may take for a recording", "recording_time_s"),
    ("upload-time", "S", "that a body may take to arrive", "upload_time_s"),
    ("max-jobs", "N", "that may wait", "jobs"),
    ("max-jobs-per-key", "N", "that may wait of one API key", "jobs_of_one"),
    ("max-streams", "N", "at the same time", "streams"),
    ("max-connections", "N", "at the same time", "connections"),
    ("keep-hours", "H", "that finished jobs and first answers are kept", "keep_s"),
    ("grace", "S", "that work may go on once the service is told to end", "grace_s"),
)
SCALES = {"clip_bytes": MB, "recording_bytes": MB, "keep_s": 3600}


def serve_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to listen, what with, who may ask, whether there is a page, and every limit."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: this machine alone)")
    parser.add_argument("--port", metavar="N", type=_port, default=8080, help="(default: 8080; 0 for any that is free)")
    parser.add_argument("--data", metavar="DIR", type=Path, help="of jobs and uploads (default: in ~/.local/state)")
    parser.add_argument("--model", metavar="FILE", type=Path, help="a model file; without it, the one of the package")
    parser.add_argument("--uncertain-below", metavar="X", type=share, help="as in overtone predict")
    parser.add_argument("--keys", metavar="FILE", type=Path, help="digests of API keys; without it, everybody may ask")
    parser.add_argument(
        "--new-key", metavar="NAME", type=_name, help="print a new API key and its line for --keys, and end"
    )
    parser.add_argument(
        "--allow-origin",
        metavar="URL",
        type=_origin,
        action="append",
        default=[],
        help="of a page that may ask from a browser",
    )
    parser.add_argument(
        "--allow-host",
        metavar="NAME",
        type=str.lower,
        action="append",
        default=[],
        help="that the service goes by beside localhost: requests under other names are refused",
    )
    parser.add_argument("--no-page", dest="page", action="store_false", help="serve no page at /, programs alone")
    limits = parser.add_argument_group("limits")
    defaults = Settings(Path())._asdict()
    for name, unit, what, field in LIMITS:
        default = defaults[field] / SCALES.get(field, 1)
        told = "" if field == "workers" else f" (default: {default:.0f})"
        limits.add_argument(f"--{name}", metavar=unit, dest=field, type=at_least_one, help=f"{what}{told}")


def serve(args: argparse.Namespace) -> int:
    """Serves until it is told to end."""
    uvicorn = _uvicorn()
    from overtone.service.api import auth

    if args.new_key is not None:
        key = auth.new_key()
        print(f"key:  {key}\nline: {args.new_key} {auth.hash_key(key)}")
        return 0
    ring = auth.read_keys(args.keys) if args.keys else None
    with _listening(args.host, args.port) as end, _private():
        loopback = ipaddress.ip_address(end.getsockname()[0]).is_loopback
        if ring is None and not loopback:
            print_error(f"--host {args.host}: whoever reaches this address may ask; see --keys")
        hosts = args.allow_host if loopback or args.allow_host else None
        settings = settings_of(args)
        _have_files_open(settings)
        house = ServiceBackend(settings)
        try:
            from overtone.service.api import web_page
            from overtone.service.api.app import build

            tempfile.tempdir = str(house.spool)  # large uploads, where there is room for them
            app = build(house, ring, args.allow_origin, hosts=hosts, page=web_page.mount if args.page else None)
            house.pool.wait_until_ready()
            _run(uvicorn.Server(_config(uvicorn, app, house.settings)), end)
        finally:
            house.close()
    return 0


@contextlib.contextmanager
def _private() -> Iterator[None]:
    """Files that are made meanwhile are nobody else's to read."""
    before = os.umask(PRIVATE)
    try:
        yield
    finally:
        os.umask(before)


def _have_files_open(settings: Settings) -> None:
    """Lets this process have as many files open as the limits may ask for, where the system allows it."""
    import resource

    wanted = OTHER_FILES + settings.connections + settings.uploads * settings.files
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < wanted:
        print_error(
            f"only {most} files may be open, and the limits may ask for {wanted}; see ulimit -n, --max-connections"
        )


def _run(server: Any, end: socket.socket) -> None:
    """Answers until a signal comes. uvicorn raises that once more at its end, which would end us before the house."""

    def stop(*_: object) -> None:
        server.should_exit = True

    signal.signal(signal.SIGTERM, stop)
    _announce(end)
    with contextlib.suppress(KeyboardInterrupt):
        server.run([end])


def settings_of(args: argparse.Namespace) -> Settings:
    """The settings that are asked for."""
    asked = {field: getattr(args, field) for *_, field in LIMITS}
    limits: dict[str, Any] = {
        field: value * SCALES.get(field, 1) for field, value in asked.items() if value is not None
    }
    model = str(args.model or "")
    return Settings(args.data or state_folder(), model, args.uncertain_below, **limits)


def _config(uvicorn: ModuleType, app: Any, settings: Settings) -> Any:
    from overtone.service.api import protocols

    logging.basicConfig(level=logging.WARNING, format="overtone: %(levelname)s: %(message)s")
    for noisy in ("uvicorn.error", "python_multipart"):  # a line for whatever a client gets wrong
        logging.getLogger(noisy).setLevel(logging.ERROR)
    bounds = protocols.ConnectionLimits(
        settings.connections, settings.head_s, settings.upload_time_s, settings.stream_idle_s
    )
    return uvicorn.Config(
        app,
        http=functools.partial(protocols.LimitedHttpProtocol, bounds),
        ws=functools.partial(protocols.LimitedWebSocketProtocol, bounds),
        ws_max_size=MB,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,  # it would name what clients call their files
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=int(settings.grace_s),
    )


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens."""
    try:
        (family, *_, address), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        end = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        raise OptionError(f"--host {host} --port {port}: cannot listen there: {error.strerror or error}") from error
    return end


def _announce(end: socket.socket) -> None:
    host, port = end.getsockname()[:2]
    print(f"overtone: ready at http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)


def _uvicorn() -> ModuleType:
    try:
        import fastapi  # noqa: F401
        import httptools  # noqa: F401
        import prometheus_client  # noqa: F401
        import python_multipart  # noqa: F401
        import uvicorn
        import websockets  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"'overtone serve' needs {error.name}, which is not installed: pip install 'overtone[serve]'"
        ) from error
    return uvicorn


def _origin(text: str) -> str:
    if not re.fullmatch(r"https?://[^/?#\s@]+", text):
        raise argparse.ArgumentTypeError(f"expected an origin such as https://page.example, got {text!r}")
    return text.lower()


def _name(text: str) -> str:
    """A name that a line of the file of keys can begin with."""
    if not re.fullmatch(r"[^\s#]\S{0,63}", text):
        raise argparse.ArgumentTypeError(f"expected up to 64 characters, no blank and no # in front, got {text!r}")
    return text


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 65535, got {text!r}")
    return int(text)
