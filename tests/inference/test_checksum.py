"""The checksum of a model file: its last metadata entry, which covers every byte before it."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest
import tiny_model

from overtone.errors import ModelError
from overtone.inference.bundled_models import model_path
from overtone.inference.checksum import CHECKSUM_KEY, ENTRY_BYTES, append_checksum, check_intact, require_checksum
from overtone.inference.recogniser import load


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return tiny_model.write(tmp_path / "tiny.onnx").read_bytes()


def test_the_checksum_is_onnx_metadata(content: bytes) -> None:
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert list(metadata) == ["overtone_card", CHECKSUM_KEY]
    assert metadata[CHECKSUM_KEY] == hashlib.sha256(content[:-ENTRY_BYTES]).hexdigest()


def test_the_checksum_is_appended_to_the_file(content: bytes) -> None:
    model = onnx.load_from_string(content)
    entry = model.metadata_props.pop()
    assert entry.key == CHECKSUM_KEY
    plain = model.SerializeToString()
    assert content == append_checksum(plain)
    assert content.startswith(plain)
    check_intact(content, "tiny")
    require_checksum(content, "tiny")


def test_every_flipped_byte_is_detected(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "flipped.onnx"
    for position in range(len(content)):
        flipped = bytearray(content)
        flipped[position] ^= 0x10
        if position < len(content) - ENTRY_BYTES:
            with pytest.raises(ModelError, match=r"^model: damaged: .*; copy it again$"):
                check_intact(bytes(flipped), "model")
        elif position % 5 == 0:
            path.write_bytes(flipped)
            with pytest.raises(ModelError, match=r"flipped\.onnx: "):
                load(path)


def test_inserted_and_removed_bytes_are_detected(content: bytes) -> None:
    for changed in (content[1:], content[:9] + content[10:], b"\0" + content, content[:9] + b"\0" + content[9:]):
        with pytest.raises(ModelError, match="damaged"):
            check_intact(changed, "model")
    for changed in (content + b"\0", content[:-1], content[:-ENTRY_BYTES], b""):
        with pytest.raises(ModelError, match=r"^model: it does not end with its SHA-256"):
            require_checksum(changed, "model")


def test_a_model_without_a_checksum_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "older.onnx"
    path.write_bytes(content[:-ENTRY_BYTES])
    with pytest.raises(ModelError, match=r"older\.onnx: it does not end with its SHA-256 .*; export it again"):
        load(path)


def test_a_checksum_moved_by_another_program_is_refused(content: bytes, tmp_path: Path) -> None:
    model = onnx.load_from_string(content)
    entry = model.metadata_props.add()
    entry.key, entry.value = "note", "mine"
    onnx.save(model, tmp_path / "noted.onnx")
    with pytest.raises(ModelError, match="export it again"):
        load(tmp_path / "noted.onnx")


def test_damaged_weights_are_refused(content: bytes, tmp_path: Path) -> None:
    """The file is still a valid graph: only the checksum reveals the damage."""
    path = tmp_path / "damaged.onnx"
    weights = tiny_model.weights("probabilities").tobytes()
    assert content.count(weights) == 1
    path.write_bytes(content.replace(weights, np.flip(tiny_model.weights("probabilities")).tobytes()))
    onnx.checker.check_model(onnx.load(path), full_check=True)
    with pytest.raises(ModelError, match=r"damaged\.onnx: damaged: its SHA-256"):
        load(path)


def test_a_damaged_copy_of_the_bundled_model_is_refused(tmp_path: Path) -> None:
    content = bytearray(model_path().read_bytes())
    middle = slice(len(content) // 2, len(content) // 2 + 20_000)
    content[middle] = bytes(byte ^ 0xFF for byte in content[middle])
    (tmp_path / "damaged.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"damaged\.onnx: damaged"):
        load(tmp_path / "damaged.onnx")
