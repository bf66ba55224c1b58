"""URL -> FILE, going on after every break.

A connection that breaks off is taken up again where it ended (HTTP Range); a server that does not know Range is asked
for the whole again. No more is ever read than the published size; whether it is the right content is for the caller's
checksum to say. https only, redirects included; http for a server on this machine.
"""

import http.client
import ipaddress
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from overtone import __version__
from overtone.errors import DownloadError

BLOCK_BYTES = 2**18
TIMEOUT_S = 30.0
ATTEMPTS = 5  # without a byte of headway
FIRST_PAUSE_S = 1.0  # doubled with every attempt that made no headway
LONGEST_PAUSE_S = 60.0
PARTIAL, RANGE_REFUSED = 206, 416
PASSING_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class _BreakError(Exception):
    """A break that another attempt may get over.

    Attributes:
        pause_s: what the server asked us to wait; 0 where it did not.
    """

    def __init__(self, reason: str, pause_s: float = 0.0) -> None:
        super().__init__(reason)
        self.pause_s = pause_s


def fetch(url: str, part: Path, size_bytes: int, progress: Callable[[int, int], None]) -> None:
    """Fills a file up to its published size.

    Args:
        url: where the content lies.
        part: the file; what it holds already is taken as the beginning. It stays where the fetching fails.
        size_bytes: the published size.
        progress: called with bytes done and bytes in all.

    Raises:
        DownloadError: not https, refused by the server, of another size there, or no headway in five attempts.
        OSError: the file cannot be written.
    """
    _check_safe(url, from_this_machine=True)
    farthest, idle = _held(part), 0
    while _held(part) != size_bytes:
        if _held(part) > size_bytes:
            part.unlink()
        try:
            _attempt(url, part, size_bytes, progress)
            reason, asked_s = "it ended early", 0.0
        except _BreakError as broken:
            reason, asked_s = str(broken), broken.pause_s
        held = _held(part)
        if held == size_bytes:
            return
        idle = 0 if held > farthest else idle + 1
        farthest = max(farthest, held)
        if idle >= ATTEMPTS:
            raise DownloadError(f"{url}: broke off at {held} of {size_bytes} bytes: {reason}; run the download again")
        time.sleep(min(max(FIRST_PAUSE_S * 2**idle, asked_s), LONGEST_PAUSE_S))


def _held(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _attempt(url: str, part: Path, size_bytes: int, progress: Callable[[int, int], None]) -> None:
    """One request: adds to the part, or begins it anew where the server sends the whole."""
    start = _held(part)
    with _opened(url, start, part) as response:
        if response.status == PARTIAL:
            _check_rest(response, url, part, start, size_bytes)
        else:
            start = 0
        with part.open("ab" if start else "wb") as file:
            while start < size_bytes and (block := _block(response, size_bytes - start)):
                file.write(block)
                start += len(block)
                progress(start, size_bytes)


def _opened(url: str, start: int, part: Path) -> http.client.HTTPResponse:
    """The answer to a request for everything from byte `start` on."""
    headers = {"User-Agent": f"overtone/{__version__}", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        return _opener(url).open(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == RANGE_REFUSED and start:
            part.unlink()
            raise _BreakError("the server cannot go on from there") from error
        if error.code in PASSING_STATUS:
            raise _BreakError(f"HTTP {error.code} {error.reason}", _asked_pause_s(error)) from error
        raise DownloadError(f"{url}: the server refuses: HTTP {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise _BreakError(f"no connection ({error.reason})") from error
    except (OSError, http.client.HTTPException) as error:
        raise _BreakError(f"{type(error).__name__} ({error})") from error


def _asked_pause_s(error: urllib.error.HTTPError) -> float:
    """What the header Retry-After asks for, where it is a number of seconds."""
    text = (error.headers.get("Retry-After") or "").strip()
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _check_rest(response: http.client.HTTPResponse, url: str, part: Path, start: int, size_bytes: int) -> None:
    """Nothing, where a partial answer begins where the part ends and belongs to a file of the published size."""
    span = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if not span or int(span[1]) != start:
        part.unlink(missing_ok=True)
        raise _BreakError("the server went on from another place than asked")
    if span[2] not in ("*", str(size_bytes)):
        part.unlink()
        raise DownloadError(f"{url}: is not what was published: it has {span[2]} bytes, published {size_bytes}")


def _block(response: http.client.HTTPResponse, most_bytes: int) -> bytes:
    """What came next, at most so many bytes; nothing at the end."""
    try:
        return response.read1(min(BLOCK_BYTES, most_bytes))
    except (OSError, http.client.HTTPException) as error:
        raise _BreakError(f"the connection broke ({error})") from error


def _opener(url: str) -> urllib.request.OpenerDirector:
    direct = [urllib.request.ProxyHandler({})] if _is_this_machine(url) else []
    return urllib.request.build_opener(_SafeRedirects, *direct)


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https only; to http only from one server on this machine to another."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        try:
            _check_safe(newurl, from_this_machine=_is_this_machine(req.full_url))
        except DownloadError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_safe(url: str, *, from_this_machine: bool) -> None:
    if urlsplit(url).scheme != "https" and not (from_this_machine and _is_this_machine(url)):
        raise DownloadError(f"{url}: only https is fetched")


def _is_this_machine(url: str) -> bool:
    """Whether a URL is http and of a loopback host."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        return parts.scheme == "http" and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False
