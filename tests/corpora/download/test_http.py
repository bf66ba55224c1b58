"""A corpus is fetched, checked and unpacked whole; whatever goes wrong, nothing half-done is left among the clips."""

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
from unreliable_server import Behaviour, honest, rangeless, sends, serving, status

from overtone import corpora
from overtone.corpora import ravdess
from overtone.corpora.download import fetch as fetching
from overtone.corpora.download.http import WORK_FOLDER, download
from overtone.corpora.metadata import Archive
from overtone.errors import DownloadError, OptionError

CLIPS = {f"Actor_{actor:02d}/03-01-01-01-01-01-{actor:02d}.wav": os.urandom(30_000 + actor) for actor in (1, 2)}
NAME = "speech.zip"
STAGES = ("fetching", "checking", "unpacking")


def zipped(files: dict[str, bytes]) -> bytes:
    """An archive of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


ZIPPED = zipped(CLIPS)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts follow one another at once."""
    monkeypatch.setattr(fetching.time, "sleep", lambda pause_s: None)


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch) -> Iterator:
    """A function that publishes an archive as corpus "ravdess" on a server that behaves as planned."""
    running = []

    def published(*plan: Behaviour, content: bytes = ZIPPED, **limits: int) -> list[str | None]:
        server = serving(content, *plan)
        running.append(server)
        opened = server.__enter__()
        archive = Archive(opened.url, NAME, len(content), hashlib.md5(content).hexdigest(), **limits)
        about = replace(ravdess.ABOUT, archives=(archive,))
        monkeypatch.setitem(corpora.CORPORA, "ravdess", SimpleNamespace(ABOUT=about, read=ravdess.read))
        return opened.ranges

    yield published
    for server in running:
        server.__exit__(None, None, None)


