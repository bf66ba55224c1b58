"""A corpus is fetched, checked and unpacked completely; after an error no incomplete file is among the clips."""

import hashlib
import io
import os
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from unreliable_server import Behaviour, reliable, send_body, serving, status, without_ranges

from overtone import corpora
from overtone.corpora import ravdess
from overtone.corpora.download import fetch
from overtone.corpora.download.corpus import WORK_FOLDER, download_corpus
from overtone.corpora.metadata import Archive
from overtone.errors import DownloadError, OptionError

CLIPS = {f"Actor_{actor:02d}/03-01-01-01-01-01-{actor:02d}.wav": os.urandom(30_000 + actor) for actor in (1, 2)}
NAME = "speech.zip"
STAGES = ("fetching", "checking", "unpacking")


def make_zip(files: dict[str, bytes]) -> bytes:
    """Return a ZIP archive of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


ARCHIVE = make_zip(CLIPS)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry without delay."""
    monkeypatch.setattr(fetch.time, "sleep", lambda pause_s: None)


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch) -> Iterator:
    """A function that publishes an archive as corpus "ravdess" on a server with these behaviours."""
    running = []

    def start(*plan: Behaviour, content: bytes = ARCHIVE, **limits: int) -> list[str | None]:
        server = serving(content, *plan)
        running.append(server)
        started = server.__enter__()
        archive = Archive(started.url, NAME, len(content), hashlib.md5(content).hexdigest(), **limits)
        info = replace(ravdess.INFO, archives=(archive,))
        monkeypatch.setitem(corpora.CORPORA, "ravdess", SimpleNamespace(INFO=info, read=ravdess.read))
        return started.ranges

    yield start
    for server in running:
        server.__exit__(None, None, None)


