"""What a user would pick instead of Overtone, each a file here and a row of `PEERS`.

To add one, write a module with

    load(variant, folder) -> way     a function that takes a list of sound files and answers each
    prepare(variant, folder)         only where something must be made before: it writes it into that empty folder

and give it a row. Memory and cold start are measured in a process of its own, so a module imports at its top what it
needs to run, and inside `prepare` what only that needs. `python -m benchmarks.systems` runs one.
"""

import importlib.metadata
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

Way = Callable[[Sequence[Path]], Sequence[Any]]

ARCHITECTURES = {"wav2vec2-base": "wav2vec2-base", "wav2vec2-large": "wav2vec2-large", "wavlm-base-plus": "WavLM-base+"}
READING = ("soundfile", "soxr")


class Peer(NamedTuple):
    """A system that is measured.

    Attributes:
        title: its name in tables.
        module: in this folder.
        needs: packages that it runs on; what they weigh with all they require is its size.
        variant: which one of those the module knows.
        made_with: packages that only `prepare` needs.
        form: suffix of the files that it is given.
        together: whether it is given all clips at once, instead of one by one.
        ends_with: "answer", or "features" where no network follows.
        interpreter: environment variable with a Python of its own; "" for the one that runs the benchmark.
    """

    title: str
    module: str
    needs: tuple[str, ...]
    variant: str = ""
    made_with: tuple[str, ...] = ()
    form: str = ".wav"
    together: bool = False
    ends_with: str = "answer"
    interpreter: str = ""

    @property
    def python(self) -> str:
        """The interpreter that runs it; "" where it has none."""
        return os.environ.get(self.interpreter, "") if self.interpreter else sys.executable

    @property
    def lacks(self) -> str:
        """Why it cannot be measured here; "" where it can."""
        if not self.python:
            return f"not installed: {self.interpreter} names no Python that has it"
        if self.interpreter:
            return ""
        missing = [name for name in (*self.needs, *self.made_with) if not is_installed(name)]
        return f"not installed: {', '.join(missing)}" if missing else ""


PEERS: dict[str, Peer] = {
    "overtone": Peer("Overtone, clip by clip", "ours", ("overtone",)),
    "overtone-many": Peer("Overtone, a list of clips", "ours", ("overtone",), "many", together=True),
    "overtone-flac": Peer("Overtone, clip by clip, FLAC", "ours", ("overtone",), form=".flac"),
    "librosa": Peer("The paper's features, librosa", "librosa_features", ("librosa",), ends_with="features"),
    "egemaps-svm": Peer("openSMILE eGeMAPS + SVM", "egemaps_svm", ("opensmile", "scikit-learn", *READING)),
    "nkululeko": Peer(
        "nkululeko, eGeMAPS",
        "nkululeko_features",
        ("nkululeko",),
        ends_with="features",
        interpreter="NKULULEKO_PYTHON",
    ),
    **{
        f"{name}-torch": Peer(f"{title}, torch", "transformer_torch", ("torch", "transformers", *READING), name)
        for name, title in ARCHITECTURES.items()
    },
    **{
        f"{name}-onnx": Peer(
            f"{title}, onnxruntime",
            "transformer_onnx",
            ("onnxruntime", *READING),
            name,
            made_with=("torch", "transformers", "onnx", "onnxscript"),
        )
        for name, title in ARCHITECTURES.items()
    },
}


def is_installed(package: str) -> bool:
    """Whether the Python that runs this has it."""
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