def visible(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, apart from what is hidden."""
    files = [path for path in folder.rglob("*") if path.is_file() and WORK_FOLDER not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def hidden(folder: Path) -> list[str]:
    """Names in the hidden folder."""
    return sorted(path.name for path in (folder / WORK_FOLDER).iterdir())


def refused(folder: Path) -> str:
    """The error that a download ends in; no clip and nothing unpacked is there then."""
    before = visible(folder)
    with pytest.raises(DownloadError) as caught:
        download("ravdess", folder)
    assert visible(folder) == before
    assert not [name for name in hidden(folder) if "unpacked" in name]
    return str(caught.value)


def test_a_download_brings_the_clips_and_a_second_one_does_nothing(publish, tmp_path: Path) -> None:
    ranges = publish()
    assert download("ravdess", tmp_path / "new" / "ravdess") is True
    assert visible(tmp_path / "new" / "ravdess") == CLIPS
    assert hidden(tmp_path / "new" / "ravdess") == [f"{NAME}.json"]
    assert len(corpora.ravdess.read(tmp_path / "new" / "ravdess").utterances) == 2
    assert download("ravdess", tmp_path / "new" / "ravdess") is False
    assert ranges == [None]


def test_progress_tells_the_stages(publish, tmp_path: Path) -> None:
    publish()
    told: list[tuple[int, int, str]] = []
    download("ravdess", tmp_path, lambda *step: told.append(step))
    assert list(dict.fromkeys(text for _, _, text in told)) == [f"{stage} {NAME}" for stage in STAGES]
    assert all(0 < done <= total for done, total, _ in told)


def test_a_break_in_mid_transfer_is_got_over(publish, tmp_path: Path) -> None:
    ranges = publish(honest(most_bytes=20_000), rangeless(most_bytes=30_000), status(503), honest())
    download("ravdess", tmp_path)
    assert visible(tmp_path) == CLIPS
    assert ranges == [None, "bytes=20000-", "bytes=30000-", "bytes=30000-"]


def test_a_later_call_goes_on_where_an_earlier_one_gave_up(publish, tmp_path: Path) -> None:
    publish(honest(most_bytes=20_000), status(503))
    assert "broke off at 20000 of" in refused(tmp_path)
    assert hidden(tmp_path) == [f"{NAME}.part"]
    ranges = publish()
    assert download("ravdess", tmp_path) is True
    assert (visible(tmp_path), ranges) == (CLIPS, ["bytes=20000-"])


def test_an_interrupted_call_is_gone_on_from(publish, tmp_path: Path) -> None:
    publish(honest(most_bytes=20_000), honest())

    def interrupted(done: int, total: int, text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download("ravdess", tmp_path, interrupted)
    assert visible(tmp_path) == {}
    download("ravdess", tmp_path)
    assert visible(tmp_path) == CLIPS


@pytest.mark.parametrize("stage", STAGES)
def test_a_call_killed_at_any_stage_is_gone_on_from(publish, tmp_path: Path, stage: str) -> None:
    publish()

    def killed(done: int, total: int, text: str) -> None:
        if text.startswith(stage):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download("ravdess", tmp_path, killed)
    assert visible(tmp_path) == {}
    (tmp_path / WORK_FOLDER / f"{NAME}.unpacked").mkdir()  # as a kill without any clearing up leaves it
    assert download("ravdess", tmp_path) is True
    assert visible(tmp_path) == CLIPS
    assert hidden(tmp_path) == [f"{NAME}.json"]


def test_another_content_is_thrown_away(publish, tmp_path: Path) -> None:
    wrong = bytes(reversed(ZIPPED))
    publish(sends(wrong), honest())
    told = refused(tmp_path)
    assert f"its MD5 is {hashlib.md5(wrong).hexdigest()}, published {hashlib.md5(ZIPPED).hexdigest()}" in told
    assert hidden(tmp_path) == []
    assert download("ravdess", tmp_path) is True


@pytest.mark.parametrize("claimed", [1000, len(ZIPPED) + 1000])
def test_a_lie_about_the_length_does_no_harm(publish, tmp_path: Path, claimed: int) -> None:
    publish(sends(ZIPPED, claimed=claimed), honest())
    download("ravdess", tmp_path)
    assert visible(tmp_path) == CLIPS


@pytest.mark.parametrize(("code", "told"), [(404, "HTTP 404"), (416, "HTTP 416"), (503, "HTTP 503")])
def test_a_refusal_is_an_error(publish, tmp_path: Path, code: int, told: str) -> None:
    publish(status(code))
    assert told in refused(tmp_path)


@pytest.mark.parametrize("name", ["../evil.wav", "/tmp/evil.wav", "..\\evil.wav"])
def test_a_hostile_archive_leaves_nothing(publish, tmp_path: Path, name: str) -> None:
    publish(content=zipped({**CLIPS, name: b"evil"}))
    assert "not unpacked" in refused(tmp_path / "ravdess")
    assert [path.name for path in tmp_path.iterdir()] == ["ravdess"]


def test_bounds_of_the_archive_are_held(publish, tmp_path: Path) -> None:
    publish(most_members=1)
    assert "2 members, more than 1" in refused(tmp_path)
    publish(most_unpacked_bytes=1000)
    assert "more than 1000; not unpacked" in refused(tmp_path)


def test_an_archive_with_a_file_and_a_folder_of_one_name_leaves_nothing(publish, tmp_path: Path) -> None:
    publish(content=zipped({"a": b"1", "a/b.wav": b"2"}))
    assert "cannot be written" in refused(tmp_path)


def test_a_lost_clip_is_brought_again(publish, tmp_path: Path) -> None:
    publish()
    download("ravdess", tmp_path)
    shutil.rmtree(tmp_path / "Actor_02")
    assert download("ravdess", tmp_path) is True
    assert visible(tmp_path) == CLIPS


def test_a_clip_that_was_cut_is_not_called_whole(publish, tmp_path: Path) -> None:
    publish()
    download("ravdess", tmp_path)
    cut = tmp_path / next(iter(CLIPS))
    cut.write_bytes(cut.read_bytes()[:-1])
    assert f"{cut}: is not the published file; move it away" in refused(tmp_path)
    cut.unlink()
    assert download("ravdess", tmp_path) is True
    assert visible(tmp_path) == CLIPS


def test_another_edition_of_the_archive_is_brought(publish, tmp_path: Path) -> None:
    publish()
    download("ravdess", tmp_path)
    more = {**CLIPS, "Actor_03/03-01-01-01-01-01-03.wav": b"more"}
    publish(content=zipped(more))
    assert download("ravdess", tmp_path) is True
    assert visible(tmp_path) == more


def test_an_archive_that_was_damaged_meanwhile_is_brought_again(publish, tmp_path: Path) -> None:
    ranges = publish()
    (tmp_path / WORK_FOLDER).mkdir()
    (tmp_path / WORK_FOLDER / NAME).write_bytes(ZIPPED[:-1] + b"x")
    download("ravdess", tmp_path)
    assert (visible(tmp_path), ranges) == (CLIPS, [None])


def test_other_files_in_the_folder_stay(publish, tmp_path: Path) -> None:
    (tmp_path / "Actor_01").mkdir()
    (tmp_path / "Actor_01" / "mine.txt").write_bytes(b"mine")
    publish()
    download("ravdess", tmp_path)
    assert visible(tmp_path) == {**CLIPS, "Actor_01/mine.txt": b"mine"}


def test_another_file_in_the_place_of_a_clip_is_not_overwritten(publish, tmp_path: Path) -> None:
    mine = tmp_path / list(CLIPS)[1]
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    ranges = publish()
    assert f"{mine}: is not the published file; move it away" in refused(tmp_path)
    mine.unlink()
    download("ravdess", tmp_path)
    assert (visible(tmp_path), ranges) == (CLIPS, [None])


@pytest.mark.parametrize("receipt", ["", "[]", "{}", '{"md5": 1, "files": 2}', '{"md5": "MD5", "files": 2}'])
def test_a_damaged_receipt_is_no_receipt(publish, tmp_path: Path, receipt: str) -> None:
    publish()
    (tmp_path / WORK_FOLDER).mkdir()
    text = receipt.replace("MD5", hashlib.md5(ZIPPED).hexdigest())
    (tmp_path / WORK_FOLDER / f"{NAME}.json").write_text(text)
    assert download("ravdess", tmp_path) is True
    assert visible(tmp_path) == CLIPS


def test_no_room_is_told_before_anything_is_fetched(publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ranges = publish()
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=len(ZIPPED) - 1))
    assert "make room" in refused(tmp_path)
    assert ranges == []


def test_a_disk_that_fills_up_is_told(publish, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    publish()
    (tmp_path / WORK_FOLDER).mkdir()
    (tmp_path / WORK_FOLDER / f"{NAME}.part").symlink_to("/dev/full")
    assert f"{tmp_path}: cannot be written: No space left on device" in refused(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_told(publish, tmp_path: Path) -> None:
    publish()
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match=r"file.*cannot be written: Not a directory"):
        download("ravdess", tmp_path / "file")


def test_what_cannot_be_downloaded_is_told(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="'manifest' cannot be downloaded"):
        download("manifest", tmp_path)
    with pytest.raises(OptionError, match="did you mean 'ravdess'"):
        download("ravdes", tmp_path)