def list_files(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder without its work folder, name -> content."""
    files = [path for path in folder.rglob("*") if path.is_file() and WORK_FOLDER not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def list_work_files(folder: Path) -> list[str]:
    """Return the names in the work folder."""
    return sorted(path.name for path in (folder / WORK_FOLDER).iterdir())


def download_error(folder: Path) -> str:
    """Return the error of a download, after checking that it left no clip and no unpacked file."""
    before = list_files(folder)
    with pytest.raises(DownloadError) as caught:
        download_corpus("ravdess", folder)
    assert list_files(folder) == before
    assert not [name for name in list_work_files(folder) if "unpacked" in name]
    return str(caught.value)


def test_a_second_download_does_nothing(publish, tmp_path: Path) -> None:
    ranges = publish()
    assert download_corpus("ravdess", tmp_path / "new" / "ravdess") is True
    assert list_files(tmp_path / "new" / "ravdess") == CLIPS
    assert list_work_files(tmp_path / "new" / "ravdess") == [f"{NAME}.json"]
    assert len(corpora.ravdess.read(tmp_path / "new" / "ravdess").utterances) == 2
    assert download_corpus("ravdess", tmp_path / "new" / "ravdess") is False
    assert ranges == [None]


def test_progress_reports_the_stages(publish, tmp_path: Path) -> None:
    publish()
    calls: list[tuple[int, int, str]] = []
    download_corpus("ravdess", tmp_path, lambda *step: calls.append(step))
    assert list(dict.fromkeys(text for _, _, text in calls)) == [f"{stage} {NAME}" for stage in STAGES]
    assert all(0 < done <= total for done, total, _ in calls)


def test_interruptions_are_retried(publish, tmp_path: Path) -> None:
    ranges = publish(reliable(max_bytes=20_000), without_ranges(max_bytes=30_000), status(503), reliable())
    download_corpus("ravdess", tmp_path)
    assert list_files(tmp_path) == CLIPS
    assert ranges == [None, "bytes=20000-", "bytes=30000-", "bytes=30000-"]


def test_a_later_call_resumes_a_failed_one(publish, tmp_path: Path) -> None:
    publish(reliable(max_bytes=20_000), status(503))
    assert "interrupted at 20000 of" in download_error(tmp_path)
    assert list_work_files(tmp_path) == [f"{NAME}.part"]
    ranges = publish()
    assert download_corpus("ravdess", tmp_path) is True
    assert (list_files(tmp_path), ranges) == (CLIPS, ["bytes=20000-"])


def test_an_interrupted_call_is_resumed(publish, tmp_path: Path) -> None:
    publish(reliable(max_bytes=20_000), reliable())

    def interrupt(done: int, total: int, text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download_corpus("ravdess", tmp_path, interrupt)
    assert list_files(tmp_path) == {}
    download_corpus("ravdess", tmp_path)
    assert list_files(tmp_path) == CLIPS


@pytest.mark.parametrize("stage", STAGES)
def test_a_call_killed_at_any_stage_is_resumed(publish, tmp_path: Path, stage: str) -> None:
    publish()

    def kill(done: int, total: int, text: str) -> None:
        if text.startswith(stage):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download_corpus("ravdess", tmp_path, kill)
    assert list_files(tmp_path) == {}
    (tmp_path / WORK_FOLDER / f"{NAME}.unpacked").mkdir()  # as a killed process leaves it
    assert download_corpus("ravdess", tmp_path) is True
    assert list_files(tmp_path) == CLIPS
    assert list_work_files(tmp_path) == [f"{NAME}.json"]


def test_unexpected_content_is_deleted(publish, tmp_path: Path) -> None:
    wrong = bytes(reversed(ARCHIVE))
    publish(send_body(wrong), reliable())
    message = download_error(tmp_path)
    assert f"its MD5 is {hashlib.md5(wrong).hexdigest()}, published {hashlib.md5(ARCHIVE).hexdigest()}" in message
    assert list_work_files(tmp_path) == []
    assert download_corpus("ravdess", tmp_path) is True


@pytest.mark.parametrize("declared", [1000, len(ARCHIVE) + 1000])
def test_a_wrong_content_length_is_harmless(publish, tmp_path: Path, declared: int) -> None:
    publish(send_body(ARCHIVE, declared=declared), reliable())
    download_corpus("ravdess", tmp_path)
    assert list_files(tmp_path) == CLIPS


@pytest.mark.parametrize(("code", "expected"), [(404, "HTTP 404"), (416, "HTTP 416"), (503, "HTTP 503")])
def test_a_refusal_is_an_error(publish, tmp_path: Path, code: int, expected: str) -> None:
    publish(status(code))
    assert expected in download_error(tmp_path)


@pytest.mark.parametrize("name", ["../evil.wav", "/tmp/evil.wav", "..\\evil.wav"])
def test_an_unsafe_archive_leaves_no_files(publish, tmp_path: Path, name: str) -> None:
    publish(content=make_zip({**CLIPS, name: b"evil"}))
    assert "nothing was unpacked" in download_error(tmp_path / "ravdess")
    assert [path.name for path in tmp_path.iterdir()] == ["ravdess"]


def test_limits_of_the_archive_are_enforced(publish, tmp_path: Path) -> None:
    publish(max_members=1)
    assert "2 members, more than 1" in download_error(tmp_path)
    publish(max_unpacked_bytes=1000)
    assert "more than 1000; nothing was unpacked" in download_error(tmp_path)


def test_an_archive_with_a_file_and_a_folder_of_one_name_leaves_nothing(publish, tmp_path: Path) -> None:
    publish(content=make_zip({"a": b"1", "a/b.wav": b"2"}))
    assert "cannot be written" in download_error(tmp_path)


def test_a_lost_clip_is_downloaded_again(publish, tmp_path: Path) -> None:
    publish()
    download_corpus("ravdess", tmp_path)
    shutil.rmtree(tmp_path / "Actor_02")
    assert download_corpus("ravdess", tmp_path) is True
    assert list_files(tmp_path) == CLIPS


def test_a_truncated_clip_is_not_complete(publish, tmp_path: Path) -> None:
    publish()
    download_corpus("ravdess", tmp_path)
    truncated = tmp_path / next(iter(CLIPS))
    truncated.write_bytes(truncated.read_bytes()[:-1])
    assert f"{truncated}: is not the published file; move it away" in download_error(tmp_path)
    truncated.unlink()
    assert download_corpus("ravdess", tmp_path) is True
    assert list_files(tmp_path) == CLIPS


def test_a_new_edition_of_the_archive_is_downloaded(publish, tmp_path: Path) -> None:
    publish()
    download_corpus("ravdess", tmp_path)
    more = {**CLIPS, "Actor_03/03-01-01-01-01-01-03.wav": b"more"}
    publish(content=make_zip(more))
    assert download_corpus("ravdess", tmp_path) is True
    assert list_files(tmp_path) == more


def test_a_damaged_archive_is_downloaded_again(publish, tmp_path: Path) -> None:
    ranges = publish()
    (tmp_path / WORK_FOLDER).mkdir()
    (tmp_path / WORK_FOLDER / NAME).write_bytes(ARCHIVE[:-1] + b"x")
    download_corpus("ravdess", tmp_path)
    assert (list_files(tmp_path), ranges) == (CLIPS, [None])


def test_other_files_in_the_folder_stay(publish, tmp_path: Path) -> None:
    (tmp_path / "Actor_01").mkdir()
    (tmp_path / "Actor_01" / "mine.txt").write_bytes(b"mine")
    publish()
    download_corpus("ravdess", tmp_path)
    assert list_files(tmp_path) == {**CLIPS, "Actor_01/mine.txt": b"mine"}


def test_a_different_file_in_the_place_of_a_clip_is_not_overwritten(publish, tmp_path: Path) -> None:
    mine = tmp_path / list(CLIPS)[1]
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    ranges = publish()
    assert f"{mine}: is not the published file; move it away" in download_error(tmp_path)
    mine.unlink()
    download_corpus("ravdess", tmp_path)
    assert (list_files(tmp_path), ranges) == (CLIPS, [None])


@pytest.mark.parametrize("receipt", ["", "[]", "{}", '{"md5": 1, "files": 2}', '{"md5": "MD5", "files": 2}'])
def test_a_damaged_receipt_is_ignored(publish, tmp_path: Path, receipt: str) -> None:
    publish()
    (tmp_path / WORK_FOLDER).mkdir()
    text = receipt.replace("MD5", hashlib.md5(ARCHIVE).hexdigest())
    (tmp_path / WORK_FOLDER / f"{NAME}.json").write_text(text)
    assert download_corpus("ravdess", tmp_path) is True
    assert list_files(tmp_path) == CLIPS


def test_a_full_disk_is_reported_before_anything_is_fetched(
    publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranges = publish()
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=len(ARCHIVE) - 1))
    assert "free disk space" in download_error(tmp_path)
    assert ranges == []


def test_a_disk_that_fills_up_is_an_error(publish, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    publish()
    (tmp_path / WORK_FOLDER).mkdir()
    (tmp_path / WORK_FOLDER / f"{NAME}.part").symlink_to("/dev/full")
    assert f"{tmp_path}: cannot be written: No space left on device" in download_error(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_an_error(publish, tmp_path: Path) -> None:
    publish()
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match=r"file.*cannot be written: Not a directory"):
        download_corpus("ravdess", tmp_path / "file")


def test_a_corpus_that_cannot_be_downloaded_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="'manifest' cannot be downloaded"):
        download_corpus("manifest", tmp_path)
    with pytest.raises(OptionError, match="did you mean 'ravdess'"):
        download_corpus("ravdes", tmp_path)
