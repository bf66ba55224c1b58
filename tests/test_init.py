import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import overtone

PROJECT = Path(__file__).resolve().parent.parent
HEAVY = {"soundfile", "soxr", "onnxruntime", "torch", "librosa", "scipy", "sklearn", "matplotlib", "onnx", "tqdm"}


def modules_after(program: str) -> set[str]:
    """Top-level modules that a fresh process holds after a program."""
    program += "\nimport sys, json; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_importing_overtone_loads_nothing_heavy() -> None:
    assert not modules_after("import overtone") & HEAVY
    assert not modules_after("import overtone; overtone.Answer, overtone.OvertoneError, overtone.EMOTIONS") & HEAVY
    assert {"soundfile", "soxr"} <= modules_after("import overtone; overtone.read") & HEAVY  # the measure sees them


@pytest.mark.parametrize("command", ["predict", "timeline"])
def test_nothing_is_sent_nor_kept_to_be_sent(tmp_path: Path, command: str) -> None:
    clip = PROJECT / "examples" / "speech" / "level.flac"
    home = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    home.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run([sys.executable, "-m", "overtone", command, str(clip)], env=home, check=True, capture_output=True)
    assert not list(tmp_path.rglob("*"))


def test_every_public_name_is_there() -> None:
    for name in overtone.__all__:
        assert getattr(overtone, name) is not None
        assert name in dir(overtone)


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        overtone.lod  # noqa: B018


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    assert overtone.__version__ == project["version"]
