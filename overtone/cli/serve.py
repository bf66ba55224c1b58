"""`overtone serve`: the HTTP and WebSocket service, until Ctrl-C or SIGTERM. See `docs/serve.md`.

At shutdown it finishes the requests that it has accepted; unfinished jobs resume at the next start.
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
from typing import Any, NamedTuple

from overtone.cli.argtypes import fraction, names, positive_int
from overtone.cli.environment import RepeatableOption, add_environment_defaults
from overtone.cli.errors import print_error, usage_errors
from overtone.errors import MissingExtraError, OptionError
from overtone.inference.bundled_models import DEFAULT, NAMES
from overtone.service.backend import ServiceBackend
from overtone.service.settings import MB, Settings, state_folder

BACKLOG = 256
OWNER_ONLY_UMASK = 0o077
OTHER_FILES = 200  # open files other than connections and uploads: workers, the job store, refused connections
ENVIRONMENT_HELP = """\
Every option but --new-key can also be set by an environment variable: OVERTONE_
and the name of the option in upper case, such as OVERTONE_MAX_JOBS=10. Separate
several values by commas or spaces; a flag takes 1 or 0. An option on the command
line overrides its variable."""


class Limit(NamedTuple):
    """An option that sets a limit: its name, unit, help text, field of `Settings`, and units of the field per unit."""

    option: str
    unit: str
    help: str
    field: str
    scale: int = 1


LIMITS: tuple[Limit, ...] = (
    Limit("workers", "N", "number of worker processes for clips", "workers"),
    Limit("max-queue", "N", "maximum number of clips that wait for a worker", "max_queue"),
    Limit("max-clip-mb", "MB", "maximum size of a request to recognise, in MB", "max_clip_bytes", MB),
    Limit("max-clip-seconds", "S", "maximum duration of a clip, in seconds", "max_clip_s"),
    Limit("clip-timeout", "S", "time limit of a worker for a clip, in seconds", "clip_timeout_s"),
    Limit("max-files", "N", "maximum number of files in a request", "max_files"),
    Limit("max-reference-files", "N", "maximum number of reference clips in a request", "max_reference_files"),
    Limit("max-recording-mb", "MB", "maximum size of a request for a timeline, in MB", "max_recording_bytes", MB),
    Limit(
        "max-recording-seconds", "S", "maximum duration of a recording or of a stream, in seconds", "max_recording_s"
    ),
    Limit("recording-timeout", "S", "time limit of a worker for a recording, in seconds", "recording_timeout_s"),
    Limit("upload-timeout", "S", "time limit for the upload of a request body, in seconds", "upload_timeout_s"),
    Limit("max-jobs", "N", "maximum number of queued jobs", "max_jobs"),
    Limit("max-jobs-per-key", "N", "maximum number of queued jobs of one API key", "max_jobs_per_key"),
    Limit("max-streams", "N", "maximum number of open streams", "max_streams"),
    Limit("max-connections", "N", "maximum number of open connections", "max_connections"),
    Limit("keep-hours", "H", "hours until finished jobs and responses to idempotency keys are deleted", "keep_s", 3600),
    Limit("shutdown-grace", "S", "time limit for accepted requests at shutdown, in seconds", "shutdown_grace_s"),
)


def serve_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for the address, the model, access, the web page and every limit."""
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, reachable from this machine)")
    add("--port", metavar="N", type=_port, default=8080, help="port to listen on; 0 for any free port (default: 8080)")
    add(
        "--state-dir",
        metavar="DIR",
        type=Path,
        help="folder of jobs and uploads (default: overtone in $XDG_STATE_HOME or ~/.local/state)",
    )
    add(
        "--model", metavar="NAME|FILE", type=Path,
        help=f"model: a bundled one, {' or '.join(NAMES)}, or a model file (default: {DEFAULT})",
    )  # fmt: skip
    add(
        "--uncertain-below", metavar="X", type=fraction,
        help="mark predictions with a confidence below X, from 0 to 1, as uncertain (default: as in the model card)",
    )  # fmt: skip
    add(
        "--emotions", metavar="NAMES", type=names,
        help="predict one of these classes only, separated by commas; calm and bored count to neutral unless they are "
        "named (default: all classes of the model)",
    )  # fmt: skip
    add(
        "--branches", metavar="NAMES", type=names,
        help="predict with these branches of the model only, separated by commas (default: all)",
    )  # fmt: skip
    add("--keys", metavar="FILE", type=Path, help="file of API key digests (default: no key is required)")
    add(
        "--new-key",
        metavar="NAME",
        type=_key_name,
        help="print a new API key and its line for the --keys file, and exit",
    )
    add(
        "--allow-origin", metavar="URL", type=_origin, action=RepeatableOption, default=[],
        help="origin of web pages that may use the service from a browser; may be given several times",
    )  # fmt: skip
    add(
        "--allow-host", metavar="NAME", type=str.lower, action=RepeatableOption, default=[],
        help="host name of the service in addition to localhost; requests for other names are refused; may be given "
        "several times",
    )  # fmt: skip
    add("--no-page", dest="page", action="store_false", help="do not serve the web page at /")
    limits = parser.add_argument_group("limits")
    defaults = Settings(Path())._asdict()
    for limit in LIMITS:
        default = "one per core" if limit.field == "workers" else f"{defaults[limit.field] / limit.scale:.0f}"
        limits.add_argument(
            f"--{limit.option}", metavar=limit.unit, dest=limit.field, type=positive_int,
            help=f"{limit.help} (default: {default})",
        )  # fmt: skip
    parser.epilog = ENVIRONMENT_HELP
    add_environment_defaults(parser, os.environ, exclude=("--help", "--new-key"))


