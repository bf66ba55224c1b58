"""Fetching from a server that breaks off, lies and refuses ends in the right bytes, or in an error that says why."""

import re
from pathlib import Path

import pytest
from unreliable_server import Behaviour, hangs_up, honest, rangeless, sends, serving, status

from overtone.corpora.download import fetch as fetching
from overtone.corpora.download.fetch import fetch
from overtone.errors import DownloadError

CONTENT = bytes(range(256)) * 4000  # about 1 MB, several blocks


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that would have been made."""
    made: list[float] = []
    monkeypatch.setattr(fetching.time, "sleep", made.append)
    return made


def fetched(tmp_path: Path, *plan: Behaviour, content: bytes = CONTENT, held: bytes = b"") -> tuple[bytes, list]:
    """What lies in the file after fetching `CONTENT`, and the ranges that were asked for."""
    part = tmp_path / "file.part"
    if held:
        part.write_bytes(held)
    with serving(content, *plan) as server:
        fetch(server.url, part, len(CONTENT), lambda done, total: None)
    return part.read_bytes(), server.ranges


def refused(tmp_path: Path, *plan: Behaviour, **options: bytes) -> str:
    """The error that fetching ends in."""
    with pytest.raises(DownloadError) as caught:
        fetched(tmp_path, *plan, **options)
    return str(caught.value)


def test_an_honest_server_is_asked_once(tmp_path: Path) -> None:
    assert fetched(tmp_path) == (CONTENT, [None])


def test_progress_counts_bytes_up_to_the_whole(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    with serving(CONTENT, honest(most_bytes=1000), honest()) as server:
        fetch(server.url, tmp_path / "part", len(CONTENT), lambda done, total: told.append((done, total)))
    assert told[0] == (1000, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)


def test_a_broken_connection_is_taken_up_where_it_ended(tmp_path: Path) -> None:
    content, ranges = fetched(tmp_path, honest(most_bytes=300_000), honest(most_bytes=7), honest())
    assert content == CONTENT
    assert ranges == [None, "bytes=300000-", "bytes=300007-"]


def test_an_earlier_part_is_gone_on_from(tmp_path: Path) -> None:
    assert fetched(tmp_path, held=CONTENT[:5000]) == (CONTENT, ["bytes=5000-"])


def test_a_whole_part_asks_nothing(tmp_path: Path) -> None:
    assert fetched(tmp_path, held=CONTENT) == (CONTENT, [])


def test_a_part_that_is_too_long_is_begun_anew(tmp_path: Path) -> None:
    assert fetched(tmp_path, held=CONTENT + b"x") == (CONTENT, [None])


def test_a_server_without_ranges_sends_the_whole_again(tmp_path: Path) -> None:
    content, ranges = fetched(tmp_path, rangeless(most_bytes=400_000), rangeless(most_bytes=500_000), rangeless())
    assert content == CONTENT
    assert ranges == [None, "bytes=400000-", "bytes=500000-"]


def test_many_breaks_with_headway_are_no_reason_to_give_up(tmp_path: Path) -> None:
    step = len(CONTENT) // 20
    content, ranges = fetched(tmp_path, *[honest(most_bytes=step)] * 21)
    assert content == CONTENT
    assert len(ranges) > 3 * fetching.ATTEMPTS


@pytest.mark.parametrize("claimed", [1000, len(CONTENT) - 1, len(CONTENT) + 1, 10 * len(CONTENT)])
def test_a_lie_about_the_length_does_no_harm(tmp_path: Path, claimed: int) -> None:
    assert fetched(tmp_path, sends(CONTENT, claimed=claimed), honest())[0] == CONTENT


def test_no_length_at_all_does_no_harm(tmp_path: Path) -> None:
    assert fetched(tmp_path, sends(CONTENT))[0] == CONTENT


def test_no_more_is_read_than_was_published(tmp_path: Path) -> None:
    assert fetched(tmp_path, sends(CONTENT + b"more" * 100_000)) == (CONTENT, [None])


@pytest.mark.parametrize("passing", [status(503), status(429), status(500), hangs_up, sends(b"")])
def test_passing_trouble_is_waited_out(tmp_path: Path, pauses: list[float], passing: Behaviour) -> None:
    assert fetched(tmp_path, passing, passing, honest())[0] == CONTENT
    assert pauses == [2.0, 4.0]


def test_headway_shortens_the_pause_again(tmp_path: Path, pauses: list[float]) -> None:
    fetched(tmp_path, status(503), status(503), honest(most_bytes=1), status(503), honest())
    assert pauses == [2.0, 4.0, 1.0, 2.0]


def test_the_server_may_ask_for_a_pause_but_not_for_an_hour(tmp_path: Path, pauses: list[float]) -> None:
    plan = (status(503, Retry_After=7), status(503, Retry_After=3600), status(503, Retry_After="tomorrow"))
    fetched(tmp_path, *plan, honest())
    assert pauses == [7.0, 60.0, 8.0]


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        (status(503), "HTTP 503 Service Unavailable"),
        (hangs_up, "no connection|RemoteDisconnected"),
        (sends(b""), "it ended early"),
    ],
)
def test_lasting_trouble_ends_in_an_error(tmp_path: Path, pauses: list[float], plan: Behaviour, reason: str) -> None:
    assert re.search(rf"broke off at 0 of {len(CONTENT)} bytes: .*({reason})", refused(tmp_path, plan))
    assert len(pauses) == fetching.ATTEMPTS - 1


def test_a_server_that_never_gets_farther_ends_in_an_error_and_the_part_is_kept(tmp_path: Path) -> None:
    assert "broke off at 500 of" in refused(tmp_path, rangeless(most_bytes=500))
    assert (tmp_path / "file.part").read_bytes() == CONTENT[:500]


@pytest.mark.parametrize("code", [401, 403, 404, 410, 416])
def test_a_refusal_is_an_error_at_once(tmp_path: Path, pauses: list[float], code: int) -> None:
    assert f"the server refuses: HTTP {code}" in refused(tmp_path, status(code))
    assert pauses == []


def test_a_refused_range_begins_anew(tmp_path: Path) -> None:
    assert fetched(tmp_path, status(416), honest(), held=CONTENT[:9]) == (CONTENT, ["bytes=9-", None])


def test_a_range_from_another_place_begins_anew(tmp_path: Path) -> None:
    assert fetched(tmp_path, honest(shift_bytes=5), honest(), held=CONTENT[:9]) == (CONTENT, ["bytes=9-", None])


def test_another_size_there_is_an_error(tmp_path: Path) -> None:
    told = refused(tmp_path, honest(claimed_total=77), held=b"123")
    assert f"is not what was published: it has 77 bytes, published {len(CONTENT)}" in told
    assert not (tmp_path / "file.part").exists()


def test_nobody_there_is_an_error(tmp_path: Path) -> None:
    with serving(b"") as server:
        pass
    with pytest.raises(DownloadError, match=r"no connection .*refused"):
        fetch(server.url, tmp_path / "part", 10, lambda done, total: None)


def test_a_silent_server_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT_S", 0.05)
    monkeypatch.setattr(fetching, "ATTEMPTS", 1)

    def stalls(handler: object, content: bytes) -> None:
        handler.begin(200, Content_Length=len(content))
        handler.rfile.read(1)  # until the other side hangs up

    assert "the connection broke (timed out)" in refused(tmp_path, stalls)


def test_redirects_are_followed_with_the_range(tmp_path: Path) -> None:
    with serving(CONTENT) as mirror:
        _, ranges = fetched(tmp_path, status(302, Location=mirror.url), held=CONTENT[:5])
    assert (tmp_path / "file.part").read_bytes() == CONTENT
    assert ranges == mirror.ranges == ["bytes=5-"]


@pytest.mark.parametrize("target", ["http://example.org/file.zip", "ftp://127.0.0.1/file.zip"])
def test_redirects_away_from_https_are_refused(tmp_path: Path, target: str) -> None:
    assert f"{target}: only https is fetched" in refused(tmp_path, status(302, Location=target))


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
def test_only_https_is_fetched(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadError, match="only https is fetched"):
        fetch(url, tmp_path / "part", 10, lambda done, total: None)


def test_a_full_disk_is_told_as_it_is(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    (tmp_path / "file.part").symlink_to(full)
    with pytest.raises(OSError, match="No space left"), serving(CONTENT) as server:
        fetch(server.url, tmp_path / "file.part", len(CONTENT), lambda done, total: None)
