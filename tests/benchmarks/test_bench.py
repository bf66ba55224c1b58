"""The speed benchmark measures processes, sizes and files correctly, and writes its results atomically."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import small_corpus
import soundfile

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

pytest.importorskip("librosa", reason="librosa comes with the [dev] extra")

from benchmarks import bench, harness, installed, process  # noqa: E402
from benchmarks.systems import librosa_features  # noqa: E402


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    """Five files of a 220 Hz tone with harmonics, 0.6 s at 48 kHz."""
    time_s = np.arange(28_800) / 48_000
    tone = sum(np.sin(2 * np.pi * 220 * harmonic * time_s) / harmonic for harmonic in range(1, 6))
    paths = [tmp_path / f"{number}.flac" for number in range(5)]
    for path in paths:
        soundfile.write(path, 0.2 * tone, 48_000)
    return paths


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # audioread imports what Python 3.13 has dropped
def test_librosa_detects_the_tone(clips: list[Path]) -> None:
    features, seconds = librosa_features.extract(clips[0])
    assert np.median(features["pitch"]) == pytest.approx(220, rel=0.02)
    assert features["mel"].shape[0] == 128
    assert features["loudness"].shape == features["pitch"].shape
    assert features["tempo"] > 0
    assert list(seconds) == ["load", "mel", "pitch", "loudness", "tempo"]
    assert all(value > 0 for value in seconds.values())


@pytest.mark.parametrize("file_format", ["WAV", "FLAC"])
def test_copies_contain_the_same_samples(clips: list[Path], tmp_path: Path, file_format: str) -> None:
    (tmp_path / "copies").mkdir()
    copy = bench.convert_clip(clips[0], tmp_path / "copies", f".{file_format.lower()}")
    assert soundfile.info(copy).format == file_format
    np.testing.assert_array_equal(soundfile.read(copy)[0], soundfile.read(clips[0])[0])
    assert soundfile.info(copy).samplerate == 48_000


def test_clips_are_selected_evenly() -> None:
    paths = [Path(f"{number}.flac") for number in range(10)]
    assert [path.stem for path in harness.select_evenly(paths, 5)] == ["0", "2", "4", "6", "8"]
    assert harness.select_evenly(paths, 50) == paths
    assert harness.select_evenly([], 5) == []


@pytest.mark.parametrize("suffix", [".flac", ".wav"])
def test_both_formats_are_measured_for_any_format_of_the_corpus(
    clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    folder = small_corpus.write(tmp_path / "ravdess", small_corpus.FEW_EMOTIONS, with_audio=False)
    for path in folder.rglob("*.flac"):
        path.unlink()
        soundfile.write(path.with_suffix(suffix), soundfile.read(clips[0])[0], 48_000)
    calls = []
    monkeypatch.setattr(
        bench.interleaving, "measure_systems", lambda names, clips, prepared: calls.append((names, clips)) or {}
    )
    for name in ("describe_machine", "measure_import"):
        monkeypatch.setattr(bench, name, dict)
    bound = []
    monkeypatch.setattr(bench, "bind_to_cores", bound.append)
    monkeypatch.setattr(bench, "measure_lower_bound", lambda clips: {"clips": len(clips)})
    monkeypatch.setattr(bench, "measure_predict", lambda clip: {"clip": clip.suffix})
    monkeypatch.setattr(bench.installed, "sizes_mb", lambda name: {name: 1.0})
    out = tmp_path / "bench.json"
    command = ["--data", str(folder), "--output", str(out), "--clips", "5", "--systems", "librosa"]
    assert bench.main(command) == 0
    ((names, converted),) = calls
    assert names == ["overtone", "librosa"], "Overtone is always included"
    assert bound == [1]
    for suffix, paths in converted.files.items():
        assert [path.suffix for path in paths] == [suffix] * (5 + bench.WARM_UP_CLIPS)
    assert [path.stem for path in converted.files[".wav"]] == [path.stem for path in converted.files[".flac"]]
    results = json.loads(out.read_text())
    assert results["clips"] == {"count": 5, "median_s": 0.6}
    assert results["process"] == {"clip": ".wav"}
    assert results["lower_bound"] == {"clips": 5}


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot bind processes to cores")
def test_child_processes_are_bound_too() -> None:
    child = "import os; print(len(os.sched_getaffinity(0)))"
    run = f"subprocess.run([sys.executable, '-c', {child!r}])"
    code = f"import subprocess, sys; from benchmarks import harness; harness.bind_to_cores(1); {run}"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_peak_memory_excludes_the_parent() -> None:
    ballast = np.ones(60_000_000, dtype=np.uint8)  # a large parent must not count
    small = process.measure([sys.executable, "-c", "pass"])
    large = process.measure([sys.executable, "-c", "x = b'1' * 50_000_000"])
    assert ballast.sum() == 60_000_000
    assert 3 < small["peak_mb"] < 40
    assert large["peak_mb"] - small["peak_mb"] == pytest.approx(50, abs=8)


def test_process_reports_time_and_status() -> None:
    code = "import sys, time; time.sleep(0.2); sys.exit(3)"
    measured = process.measure([sys.executable, "-c", code])
    assert measured["status"] == 3
    assert 0.2 <= measured["wall_s"] < 5
    assert 0 < measured["cpu_s"] < measured["wall_s"] - 0.15, "sleeping takes no CPU time"


def test_a_failing_command_is_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.process, "measure", lambda command: {"wall_s": 0.1, "peak_mb": 9.0, "status": 1})
    with pytest.raises(SystemExit, match="failed"):
        bench.measure_predict(tmp_path / "x.wav")


def test_dependencies_of_dependencies_are_included() -> None:
    sizes = installed.sizes_mb("librosa")
    assert {"librosa", "numba", "llvmlite", "scipy", "numpy"} <= sizes.keys()
    assert sizes["llvmlite"] > 20
    assert "pytest" not in sizes
    assert "torch" not in installed.sizes_mb("overtone")
    assert "onnxruntime" in installed.sizes_mb("overtone")
    assert {"fastapi", "uvicorn"} <= installed.sizes_mb("overtone[serve]").keys() - installed.sizes_mb(
        "overtone"
    ).keys()
    combined = installed.sizes_mb("overtone", "librosa")
    assert combined.keys() == installed.sizes_mb("overtone").keys() | sizes.keys(), "shared dependencies count once"


def test_machine_is_described_without_names_or_paths() -> None:
    text = json.dumps(harness.describe_machine())
    assert "python" in text
    assert harness.platform.node() not in re.findall(r"[\w.-]+", text)
    for folder in (PROJECT, Path.home(), sys.prefix):
        assert str(folder) not in text


def test_results_are_written_atomically(tmp_path: Path) -> None:
    path = tmp_path / "results" / "bench.json"
    harness.write_results(path, {"a": {"b": 1.23456789, "n": 3}, "name": "x"})
    assert json.loads(path.read_text()) == {"a": {"b": 1.235, "n": 3}, "name": "x"}
    with pytest.raises(TypeError):
        harness.write_results(path, {"a": object()})
    assert json.loads(path.read_text())["name"] == "x"
    assert [each.name for each in path.parent.iterdir()] == ["bench.json"]


def test_without_clips_the_error_names_the_environment_variable(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert bench.main(["--data", str(tmp_path), "--output", str(tmp_path / "bench.json")]) == 1
    assert "OVERTONE_DATA" in capsys.readouterr().err
    assert not (tmp_path / "bench.json").exists()
