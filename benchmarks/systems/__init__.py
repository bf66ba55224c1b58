"""The systems that the speed benchmark compares: one module each, and one row of `SYSTEMS` each.

To add a system, write a module with

    load(variant, folder) -> process     returns a function that processes a list of audio files, one result per file
    prepare(variant, folder)             optional: writes required files, such as an exported model, to an empty folder

and add its row to `SYSTEMS`. Memory and cold start are measured in a separate process, so a module imports at its top
only what it needs to run, and imports inside `prepare` what only preparation needs. `python -m benchmarks.systems` runs
one system.
"""

import importlib.metadata
import os
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ProcessClips = Callable[[Sequence[Path]], Collection[Any]]

ARCHITECTURES = {"wav2vec2-base": "wav2vec2-base", "wav2vec2-large": "wav2vec2-large", "wavlm-base-plus": "WavLM-base+"}
AUDIO_PACKAGES = ("soundfile", "soxr")
EXPORT_PACKAGES = ("torch", "transformers", "onnx", "onnxscript")


class System(NamedTuple):
    """A system that the benchmark measures.

    Attributes:
        title: its name in tables.
        module: name of its module in this package.
        packages: packages that it needs to run; its size is that of these packages and their dependencies.
        variant: the variant to load, for a module with several.
        prepare_packages: packages that only `prepare` needs.
        suffix: suffix of the files that it processes.
        takes_list: whether it processes all clips in one call, instead of one clip per call.
        output: "prediction", or "features" for a system without a classifier.
        interpreter_variable: environment variable with the path of a separate Python interpreter; "" for the
            interpreter that runs the benchmark.
    """

    title: str
    module: str
    packages: tuple[str, ...]
    variant: str = ""
    prepare_packages: tuple[str, ...] = ()
    suffix: str = ".wav"
    takes_list: bool = False
    output: str = "prediction"
    interpreter_variable: str = ""

    @property
    def python(self) -> str:
        """The path of its Python interpreter; "" if the environment variable is not set."""
        return os.environ.get(self.interpreter_variable, "") if self.interpreter_variable else sys.executable

    @property
    def unavailable_reason(self) -> str:
        """The reason why it cannot run here; "" if it can."""
        if not self.python:
            return f"not installed: {self.interpreter_variable} is not set to a Python interpreter with it"
        if self.interpreter_variable:
            return ""
        missing = [name for name in (*self.packages, *self.prepare_packages) if not is_installed(name)]
        return f"not installed: {', '.join(missing)}" if missing else ""


SYSTEMS: dict[str, System] = {
    "overtone": System("Overtone, clip by clip", "overtone_recogniser", ("overtone",)),
    "overtone-list": System("Overtone, a list of clips", "overtone_recogniser", ("overtone",), "list", takes_list=True),
    "overtone-flac": System("Overtone, clip by clip, FLAC", "overtone_recogniser", ("overtone",), suffix=".flac"),
    "lite": System("Overtone, model lite", "overtone_recogniser", ("overtone",), "lite"),
    "librosa": System("The paper's features, librosa", "librosa_features", ("librosa",), output="features"),
    "egemaps-svm": System("openSMILE eGeMAPS + SVM", "egemaps_svm", ("opensmile", "scikit-learn", *AUDIO_PACKAGES)),
    "nkululeko": System(
        "nkululeko, eGeMAPS",
        "nkululeko_features",
        ("nkululeko",),
        output="features",
        interpreter_variable="NKULULEKO_PYTHON",
    ),
    **{
        f"{name}-torch": System(
            f"{title}, torch", "transformer_torch", ("torch", "transformers", *AUDIO_PACKAGES), name
        )
        for name, title in ARCHITECTURES.items()
    },
    **{
        f"{name}-onnx": System(
            f"{title}, onnxruntime",
            "transformer_onnx",
            ("onnxruntime", *AUDIO_PACKAGES),
            name,
            prepare_packages=EXPORT_PACKAGES,
        )
        for name, title in ARCHITECTURES.items()
    },
}


def is_installed(package: str) -> bool:
    """Return whether a package is installed for this interpreter."""
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
