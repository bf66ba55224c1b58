"""The seal is the end of a model file, and speaks of every byte before it."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest
import tiny_model

from overtone.errors import ModelError
from overtone.inference.checksum import CHECKSUM_KEY, ENTRY_BYTES, append_checksum, check_intact, require_checksum
from overtone.inference.recogniser import BUNDLED, load


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return tiny_model.write(tmp_path / "tiny.onnx").read_bytes()


def test_onnx_reads_the_seal_as_metadata(content: bytes) -> None:
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    found = {entry.key: entry.value for entry in model.metadata_props}
    assert list(found) == ["overtone_card", CHECKSUM_KEY]
    assert found[CHECKSUM_KEY] == hashlib.sha256(content[:-ENTRY_BYTES]).hexdigest()


def test_what_was_sealed_is_the_file_without_the_seal(content: bytes) -> None:
    model = onnx.load_from_string(content)
    seal = model.metadata_props.pop()
    assert seal.key == CHECKSUM_KEY
    plain = model.SerializeToString()
    assert content == append_checksum(plain)
    assert content.startswith(plain)
    check_intact(content, "tiny")
    require_checksum(content, "tiny")


def test_every_flipped_byte_is_seen(content: bytes, tmp_path: Path) -> None:
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


def test_bytes_that_come_or_go_are_seen(content: bytes) -> None:
    for changed in (content[1:], content[:9] + content[10:], b"\0" + content, content[:9] + b"\0" + content[9:]):
        with pytest.raises(ModelError, match="damaged"):
            check_intact(changed, "model")
    for changed in (content + b"\0", content[:-1], content[:-ENTRY_BYTES], b""):
        with pytest.raises(ModelError, match=r"^model: it does not end with its SHA-256"):
            require_checksum(changed, "model")


def test_a_model_without_a_seal_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "older.onnx"
    path.write_bytes(content[:-ENTRY_BYTES])
    with pytest.raises(ModelError, match=r"older\.onnx: it does not end with its SHA-256 .*; export it again"):
        load(path)


def test_a_seal_that_another_program_has_moved_is_refused(content: bytes, tmp_path: Path) -> None:
    model = onnx.load_from_string(content)
    entry = model.metadata_props.add()
    entry.key, entry.value = "note", "mine"
    onnx.save(model, tmp_path / "noted.onnx")
    with pytest.raises(ModelError, match="export it again"):
        load(tmp_path / "noted.onnx")


def test_weights_that_are_damaged_do_not_answer(content: bytes, tmp_path: Path) -> None:
    """Such a file is still a proper graph: nothing but the seal gives it away."""
    path = tmp_path / "damaged.onnx"
    weights = tiny_model.weights("probabilities").tobytes()
    assert content.count(weights) == 1
    path.write_bytes(content.replace(weights, np.flip(tiny_model.weights("probabilities")).tobytes()))
    onnx.checker.check_model(onnx.load(path), full_check=True)
    with pytest.raises(ModelError, match=r"damaged\.onnx: damaged: its SHA-256"):
        load(path)


@pytest.mark.skipif(not BUNDLED.is_file(), reason="no bundled model yet")
def test_the_bundled_model_damaged_in_its_middle(tmp_path: Path) -> None:
    content = bytearray(BUNDLED.read_bytes())
    middle = slice(len(content) // 2, len(content) // 2 + 20_000)
    content[middle] = bytes(byte ^ 0xFF for byte in content[middle])
    (tmp_path / "damaged.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"damaged\.onnx: damaged"):
        load(tmp_path / "damaged.onnx")
