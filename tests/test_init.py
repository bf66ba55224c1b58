"""The public API: lazy imports, all names, no telemetry."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import overtone
from overtone import errors

PROJECT = Path(__file__).resolve().parent.parent
HEAVY = {"soundfile", "soxr", "onnxruntime", "torch", "librosa", "scipy", "sklearn", "matplotlib", "onnx", "tqdm"}


def modules_after(program: str) -> set[str]:
    """Return the top-level modules that a fresh process has loaded after running `program`."""
    program += "\nimport sys, json; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_importing_overtone_loads_nothing_heavy() -> None:
    assert not modules_after("import overtone") & HEAVY
    assert not modules_after("import overtone; overtone.Prediction, overtone.OvertoneError, overtone.EMOTIONS") & HEAVY
    assert {"soundfile", "soxr"} <= modules_after("import overtone; overtone.read") & HEAVY  # the check can detect them


@pytest.mark.parametrize("command", ["predict", "timeline"])
def test_no_telemetry_is_sent_or_stored(tmp_path: Path, command: str) -> None:
    clip = PROJECT / "examples" / "speech" / "level.flac"
    home = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    home.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run([sys.executable, "-m", "overtone", command, str(clip)], env=home, check=True, capture_output=True)
    assert not list(tmp_path.rglob("*"))


def test_every_public_name_can_be_imported() -> None:
    for name in overtone.__all__:
        assert getattr(overtone, name) is not None
        assert name in dir(overtone)


def test_every_error_class_is_public() -> None:
    classes = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert classes
    assert classes <= set(overtone.__all__)
    assert all(getattr(overtone, name) is getattr(errors, name) for name in classes)


def test_all_lists_what_can_be_imported_lazily() -> None:
    assert overtone.__all__ == [*dict.fromkeys(overtone.__all__)]
    assert {*overtone._MODULES, "__version__"} == set(overtone.__all__)


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        overtone.lod  # noqa: B018


def test_version_equals_the_one_in_pyproject() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    assert overtone.__version__ == project["version"]
