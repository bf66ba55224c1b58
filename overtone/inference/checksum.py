"""The seal of a model file: a SHA-256 of all that stands before it, so that no damaged model ever answers.

An ONNX file is a protobuf message, and one more entry of its metadata may follow at the very end. The seal is that
entry, under `CHECKSUM_KEY`: every reader of ONNX sees it as metadata, and since its length is fixed, the bytes that it
speaks of are all the others: the graph, its weights and the card.

Source: the encoding of protobuf messages; `metadata_props` is field 14 of onnx.ModelProto, its key 1, its value 2.
"""

import hashlib

from overtone.errors import ModelError

CHECKSUM_KEY = "overtone_sha256"

METADATA_FIELD, KEY_FIELD, VALUE_FIELD = 14, 1, 2
LENGTH_DELIMITED = 2


def append_checksum(content: bytes) -> bytes:
    """An ONNX file with its seal at the end.

    Args:
        content: the file, card and all, without a seal.
    """
    return content + _checksum_entry(content)


def check_intact(content: bytes, source: str) -> None:
    """Nothing, where the file is as it was exported, or has no seal at its end; see `require_checksum`.

    Args:
        content: the whole file.
        source: its name, for messages.

    Raises:
        ModelError: the file has a seal, and other bytes before it than those that were sealed.
    """
    body, seal = content[:-ENTRY_BYTES], content[-ENTRY_BYTES:]
    if seal.startswith(ENTRY_HEAD) and seal != _checksum_entry(body):
        raise ModelError(f"{source}: damaged: its SHA-256 is not the one it was exported with; copy it again")


def require_checksum(content: bytes, source: str) -> None:
    """Nothing, where the file has a seal at its end.

    Raises:
        ModelError: it has none: exported before there were seals, cut, or changed by another program.
    """
    if not content[-ENTRY_BYTES:].startswith(ENTRY_HEAD):
        raise ModelError(f"{source}: it does not end with its SHA-256 ('{CHECKSUM_KEY}'); export it again")


def _field(number: int, content: bytes) -> bytes:
    """One field of a protobuf message; content of less than 128 bytes, whose length takes one byte."""
    return bytes([number << 3 | LENGTH_DELIMITED, len(content)]) + content


def _checksum_entry(body: bytes) -> bytes:
    digest = hashlib.sha256(body).hexdigest().encode()
    return _field(METADATA_FIELD, _field(KEY_FIELD, CHECKSUM_KEY.encode()) + _field(VALUE_FIELD, digest))


ENTRY_BYTES = len(_checksum_entry(b""))
ENTRY_HEAD = _checksum_entry(b"")[: -hashlib.sha256().digest_size * 2]
