"""The checksum of a model file: a SHA-256 of all bytes before it, so that no damaged model is ever used.

An ONNX file is a protobuf message, and one more metadata entry may follow at the very end. The checksum is that entry,
under `CHECKSUM_KEY`: every reader of ONNX sees it as metadata, and since its length is fixed, the bytes that it covers
are all the others: the graph, its weights and the card.

Source: the encoding of protobuf messages; `metadata_props` is field 14 of onnx.ModelProto, its key 1, its value 2.
"""

import hashlib

from overtone.errors import ModelError

CHECKSUM_KEY = "overtone_sha256"

METADATA_FIELD, KEY_FIELD, VALUE_FIELD = 14, 1, 2
LENGTH_DELIMITED = 2


def append_checksum(content: bytes) -> bytes:
    """An ONNX file with its checksum at the end.

    Args:
        content: the file with its card, without a checksum.
    """
    return content + _checksum_entry(content)


def check_intact(content: bytes, source: str) -> None:
    """Check the checksum at the end of a file; a file without one passes (see `require_checksum`).

    Args:
        content: the whole file.
        source: its name, for messages.

    Raises:
        ModelError: the checksum is not that of the bytes before it.
    """
    body, entry = content[:-ENTRY_BYTES], content[-ENTRY_BYTES:]
    if entry.startswith(ENTRY_HEAD) and entry != _checksum_entry(body):
        raise ModelError(f"{source}: damaged: its SHA-256 differs from the one it was exported with; copy it again")


def require_checksum(content: bytes, source: str) -> None:
    """Check that a file has a checksum at its end.

    Raises:
        ModelError: it has none: truncated, changed by another program, or exported by an early version.
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
