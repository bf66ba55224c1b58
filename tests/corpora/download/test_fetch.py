"""Fetching from an unreliable server gives the right bytes, or an error that says why."""

import re
from pathlib import Path

import pytest
from unreliable_server import Behaviour, hang_up, reliable, send_body, serving, status, without_ranges

from overtone.corpora.download import fetch as fetch_module
from overtone.corpora.download.fetch import content_size, fetch
from overtone.errors import DownloadError

CONTENT = bytes(range(256)) * 4000  # about 1 MB, several blocks


@pytest.fixture(autouse=True)
def delays_s(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The delays before the retries, in seconds; no test waits for them."""
    made: list[float] = []
    monkeypatch.setattr(fetch_module.time, "sleep", made.append)
    return made


def run_fetch(tmp_path: Path, *plan: Behaviour, content: bytes = CONTENT, existing: bytes = b"") -> tuple[bytes, list]:
    """Fetch `CONTENT`; return the content of the file and the requested ranges."""
    part = tmp_path / "file.part"
    if existing:
        part.write_bytes(existing)
    with serving(content, *plan) as server:
        fetch(server.url, part, len(CONTENT), lambda done, total: None)
    return part.read_bytes(), server.ranges


def fetch_error(tmp_path: Path, *plan: Behaviour, **options: bytes) -> str:
    """Return the error of a fetch."""
    with pytest.raises(DownloadError) as caught:
        run_fetch(tmp_path, *plan, **options)
    return str(caught.value)


def test_a_reliable_server_gets_one_request(tmp_path: Path) -> None:
    assert run_fetch(tmp_path) == (CONTENT, [None])


def test_progress_counts_bytes_up_to_the_total(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    with serving(CONTENT, reliable(max_bytes=1000), reliable()) as server:
        fetch(server.url, tmp_path / "part", len(CONTENT), lambda done, total: calls.append((done, total)))
    assert calls[0] == (1000, len(CONTENT))
    assert calls[-1] == (len(CONTENT), len(CONTENT))
    assert calls == sorted(calls)


def test_a_lost_connection_is_resumed(tmp_path: Path) -> None:
    content, ranges = run_fetch(tmp_path, reliable(max_bytes=300_000), reliable(max_bytes=7), reliable())
    assert content == CONTENT
    assert ranges == [None, "bytes=300000-", "bytes=300007-"]


def test_an_existing_part_is_resumed(tmp_path: Path) -> None:
    assert run_fetch(tmp_path, existing=CONTENT[:5000]) == (CONTENT, ["bytes=5000-"])


def test_a_complete_part_needs_no_request(tmp_path: Path) -> None:
    assert run_fetch(tmp_path, existing=CONTENT) == (CONTENT, [])


def test_a_part_that_is_too_long_is_fetched_again(tmp_path: Path) -> None:
    assert run_fetch(tmp_path, existing=CONTENT + b"x") == (CONTENT, [None])


def test_a_server_without_range_support_sends_the_complete_file_again(tmp_path: Path) -> None:
    content, ranges = run_fetch(
        tmp_path, without_ranges(max_bytes=400_000), without_ranges(max_bytes=500_000), without_ranges()
    )
    assert content == CONTENT
    assert ranges == [None, "bytes=400000-", "bytes=500000-"]


def test_many_interruptions_with_progress_do_not_end_the_download(tmp_path: Path) -> None:
    step = len(CONTENT) // 20
    content, ranges = run_fetch(tmp_path, *[reliable(max_bytes=step)] * 21)
    assert content == CONTENT
    assert len(ranges) > 3 * fetch_module.MAX_ATTEMPTS


@pytest.mark.parametrize("declared", [1000, len(CONTENT) - 1, len(CONTENT) + 1, 10 * len(CONTENT)])
def test_a_wrong_content_length_is_harmless(tmp_path: Path, declared: int) -> None:
    assert run_fetch(tmp_path, send_body(CONTENT, declared=declared), reliable())[0] == CONTENT


def test_a_missing_content_length_is_harmless(tmp_path: Path) -> None:
    assert run_fetch(tmp_path, send_body(CONTENT))[0] == CONTENT


def test_no_more_than_the_published_size_is_read(tmp_path: Path) -> None:
    assert run_fetch(tmp_path, send_body(CONTENT + b"more" * 100_000)) == (CONTENT, [None])


@pytest.mark.parametrize("failure", [status(503), status(429), status(500), hang_up, send_body(b"")])
def test_temporary_failures_are_retried(tmp_path: Path, delays_s: list[float], failure: Behaviour) -> None:
    assert run_fetch(tmp_path, failure, failure, reliable())[0] == CONTENT
    assert delays_s == [2.0, 4.0]


def test_progress_resets_the_backoff(tmp_path: Path, delays_s: list[float]) -> None:
    run_fetch(tmp_path, status(503), status(503), reliable(max_bytes=1), status(503), reliable())
    assert delays_s == [2.0, 4.0, 1.0, 2.0]


def test_retry_after_is_respected_up_to_a_minute(tmp_path: Path, delays_s: list[float]) -> None:
    plan = (status(503, Retry_After=7), status(503, Retry_After=3600), status(503, Retry_After="tomorrow"))
    run_fetch(tmp_path, *plan, reliable())
    assert delays_s == [7.0, 60.0, 8.0]


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        (status(503), "HTTP 503 Service Unavailable"),
        (hang_up, "no connection|RemoteDisconnected"),
        (send_body(b""), "it ended early"),
    ],
)
def test_permanent_failures_are_an_error(tmp_path: Path, delays_s: list[float], plan: Behaviour, reason: str) -> None:
    assert re.search(rf"interrupted at 0 of {len(CONTENT)} bytes: .*({reason})", fetch_error(tmp_path, plan))
    assert len(delays_s) == fetch_module.MAX_ATTEMPTS - 1


def test_no_progress_is_an_error_and_the_part_is_stored(tmp_path: Path) -> None:
    assert "interrupted at 500 of" in fetch_error(tmp_path, without_ranges(max_bytes=500))
    assert (tmp_path / "file.part").read_bytes() == CONTENT[:500]


@pytest.mark.parametrize("code", [401, 403, 404, 410, 416])
def test_a_refusal_is_an_error_without_retries(tmp_path: Path, delays_s: list[float], code: int) -> None:
    assert f"the server refuses: HTTP {code}" in fetch_error(tmp_path, status(code))
    assert delays_s == []


def test_a_refused_range_restarts_the_download(tmp_path: Path) -> None:
    assert run_fetch(tmp_path, status(416), reliable(), existing=CONTENT[:9]) == (CONTENT, ["bytes=9-", None])


def test_a_wrong_range_restarts_the_download(tmp_path: Path) -> None:
    assert run_fetch(tmp_path, reliable(shift_bytes=5), reliable(), existing=CONTENT[:9]) == (
        CONTENT,
        ["bytes=9-", None],
    )


def test_an_unexpected_size_is_an_error(tmp_path: Path) -> None:
    message = fetch_error(tmp_path, reliable(declared_total=77), existing=b"123")
    assert f"is not the published file: it has 77 bytes, published {len(CONTENT)}" in message
    assert not (tmp_path / "file.part").exists()


def test_a_server_that_is_down_is_an_error(tmp_path: Path) -> None:
    with serving(b"") as server:
        pass
    with pytest.raises(DownloadError, match=r"no connection .*refused"):
        fetch(server.url, tmp_path / "part", 10, lambda done, total: None)


def test_a_stalled_connection_times_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_module, "TIMEOUT_S", 0.05)
    monkeypatch.setattr(fetch_module, "MAX_ATTEMPTS", 1)

    def stall(handler: object, content: bytes) -> None:
        handler.send_head(200, Content_Length=len(content))
        handler.rfile.read(1)  # until the client closes the connection

    assert "the connection was lost (timed out)" in fetch_error(tmp_path, stall)


def test_redirects_are_followed_with_the_range(tmp_path: Path) -> None:
    with serving(CONTENT) as mirror:
        _, ranges = run_fetch(tmp_path, status(302, Location=mirror.url), existing=CONTENT[:5])
    assert (tmp_path / "file.part").read_bytes() == CONTENT
    assert ranges == mirror.ranges == ["bytes=5-"]


@pytest.mark.parametrize("target", ["http://example.org/file.zip", "ftp://127.0.0.1/file.zip"])
def test_redirects_away_from_https_are_refused(tmp_path: Path, target: str) -> None:
    assert f"{target}: only https is allowed" in fetch_error(tmp_path, status(302, Location=target))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/file.zip",
        "file:///etc/hostname",
        "ftp://example.org/file.zip",
        "http://127.0.0.1.example.org/file.zip",
        "http://localhost@example.org/file.zip",
        "data:,x",
    ],
)
def test_only_https_is_allowed(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadError, match="only https is allowed"):
        fetch(url, tmp_path / "part", 10, lambda done, total: None)


def test_a_full_disk_is_an_os_error(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    (tmp_path / "file.part").symlink_to(full)
    with pytest.raises(OSError, match="No space left"), serving(CONTENT) as server:
        fetch(server.url, tmp_path / "file.part", len(CONTENT), lambda done, total: None)


@pytest.mark.parametrize("behaviour", [reliable(), without_ranges(max_bytes=10)])
def test_the_size_of_a_file_is_known_before_it_is_fetched(behaviour: Behaviour) -> None:
    with serving(CONTENT, status(503), behaviour) as server:
        assert content_size(server.url, max_bytes=len(CONTENT)) == len(CONTENT)


@pytest.mark.parametrize("behaviour", [reliable(), send_body(b"no size"), status(503), status(404), hang_up])
def test_an_unknown_or_excessive_size_is_an_error(behaviour: Behaviour) -> None:
    with serving(CONTENT, behaviour) as server, pytest.raises(DownloadError, match=re.escape(server.url)):
        content_size(server.url, max_bytes=len(CONTENT) - 1)


def test_the_size_is_asked_by_https_only() -> None:
    with pytest.raises(DownloadError, match="https"):
        content_size("http://example.org/file", max_bytes=1)
