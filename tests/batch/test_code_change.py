"""The fingerprint of a batch covers all code that it runs: changed code refuses to resume a batch.

The tests change a copy of the package, and run it in processes of their own.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model

import overtone
from overtone._internal import fingerprint as fingerprint_module
from overtone.batch.recogniser_config import CODE, RecogniserConfig, fingerprints

PACKAGE = Path(overtone.__file__).parent
RATE_HZ = 16_000
RUN = "import sys; from overtone.cli.main import main; sys.exit(main(sys.argv[1:]))"
RUN_INTERRUPTED = f"""
from overtone.batch.checkpoint import BatchCheckpoint
def interrupt(*_):
    raise KeyboardInterrupt
BatchCheckpoint.finish = interrupt
{RUN}
"""
# Runs a task in this process rather than in a worker, and prints the modules that were needed.
LIST_MODULES = """
import sys
from overtone.batch.inputs import collect_inputs
from overtone.batch.recogniser_config import RecogniserConfig, fingerprints, make_task_function
from overtone.batch.run import run
audio, model, output = sys.argv[1:]
config = RecogniserConfig(model)
result = make_task_function(config, fingerprints(config)["model"])([audio, None, None, "", ""])
assert "probabilities" in result, result
for format in ("csv", "jsonl"):
    assert run(collect_inputs([audio]), f"{output}-{format}", config, format=format, processes=1)["predictions"] == 1
files = {module.__file__ for name, module in sys.modules.items() if name.split(".")[0] == "overtone"}
print("\\n".join(sorted(files)))
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package, without its data."""
    ignored = shutil.ignore_patterns("__pycache__", "overtone.onnx", "lite.onnx", "web")
    return Path(shutil.copytree(PACKAGE, tmp_path / "copy" / "overtone", ignore=ignored))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A model and an audio file."""
    folder = tmp_path / "work"
    folder.mkdir()
    tiny_model.write(folder / "tiny.onnx")
    soundfile.write(folder / "a.wav", np.random.default_rng(3).normal(0, 0.2, RATE_HZ), RATE_HZ)
    return folder


def run_python(code: str, *arguments: str, package: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs code with a copy of the package."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def code_fingerprint() -> str:
    return fingerprints(RecogniserConfig())["code"]


def test_changed_renamed_and_added_files_change_the_fingerprint(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = code_fingerprint()
    monkeypatch.setattr(fingerprint_module, "PACKAGE", package)
    assert code_fingerprint() == original, "the same code in another place is the same code"
    files = [
        file
        for part in CODE
        for file in ([package / part] if part.endswith(".py") else sorted((package / part).rglob("*.py")))
    ]
    assert len(files) > 30
    for file in files:
        content = file.read_bytes()
        file.write_bytes(content + b"# changed\n")
        assert code_fingerprint() != original, file
        file.write_bytes(content)
    assert code_fingerprint() == original
    (package / "batch" / "job.py").rename(package / "batch" / "jobs.py")
    assert code_fingerprint() != original
    (package / "batch" / "jobs.py").rename(package / "batch" / "job.py")
    (package / "inference" / "backends").mkdir()
    (package / "inference" / "backends" / "cpu.py").write_text("")
    assert code_fingerprint() != original


def test_the_fingerprint_covers_all_modules_that_a_batch_loads(work: Path, package: Path) -> None:
    done = run_python(LIST_MODULES, "a.wav", "tiny.onnx", "out", package=package, folder=work)
    assert done.returncode == 0, done.stderr
    loaded = {Path(line).relative_to(package).as_posix() for line in done.stdout.splitlines()}
    assert {"audio/decode.py", "batch/local_engine.py", "formats/jsonl.py", "inference/onnx_model.py"} <= loaded
    covered = {name for name in loaded if any(name == part or name.startswith(f"{part}/") for part in CODE)}
    # The corpus readers are loaded with `corpora.tables`, but a batch does not call them.
    uncovered = {name for name in loaded - covered if not name.startswith("corpora/")}
    assert uncovered == {"__init__.py"}


def test_a_batch_is_not_resumed_with_changed_code(work: Path, package: Path) -> None:
    arguments = ["batch", "a.wav", "--output", "out", "--model", "tiny.onnx", "--processes", "1"]
    done = run_python(RUN_INTERRUPTED, *arguments, package=package, folder=work)
    assert done.returncode == 130, done.stderr
    assert (work / "out" / "parts" / "00000.jsonl").exists()

    file = package / "inference" / "onnx_model.py"
    content = file.read_bytes()
    file.write_bytes(content + b"# changed\n")
    before = {path: path.read_bytes() for path in work.rglob("*") if path.is_file()}
    done = run_python(RUN, *arguments, package=package, folder=work)
    assert done.returncode == 1
    assert done.stderr.startswith("overtone: out: the batch in this folder differs in code; ")
    assert {path: path.read_bytes() for path in work.rglob("*") if path.is_file()} == before

    file.write_bytes(content)
    done = run_python(RUN, *arguments, package=package, folder=work)
    assert (done.returncode, done.stderr) == (0, "")
    assert (work / "out" / "predictions.csv").exists()