def serve(args: argparse.Namespace) -> int:
    """Run the service until it receives a signal, and return the exit code."""
    uvicorn = _import_uvicorn()
    from overtone.service.api import auth

    if args.new_key is not None:
        key = auth.new_key()
        print(f"key:  {key}\nline: {args.new_key} {auth.hash_key(key)}")
        return 0
    keys = auth.read_keys(args.keys) if args.keys else None
    with _listen(args.host, args.port) as listener, _owner_only_files():
        is_loopback = ipaddress.ip_address(listener.getsockname()[0]).is_loopback
        if keys is None and not is_loopback:
            print_error(f"--host {args.host}: every client that can reach this address can use the service; see --keys")
        hosts = args.allow_host if is_loopback or args.allow_host else None
        settings = build_settings(args)
        raise_open_file_limit(settings)
        backend = ServiceBackend(settings)
        try:
            from overtone.service.api import web_page
            from overtone.service.api.app import create_app

            tempfile.tempdir = str(backend.spool)  # large uploads go where there is room for them
            page = web_page.mount if args.page else None
            app = create_app(backend, keys, args.allow_origin, hosts=hosts, page=page)
            with usage_errors():
                backend.pool.wait_until_ready()
            _run(uvicorn.Server(uvicorn_config(uvicorn, app, settings)), listener)
        finally:
            backend.close()
    return 0


def build_settings(args: argparse.Namespace) -> Settings:
    """Return the settings of the parsed arguments."""
    limits: dict[str, Any] = {
        limit.field: getattr(args, limit.field) * limit.scale
        for limit in LIMITS
        if getattr(args, limit.field) is not None
    }
    model = {name: getattr(args, name) for name in ("uncertain_below", "emotions", "branches")}
    return Settings(args.state_dir or state_folder(), str(args.model or ""), **model, **limits)


@contextlib.contextmanager
def _owner_only_files() -> Iterator[None]:
    """Let only the current user read the files created in this block."""
    previous = os.umask(OWNER_ONLY_UMASK)
    try:
        yield
    finally:
        os.umask(previous)


def raise_open_file_limit(settings: Settings) -> None:
    """Raise the limit of open files to what the settings need, as far as the system allows; print a shortfall."""
    import resource

    files = settings.max_files + settings.max_reference_files
    needed = OTHER_FILES + settings.max_connections + settings.max_uploads * files
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < needed:
        print_error(
            f"the system allows {allowed} open files, and the limits may need {needed}; "
            "raise it with ulimit -n, or lower --max-connections"
        )


def _run(server: Any, listener: socket.socket) -> None:
    """Serve until a signal arrives.

    At its end uvicorn raises the signal again. The handlers here keep that from ending the process before the backend
    is closed.
    """

    def stop(*_: object) -> None:
        server.should_exit = True

    signal.signal(signal.SIGTERM, stop)
    _announce(listener)
    with contextlib.suppress(KeyboardInterrupt):
        server.run([listener])


def uvicorn_config(uvicorn: ModuleType, app: Any, settings: Settings) -> Any:
    """Return the `uvicorn.Config` for an app, with the connection limits of the settings."""
    from overtone.service.api import protocols

    logging.basicConfig(level=logging.WARNING, format="overtone: %(levelname)s: %(message)s")
    for name in ("uvicorn.error", "python_multipart"):  # they log a line for each invalid request
        logging.getLogger(name).setLevel(logging.ERROR)
    limits = protocols.ConnectionLimits(
        settings.max_connections, settings.header_timeout_s, settings.upload_timeout_s, settings.stream_idle_timeout_s
    )
    return uvicorn.Config(
        app,
        http=functools.partial(protocols.LimitedHttpProtocol, limits),
        ws=functools.partial(protocols.LimitedWebSocketProtocol, limits),
        ws_max_size=MB,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,  # it would contain the file names of clients
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=int(settings.shutdown_grace_s),
    )


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket."""
    try:
        (family, *_, address), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        raise OptionError(f"--host {host} --port {port}: cannot listen there: {error.strerror or error}") from error


def _announce(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    print(f"overtone: ready at http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)


def _import_uvicorn() -> ModuleType:
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


def _key_name(text: str) -> str:
    """Return the name of an API key; it must be one word, as it starts a line of the key file."""
    if not re.fullmatch(r"[^\s#]\S{0,63}", text):
        raise argparse.ArgumentTypeError(f"expected up to 64 characters, no blank and no # in front, got {text!r}")
    return text


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 65535, got {text!r}")
    return int(text)
