"""Encoders are found where people keep them, and their weights are identified whatever file contains them."""

from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from small_encoder import write_encoder

from overtone.errors import ModelError, OptionError
from overtone.models.encoder_files import ENCODERS, PREFIX, find_encoder, local_encoders, terms, weights_digest

REAL = Path(__file__).resolve().parents[3] / "shared" / "encoders"
VARIABLES = ("OVERTONE_ENCODERS", "HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME")


@pytest.fixture(autouse=True)
def empty_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No encoder of this machine is found."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def write_snapshot(hub: Path, name: str, revision: str = "abc", **changes: int) -> Path:
    """Write an encoder as the cache of the hub stores it."""
    return write_encoder(hub / f"models--openai--{name}" / "snapshots" / revision, **changes)


def test_an_encoder_is_found_by_path_variable_and_default_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_encoder(tmp_path / "encoders" / "whisper-small.xx")
    assert find_encoder(str(folder)) == folder
    monkeypatch.setenv("OVERTONE_ENCODERS", str(tmp_path / "encoders"))
    assert find_encoder("whisper-small.xx") == folder
    monkeypatch.delenv("OVERTONE_ENCODERS")
    write_encoder(tmp_path / "shared" / "encoders" / "whisper-small.xx")
    assert find_encoder("whisper-small.xx") == Path("../shared/encoders/whisper-small.xx")


@pytest.mark.parametrize(
    ("variable", "value", "hub"),
    [
        ("HF_HUB_CACHE", "cache", "cache"),
        ("HF_HOME", "hf", "hf/hub"),
        ("XDG_CACHE_HOME", "xdg", "xdg/huggingface/hub"),
        ("HOME", "home", "home/.cache/huggingface/hub"),
    ],
)
def test_an_encoder_is_found_in_the_cache_of_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, hub: str
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / value))
    snapshot = write_snapshot(tmp_path / hub, "whisper-small.xx")
    assert find_encoder("whisper-small.xx") == snapshot
    assert local_encoders() == {"whisper-small.xx": snapshot}


def test_the_encoders_folder_precedes_the_cache_and_the_main_revision_precedes_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    older, main = (write_snapshot(tmp_path / "hub", "whisper-small.xx", revision) for revision in ("aaa", "bbb"))
    assert find_encoder("whisper-small.xx") == older
    (older.parents[1] / "refs").mkdir()
    (older.parents[1] / "refs" / "main").write_text("bbb", "utf-8")
    assert find_encoder("whisper-small.xx") == main
    monkeypatch.setenv("OVERTONE_ENCODERS", str(tmp_path / "encoders"))
    own = write_encoder(tmp_path / "encoders" / "whisper-small.xx")
    assert find_encoder("whisper-small.xx") == own
    assert local_encoders() == {"whisper-small.xx": own}


def test_the_cache_is_where_huggingface_hub_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub comes with the [dev] extra")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    snapshot = write_snapshot(tmp_path / "hub", "whisper-small.xx")
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("abc", "utf-8")
    found = hub.try_to_load_from_cache("openai/whisper-small.xx", "model.safetensors", cache_dir=tmp_path / "hub")
    assert found == str(find_encoder("whisper-small.xx") / "model.safetensors")


def test_a_folder_without_weights_is_no_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVERTONE_ENCODERS", str(tmp_path))
    (write_encoder(tmp_path / "whisper-tiny.en") / "model.safetensors").unlink()
    with pytest.raises(OptionError, match=r"overtone encoders download whisper-tiny\.en"):
        find_encoder("whisper-tiny.en")
    with pytest.raises(OptionError, match=r"no encoder 'whisper-other'.*OVERTONE_ENCODERS"):
        find_encoder("whisper-other")
    assert local_encoders() == {}


def test_the_digest_identifies_the_weights_in_any_file(tmp_path: Path) -> None:
    path = write_encoder(tmp_path / "small") / "model.safetensors"
    digest = weights_digest(path)
    weights = safetensors.numpy.load_file(path)
    encoder = {name: value.astype(np.float16) for name, value in weights.items() if name.startswith(PREFIX)}
    safetensors.numpy.save_file(encoder, tmp_path / "excerpt.safetensors")
    assert weights_digest(tmp_path / "excerpt.safetensors") == digest
    name = f"{PREFIX}conv1.bias"
    for changed in ({name: 2 * encoder[name]}, {name: encoder[name][None]}, {f"{PREFIX}more": encoder[name]}):
        safetensors.numpy.save_file(encoder | changed, tmp_path / "changed.safetensors")
        assert weights_digest(tmp_path / "changed.safetensors") != digest
    safetensors.numpy.save_file({"decoder": np.ones(2, np.float32)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match=r"other\.safetensors: contains no encoder"):
        weights_digest(tmp_path / "other.safetensors")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        weights_digest(path)


@pytest.mark.parametrize("name", ENCODERS)
def test_the_real_encoder_has_the_expected_weights(name: str) -> None:
    path = REAL / name / "model.safetensors"
    if not path.is_file():
        pytest.skip(f"the encoder {name} is not in {REAL}")
    assert weights_digest(path) == ENCODERS[name].weights_sha256


def test_licences_are_known_for_published_encoders_alone() -> None:
    assert all(terms(name)[0] == "MIT" and terms(name)[1] for name in (*ENCODERS, "whisper-large-v3"))
    assert terms("whisper-own")[0] != "MIT"
