"""Datasets in the files of Hugging Face `datasets`, written with pyarrow alone."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

NAMES = ("anger", "sadness")
# Source: the metadata that `datasets` 5.2 writes.
FEATURES = {
    "audio": {"_type": "Audio"},
    "label": {"names": list(NAMES), "_type": "ClassLabel"},
    "speaker": {"dtype": "string", "_type": "Value"},
}


def wav(seed: int, duration_s: float = 0.5) -> bytes:
    """A WAV file of noise, another one for each seed."""
    stream = io.BytesIO()
    soundfile.write(stream, np.random.default_rng(seed).normal(0, 0.1, int(16_000 * duration_s)), 16_000, format="WAV")
    return stream.getvalue()


def rows(seeds: Sequence[int]) -> list[dict[str, Any]]:
    """A row per seed, of two classes and speakers in turn."""
    return [
        {"audio": {"bytes": wav(seed), "path": f"{seed}.wav"}, "label": seed % 2, "speaker": f"s{seed % 2}"}
        for seed in seeds
    ]


def table(content: Sequence[dict[str, Any]], features: dict[str, Any] | None = None) -> Any:
    """The rows as a pyarrow table with the metadata of `datasets`; without any where there are no features."""
    import pyarrow as pa

    features = FEATURES if features is None else features
    found = pa.Table.from_pylist(list(content))
    return found.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def write_parquet(path: Path, content: Sequence[dict[str, Any]], features: dict[str, Any] | None = None) -> Path:
    """Write rows as Parquet; return the path."""
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table(content, features), path)
    return path


def write_arrow(path: Path, content: Sequence[dict[str, Any]], *, is_file: bool = False) -> Path:
    """Write rows as an Arrow stream, as `datasets` does, or as an Arrow file; return the path."""
    import pyarrow as pa

    path.parent.mkdir(parents=True, exist_ok=True)
    found = table(content)
    with (pa.ipc.new_file if is_file else pa.ipc.new_stream)(str(path), found.schema) as writer:
        writer.write_table(found, max_chunksize=2)
    return path


def save_to_disk(folder: Path, content: Sequence[dict[str, Any]]) -> Path:
    """Write rows as `Dataset.save_to_disk` does; return the folder."""
    write_arrow(folder / "data-00000-of-00001.arrow", content)
    state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}], "_split": None}
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "dataset_info.json").write_text(json.dumps({"features": FEATURES, "splits": None}))
    return folder
