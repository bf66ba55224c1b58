"""Fetches a URL into a file, with retries, and resumes after interruptions.

An interrupted transfer is resumed at its end (HTTP Range); from a server that does not support Range, the complete file
is requested again. At most the published size is ever read; the caller checks the content. https only, redirects
included; http only for a server on this machine.
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
MAX_ATTEMPTS = 5  # in a row without a new byte
MIN_BACKOFF_S = 1.0  # doubled with every attempt without a new byte
MAX_BACKOFF_S = 60.0
PARTIAL_CONTENT, RANGE_NOT_SATISFIABLE = 206, 416
RETRY_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class _RetryError(Exception):
    """A failure that another attempt may overcome.

    Attributes:
        retry_after_s: the delay that the server requested; 0 if it did not.
    """

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class _RangeError(_RetryError):
    """The server has no bytes in the requested range."""


def fetch(url: str, part: Path, size_bytes: int, progress: Callable[[int, int], None]) -> None:
    """Fetch a URL into a file until the file has its published size.

    Args:
        url: address of the content.
        part: the file; its present content is taken as the beginning. It remains if fetching fails.
        size_bytes: the published size.
        progress: called with bytes done and total bytes.

    Raises:
        DownloadError: not https, refused by the server, of another size, or no new byte in five attempts.
        OSError: the file cannot be written.
    """
    _check_secure(url, allow_loopback=True)
    farthest, failures = _size(part), 0
    while _size(part) != size_bytes:
        if _size(part) > size_bytes:
            part.unlink()
        try:
            _attempt(url, part, size_bytes, progress)
            reason, retry_after_s = "it ended early", 0.0
        except _RetryError as error:
            reason, retry_after_s = str(error), error.retry_after_s
        size = _size(part)
        if size == size_bytes:
            return
        failures = 0 if size > farthest else failures + 1
        farthest = max(farthest, size)
        if failures >= MAX_ATTEMPTS:
            raise DownloadError(
                f"{url}: interrupted at {size} of {size_bytes} bytes: {reason}; run the download again: it resumes here"
            )
        time.sleep(min(max(MIN_BACKOFF_S * 2**failures, retry_after_s), MAX_BACKOFF_S))


def content_size(url: str, max_bytes: int) -> int:
    """Return the size in bytes of the content of a URL, as its server states it; for files of unpublished size.

    Args:
        url: address of the content.
        max_bytes: the largest size that is accepted.

    Raises:
        DownloadError: not https, refused by the server, no size, a larger one, or no response in five attempts.
    """
    _check_secure(url, allow_loopback=True)
    for failures in range(1, MAX_ATTEMPTS + 1):
        try:
            with _request(url, "bytes=0-0") as response:
                size = _stated_size(response)
            break
        except _RetryError as error:
            if failures == MAX_ATTEMPTS:
                raise DownloadError(f"{url}: {error}; check the connection and run the download again") from error
            time.sleep(min(max(MIN_BACKOFF_S * 2**failures, error.retry_after_s), MAX_BACKOFF_S))
    if not 0 < size <= max_bytes:
        raise DownloadError(
            f"{url}: is not the published file: the server states {size} bytes, at most {max_bytes} are expected; "
            "look at the address in a browser, or try again later"
        )
    return size


def _stated_size(response: http.client.HTTPResponse) -> int:
    """Return the size of the complete content; 0 if the server does not state it."""
    content_range = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if response.status == PARTIAL_CONTENT:
        text = content_range[2] if content_range else ""
    else:
        text = response.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() else 0


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _attempt(url: str, part: Path, size_bytes: int, progress: Callable[[int, int], None]) -> None:
    """Make one request: append to the part, or overwrite it if the server sends the complete file."""
    start = _size(part)
    try:
        response = _request(url, f"bytes={start}-" if start else None)
    except _RangeError:
        part.unlink()
        raise
    with response:
        if response.status == PARTIAL_CONTENT:
            _check_range(response, url, part, start, size_bytes)
        else:
            start = 0
        with part.open("ab" if start else "wb") as file:
            while start < size_bytes and (block := _read_block(response, size_bytes - start)):
                file.write(block)
                start += len(block)
                progress(start, size_bytes)


def _request(url: str, byte_range: str | None) -> http.client.HTTPResponse:
    """Return the response to a request for a range of bytes; None for all."""
    headers = {"User-Agent": f"overtone/{__version__}", "Accept-Encoding": "identity"}
    if byte_range:
        headers["Range"] = byte_range
    try:
        return _opener(url).open(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == RANGE_NOT_SATISFIABLE and byte_range:
            raise _RangeError("the server cannot resume there") from error
        if error.code in RETRY_STATUS:
            raise _RetryError(f"HTTP {error.code} {error.reason}", _retry_after_s(error)) from error
        raise DownloadError(
            f"{url}: the server refuses: HTTP {error.code} {error.reason}; look at the address in a browser, or at "
            "the home page of its publisher: see overtone corpora list"
        ) from error
    except urllib.error.URLError as error:
        raise _RetryError(f"no connection ({error.reason})") from error
    except (OSError, http.client.HTTPException) as error:
        raise _RetryError(f"{type(error).__name__} ({error})") from error


def _retry_after_s(error: urllib.error.HTTPError) -> float:
    """Return the value of the header Retry-After if it is a number of seconds, else 0."""
    text = (error.headers.get("Retry-After") or "").strip()
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _check_range(response: http.client.HTTPResponse, url: str, part: Path, start: int, size_bytes: int) -> None:
    """Check that a partial response continues the part and belongs to a file of the published size."""
    content_range = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if not content_range or int(content_range[1]) != start:
        part.unlink(missing_ok=True)
        raise _RetryError("the server sent another range than requested")
    if content_range[2] not in ("*", str(size_bytes)):
        part.unlink()
        raise DownloadError(
            f"{url}: is not the published file: it has {content_range[2]} bytes, published {size_bytes}; "
            "it was deleted; run the download again"
        )


def _read_block(response: http.client.HTTPResponse, max_bytes: int) -> bytes:
    """Return the next bytes, at most `max_bytes`; none at the end."""
    try:
        return response.read1(min(BLOCK_BYTES, max_bytes))
    except (OSError, http.client.HTTPException) as error:
        raise _RetryError(f"the connection was lost ({error})") from error


def _opener(url: str) -> urllib.request.OpenerDirector:
    no_proxy = [urllib.request.ProxyHandler({})] if _is_loopback(url) else []
    return urllib.request.build_opener(_SecureRedirects, *no_proxy)


class _SecureRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https only; to http only from one server on this machine to another."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        try:
            _check_secure(newurl, allow_loopback=_is_loopback(req.full_url))
        except DownloadError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_secure(url: str, *, allow_loopback: bool) -> None:
    if urlsplit(url).scheme != "https" and not (allow_loopback and _is_loopback(url)):
        raise DownloadError(f"{url}: only https is allowed; use an https address")


def _is_loopback(url: str) -> bool:
    """Return whether a URL is http and has a loopback host."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        return parts.scheme == "http" and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False


def not_writable(error: OSError, folder: Path) -> DownloadError:
    """Return the error of a download whose files cannot be written.

    Args:
        error: what the operating system reports.
        folder: the target, for messages, if the error names no file.
    """
    return DownloadError(
        f"{error.filename or folder}: cannot be written: {error.strerror or error}; free disk space or check the "
        "permissions, then run the download again: it resumes here"
    )
