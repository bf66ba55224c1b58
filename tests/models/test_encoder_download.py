"""An encoder is downloaded completely and verified; after an error no incomplete folder counts as an encoder."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from small_encoder import write_encoder
from unreliable_server import Behaviour, reliable, send_body, serving, status, without_ranges

from overtone.corpora.download import fetch
from overtone.errors import DownloadError, OptionError
from overtone.models import encoder_download
from overtone.models.encoder_download import download_encoder
from overtone.models.encoder_files import ENCODERS, PublishedEncoder, find_encoder, is_encoder, weights_digest
from overtone.models.whisper_encoder import load_encoder, read_config

NAME = "whisper-tiny.en"
Publish = Callable[..., list[str | None]]


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publish]:
    """A function that publishes a small encoder on a server with these behaviours; returns the requested ranges."""
    monkeypatch.setattr(fetch.time, "sleep", lambda pause_s: None)
    source = write_encoder(tmp_path / "source")
    weights = source / "model.safetensors"
    with ExitStack() as servers:

        def start(*plan: Behaviour, **changes: int | str) -> list[str | None]:
            server = servers.enter_context(serving(weights.read_bytes(), *plan))
            encoder = PublishedEncoder(
                NAME, "small", read_config(source / "config.json"), server.url, 1_000_000, weights_digest(weights)
            )
            monkeypatch.setitem(ENCODERS, NAME, replace(encoder, **changes))
            return server.ranges

        yield start


def download_error(folder: Path) -> str:
    """Return the error of a download, after checking that it left nothing that counts as an encoder."""
    with pytest.raises(DownloadError) as caught:
        download_encoder(NAME, folder)
    assert not is_encoder(folder / NAME)
    return str(caught.value)


def test_a_download_is_found_and_loads(publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ranges = publish()
    steps: list[tuple[float, float]] = []
    assert download_encoder(NAME, tmp_path / "new", lambda done, total, step: steps.append((done, total)))
    monkeypatch.setenv("OVERTONE_ENCODERS", str(tmp_path / "new"))
    folder = find_encoder(NAME)
    assert load_encoder(folder).config == load_encoder(tmp_path / "source").config
    assert (folder / "model.safetensors").read_bytes() == (tmp_path / "source" / "model.safetensors").read_bytes()
    assert steps[-1][0] == steps[-1][1] == (folder / "model.safetensors").stat().st_size
    requests = len(ranges)
    assert download_encoder(NAME, tmp_path / "new") is False
    assert len(ranges) == requests
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]


def test_an_interrupted_download_is_resumed(publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(reliable(), reliable(max_bytes=4000), status(404))
    assert "404" in download_error(tmp_path)
    ranges = publish()
    assert download_encoder(NAME, tmp_path)
    assert ranges[-1] == "bytes=4000-"
    assert is_encoder(tmp_path / NAME)


def test_a_server_without_range_support_suffices(publish: Publish, tmp_path: Path) -> None:
    publish(without_ranges())
    assert download_encoder(NAME, tmp_path)


def test_other_weights_are_refused_and_deleted(publish: Publish, tmp_path: Path) -> None:
    publish(weights_sha256="0" * 64)
    assert "expected weights" in download_error(tmp_path)
    publish(send_body(b"<html>log in</html>", declared=19))
    assert "expected weights" in download_error(tmp_path)
    assert list((tmp_path / NAME).iterdir()) == []


def test_too_many_bytes_are_not_fetched(publish: Publish, tmp_path: Path) -> None:
    ranges = publish(max_bytes=100)
    assert "at most 100" in download_error(tmp_path)
    assert ranges == ["bytes=0-0"]


def test_a_server_that_is_busy_is_asked_again(publish: Publish, tmp_path: Path) -> None:
    publish(status(503), status(429), reliable())
    assert download_encoder(NAME, tmp_path)
    publish(status(503))
    assert "503" in download_error(tmp_path / "other")


def test_other_weights_in_the_place_remain(publish: Publish, tmp_path: Path) -> None:
    ranges = publish()
    folder = write_encoder(tmp_path / NAME, seed=1)
    content = (folder / "model.safetensors").read_bytes()
    with pytest.raises(DownloadError, match=r"model\.safetensors: has other weights"):
        download_encoder(NAME, tmp_path)
    assert (folder / "model.safetensors").read_bytes() == content
    assert ranges == []


def test_a_missing_configuration_is_written_again(publish: Publish, tmp_path: Path) -> None:
    publish()
    download_encoder(NAME, tmp_path)
    (tmp_path / NAME / "config.json").unlink()
    assert download_encoder(NAME, tmp_path)
    assert is_encoder(tmp_path / NAME)


def test_no_disk_space_and_unknown_names_are_errors(
    publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OptionError, match=r"whisper-tiny\.en"):
        download_encoder("whisper-tiny", tmp_path)
    publish()
    (tmp_path / "file").write_text("not a folder")
    assert "cannot be written" in download_error(tmp_path / "file")
    monkeypatch.setattr(encoder_download, "check_disk_space", _full)
    assert "free" in download_error(tmp_path)


def _full(folder: Path, needed_bytes: int) -> None:
    raise DownloadError(f"{folder}: {needed_bytes} bytes are needed; free disk space")


def test_published_encoders_are_complete() -> None:
    for name, encoder in ENCODERS.items():
        assert encoder.name == name
        assert encoder.url.startswith("https://")
        assert len(encoder.weights_sha256) == 64
