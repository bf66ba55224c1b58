"""The column of a table that contains audio files: structures of `bytes` and `path`, as Hugging Face datasets have.

A column of bytes alone is one too if it is called as a column of paths may be, such as `audio`.

Source: Hugging Face datasets, `Audio.cast_storage`.
"""

from collections.abc import Mapping
from typing import Any

from overtone._internal.column_names import MEANING_OF, column_key
from overtone._internal.pyarrow_import import import_pyarrow
from overtone.errors import CorpusError

BYTES, PATH, SAMPLES = "bytes", "path", "array"  # fields of the structure; `array` of decoded audio
AUDIO_NAME = "audio"
AUDIO_TYPE = "Audio"
NO_AUDIO = "has no audio, neither bytes nor the path of a file"


def find_audio(table: str, schema: Any, features: Mapping[str, Any]) -> str:
    """Return the name of the column that contains audio files; "" if there is none.

    Args:
        table: name of the table, for messages.
        schema: pyarrow schema.
        features: column -> its type in a Hugging Face dataset.

    Raises:
        CorpusError: there are several, none of which is called `audio`; or one contains samples instead of files.
    """
    found = [field.name for field in schema if _contains_audio(table, field, features.get(field.name, {}))]
    if len(found) > 1 and AUDIO_NAME not in found:
        raise CorpusError(
            f"{table}: the columns {', '.join(found)} all contain audio; rename the one to use to '{AUDIO_NAME}'"
        )
    return AUDIO_NAME if AUDIO_NAME in found else "".join(found)


def has_bytes(kind: Any) -> bool:
    """Return whether a column of this pyarrow type contains bytes, in a structure or alone."""
    return _is_binary(kind) or BYTES in _fields(kind)


def contents(column: Any) -> tuple[list[str | None], list[bytes | None]]:
    """Return the path of each row of a column of audio, and its bytes; None where there are none."""
    if _is_binary(column.type):
        return [None] * len(column), column.to_pylist()
    rows = [value or {} for value in column.to_pylist()]
    return [row.get(PATH) or None for row in rows], [row.get(BYTES) for row in rows]


def _contains_audio(table: str, field: Any, feature: Mapping[str, Any]) -> bool:
    kind = feature.get("_type")
    is_named = MEANING_OF.get(column_key(field.name)) == PATH
    if SAMPLES in _fields(field.type) and (kind == AUDIO_TYPE or is_named):
        raise CorpusError(
            f"{table}: the column '{field.name}' contains samples, and audio files are expected; write each clip to a "
            f"file, such as WAV, and store its bytes, or list the files in a table"
        )
    if kind not in (None, AUDIO_TYPE):
        return False  # such as an image, which has the same fields
    return BYTES in _fields(field.type) or (_is_binary(field.type) and (is_named or kind == AUDIO_TYPE))


def _fields(kind: Any) -> set[str]:
    return {inner.name for inner in kind} if import_pyarrow().types.is_struct(kind) else set()


def _is_binary(kind: Any) -> bool:
    types = import_pyarrow().types
    return bool(types.is_binary(kind) or types.is_large_binary(kind))
