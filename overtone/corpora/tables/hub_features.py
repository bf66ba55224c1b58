"""The types that a Hugging Face dataset gives its columns beyond those of Arrow: class labels, audio.

Source: `datasets` 5, `Features.to_dict`, as stored in the metadata of the schema under the key "huggingface" and, by
`save_to_disk`, in `dataset_info.json`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SCHEMA_KEY = b"huggingface"
INFO_NAME = "dataset_info.json"


def read_features(metadata: Mapping[bytes, bytes] | None, folder: str) -> dict[str, Any]:
    """Return column -> its type, from the metadata of the schema of a file, else from the folder of the file.

    Args:
        metadata: as pyarrow returns it.
        folder: path of the folder; "" if it is not known.

    Returns:
        Each type is a mapping whose `_type` is its name, such as "Audio". Empty if the types are not known.
    """
    found = parse_features((metadata or {}).get(SCHEMA_KEY, b""))
    if found or not folder:
        return found
    try:
        return _mappings(json.loads((Path(folder) / INFO_NAME).read_bytes()).get("features"))
    except (OSError, ValueError, AttributeError):
        return {}


def parse_features(metadata: bytes) -> dict[str, Any]:
    """Return column -> its type, from the value of `SCHEMA_KEY`."""
    try:
        return _mappings(json.loads(metadata)["info"]["features"])
    except (ValueError, KeyError, TypeError):
        return {}


def class_names(features: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return column with class labels -> names of the classes, in the order of their numbers."""
    labels = {column: kind.get("names") for column, kind in features.items() if kind.get("_type") == "ClassLabel"}
    return {column: [str(name) for name in names] for column, names in labels.items() if isinstance(names, list)}


def _mappings(features: Any) -> dict[str, Any]:
    items = features.items() if isinstance(features, dict) else ()
    return {column: kind for column, kind in items if isinstance(kind, dict)}
