"""The layers of docs/map.md: a package imports only from lower layers, and there is no import cycle."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
PACKAGE = PROJECT / "overtone"
# From the ground up; packages in one row do not import each other.
LAYERS = (
    ("errors",),
    ("emotions", "channels", "equality", "agreement"),
    ("datatypes", "recipe", "arousal_valence", "each_channel"),
    ("_internal", "shares"),
    ("speaker_summary",),
    ("timeline", "explanation", "annotations", "timeline_corrections"),
    ("audio", "features", "corpora", "formats", "speaker_turns", "client"),
    ("models", "evaluation"),
    ("inference",),
    ("training", "batch", "service"),
    ("__init__",),
    ("cli",),
    ("__main__",),
)
LAYER = {name: height for height, row in enumerate(LAYERS) for name in row}
MODULES = {".".join(path.relative_to(PROJECT).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}


def imports(source: str) -> Iterator[str]:
    """Full name of every imported module or attribute, inside functions too; relative ones start with a dot."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)


def violations(module: str, source: str) -> list[str]:
    """The imports of a module that are relative, or not from a lower layer."""
    package = module.split(".")[1]
    return [name for name in imports(source) if name.startswith(".") or not _is_lower(package, name)]


def _is_lower(package: str, name: str) -> bool:
    root, *rest = (*name.split("."), "__init__")
    if root != "overtone" or rest[0] == "__version__":
        return True
    target = rest[0] if rest[0] in LAYER else "__init__"
    return target == package or LAYER[target] < LAYER[package]


def test_every_module_keeps_to_its_layer() -> None:
    assert {module.split(".")[1] for module in MODULES} == LAYER.keys()
    found = {module: violations(module, path.read_text("utf-8")) for module, path in MODULES.items()}
    assert not {module: names for module, names in found.items() if names}


def test_there_is_no_import_cycle() -> None:
    graph = {module: {*_imported(module, path.read_text("utf-8"))} for module, path in MODULES.items()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)  # raises CycleError


def _imported(module: str, source: str) -> Iterator[str]:
    for name in imports(source):
        candidates = (name, name.rpartition(".")[0], f"{name}.__init__")
        yield from (target for target in candidates if target in MODULES and target != module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("overtone.audio.decode", "from overtone.features.mel import LogMel"),
        ("overtone.audio.decode", "def f():\n    from overtone import formats"),
        ("overtone.evaluation.metrics", "import overtone.models"),
        ("overtone.training.train", "import overtone"),
        ("overtone.service.worker", "from overtone.cli import main"),
        ("overtone.audio.decode", "from .windows import split_windows"),
    ],
)
def test_violations_are_found(module: str, source: str) -> None:
    assert len(violations(module, source)) == 1
