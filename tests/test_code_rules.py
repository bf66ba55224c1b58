"""Rules for every file of the package: declared dependencies, no unsafe calls, output only in the CLI, short files."""

import ast
import sys
import tomllib
from collections import defaultdict

import pytest
from test_layers import MODULES, PROJECT, imports

TORCH = {"torch", "onnx", "onnxscript", "safetensors"}  # of the [train] extra
MAY_IMPORT_TORCH = ("features", "models", "training")
MAY_PRINT = ("cli", "__main__")
UNSAFE_IMPORTS = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__", "torch.load", "torch.save"}
PRINTING_CALLS = {"print", "sys.exit", "exit", "quit", "os._exit"}
MEANINGLESS_NAMES = {"utils", "util", "core", "helpers", "common", "misc"}
# Modules of one name in packages of different kinds: a command and what it runs, HTTP and what it serves, ...
SHARED_NAMES = {
    *("__init__", "batch", "checkpoint", "errors", "experiment", "progress", "protocols", "recognise", "reproduce"),
    *("streaming", "timeline", "train", "branches", "inputs", "finetune"),
}
MAX_LINES = 300
EXTRAS = ("train", "parquet", "audformat", "listen", "ray", "serve")
OPTIONAL = {"av"}  # its wheels contain GPL libraries, so no extra installs it: docs/audio-formats.md
IMPORT_NAMES = {
    "scikit-learn": "sklearn",
    "prometheus-client": "prometheus_client",
    "python-multipart": "python_multipart",
    "pyyaml": "yaml",
}


def faults(module: str, source: str) -> list[str]:
    """The faults of one module of the package."""
    tree, package, name = ast.parse(source), module.split(".")[1], module.split(".")[-1]
    found = [
        f"imports {root}" for root in {full.split(".")[0] for full in imports(source)} if not _allowed(package, root)
    ]
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        called = ast.unparse(call.func)
        pickles = any(keyword.arg == "allow_pickle" for keyword in call.keywords)
        if called in UNSAFE_CALLS or pickles or (called in PRINTING_CALLS and package not in MAY_PRINT):
            found.append(f"calls {called}()")
    found += ["bare except" for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and node.type is None]
    found += [f"over {MAX_LINES} lines"] if len(source.splitlines()) > MAX_LINES else []
    found += ["meaningless name"] if name in MEANINGLESS_NAMES else []
    return found


def _allowed(package: str, root: str) -> bool:
    if root in TORCH:
        return package in MAY_IMPORT_TORCH
    known = {"overtone", *sys.stdlib_module_names, *declared_packages(), *OPTIONAL}
    return root in known and root not in UNSAFE_IMPORTS


def declared_packages() -> set[str]:
    """Import names of the dependencies of the package and of its extras for users."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"], *(line for name in EXTRAS for line in project["optional-dependencies"][name])]
    names = {line.split(">")[0].split("<")[0].split("=")[0].split("[")[0].strip() for line in lines}
    return {IMPORT_NAMES.get(name, name) for name in names}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_every_module_follows_the_rules(module: str) -> None:
    assert not faults(module, MODULES[module].read_text("utf-8"))


def test_module_names_are_unique_but_for_packages_of_different_kinds() -> None:
    packages: defaultdict[str, list[str]] = defaultdict(list)
    for module in MODULES:
        package, _, name = module.rpartition(".")
        packages[name].append(package)
    shared = {name: found for name, found in packages.items() if len(found) > 1 and name not in SHARED_NAMES}
    assert not shared


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("overtone.inference.recogniser", "def f():\n    from torch.nn import Module"),
        ("overtone.audio.decode", "import librosa"),
        ("overtone.training.train", "from pickle import load"),
        ("overtone.training.train", "import torch\ntorch.load('x')"),
        ("overtone.datatypes", "import numpy\nnumpy.load('x', allow_pickle=True)"),
        ("overtone.datatypes", "eval('1')"),
        ("overtone.datatypes", "try:\n    pass\nexcept ValueError:\n    pass\ntry:\n    pass\nexcept:\n    pass"),
        ("overtone.datatypes", "print('x')"),
        ("overtone.audio.utils", ""),
        ("overtone.datatypes", "\n" * (MAX_LINES + 1)),
    ],
)
def test_each_kind_of_fault_is_found(module: str, source: str) -> None:
    assert len(faults(module, source)) == 1
