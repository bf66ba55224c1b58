"""Systems run in separate processes with one thread and no network; one that cannot run is skipped with a reason."""

import importlib.util
import io
import json
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from benchmarks import systems
from benchmarks.systems import SYSTEMS, System, system_process
from benchmarks.systems.__main__ import prepare, serve
from benchmarks.systems.audio import normalise, read_mono
from benchmarks.systems.system_process import SystemProcess, SystemUnavailableError, last_line

PROJECT = Path(__file__).resolve().parents[2]
CLIP = PROJECT / "examples" / "speech" / "level.flac"


def test_every_row_names_a_module_that_loads() -> None:
    for name, system in SYSTEMS.items():
        source = (PROJECT / "benchmarks" / "systems" / f"{system.module}.py").read_text("utf-8")
        assert "def load(variant: str, folder: Path) -> ProcessClips:" in source, name
        assert ("\ndef prepare(" in source) == system.module.startswith("transformer"), name


def test_missing_packages_and_interpreters_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(
        systems.SYSTEMS, "other", System("Other", "overtone_recogniser", ("overtone", "no-such-package"))
    )
    with pytest.raises(SystemUnavailableError, match=r"not installed: no-such-package$"):
        system_process.prepare("other", tmp_path)
    monkeypatch.delenv("NKULULEKO_PYTHON", raising=False)
    with pytest.raises(SystemUnavailableError, match="NKULULEKO_PYTHON is not set"):
        system_process.prepare("nkululeko", tmp_path)
    monkeypatch.setenv("NKULULEKO_PYTHON", str(tmp_path / "gone"))
    with pytest.raises(SystemUnavailableError, match=r"^NKULULEKO_PYTHON cannot be run: No such file"):
        system_process.prepare("nkululeko", tmp_path)


def test_every_list_of_clips_is_timed() -> None:
    calls, results = [], io.StringIO()
    serve(lambda clips: calls.append(clips) or list(clips), ['["a.wav"]', '["b.wav", "c.wav"]'], results)
    assert calls == [[Path("a.wav")], [Path("b.wav"), Path("c.wav")]]
    times = [json.loads(line) for line in results.getvalue().splitlines()]
    assert [set(each) for each in times] == [{"wall_s", "cpu_s"}] * 2
    with pytest.raises(SystemExit, match="1 results for 2 clips"):
        serve(lambda clips: ["one"], ['["b.wav", "c.wav"]'], results)


def test_preparation_is_atomic(tmp_path: Path) -> None:
    prepared = []

    def failing(variant: str, folder: Path) -> None:
        (folder / "incomplete").touch()
        raise RuntimeError

    def complete(variant: str, folder: Path) -> None:
        (folder / variant).touch()
        prepared.append(folder)

    with pytest.raises(RuntimeError):
        prepare(SimpleNamespace(prepare=failing), "x", tmp_path / "made")
    assert not (tmp_path / "made").exists()
    for _ in range(2):
        prepare(SimpleNamespace(prepare=complete), "x", tmp_path / "made")
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["x"]
    assert len(prepared) == 1, "existing files are reused"


def test_a_system_returns_times_or_the_reason_of_a_failure(tmp_path: Path) -> None:
    system_process.prepare("overtone-list", tmp_path)
    system = SystemProcess("overtone-list", tmp_path)
    try:
        times = system.run([CLIP, CLIP])
        assert 0 < times["cpu_s"] < 60
        assert times["wall_s"] > 0
        with pytest.raises(SystemUnavailableError, match=r"^failed: .*gone\.wav"):
            system.run([tmp_path / "gone.wav"])
    finally:
        system.close()


def test_systems_run_on_one_thread_without_network() -> None:
    environment = system_process.process_options()["env"]
    assert {environment[name] for name in system_process.THREAD_VARIABLES} == {"1"}
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert environment["PATH"] == os.environ["PATH"]


def test_reasons_contain_no_folders() -> None:
    assert last_line("Traceback\n  x\nOSError: no '/a/b-c/d.wav' here\n\n") == "OSError: no 'd.wav' here"
    assert last_line("") == "no error message"
    assert len(last_line("x" * 500)) == 200


def test_audio_is_mono_at_16_khz_and_normalised(tmp_path: Path) -> None:
    time_s = np.arange(48_000) / 48_000
    stereo = np.stack([np.sin(2 * np.pi * 440 * time_s), np.zeros(48_000)], axis=1)
    soundfile.write(tmp_path / "x.wav", 0.5 * stereo, 48_000)
    samples = read_mono(tmp_path / "x.wav")
    without_edges = slice(1_000, -1_000)
    np.testing.assert_allclose(
        samples[without_edges], 0.25 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)[without_edges], atol=1e-3
    )
    batch = normalise(samples)
    assert batch.shape == (1, 16_000)
    assert batch.dtype == np.float32
    assert batch.mean() == pytest.approx(0, abs=1e-6)
    assert batch.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.skipif(not importlib.util.find_spec("opensmile"), reason="opensmile comes with the [bench] extra")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_svm_on_egemaps_predicts(tmp_path: Path) -> None:
    from benchmarks.systems import egemaps_svm

    (probabilities,) = egemaps_svm.load("", tmp_path)([CLIP])
    assert probabilities.shape == (egemaps_svm.EMOTIONS,)
    assert probabilities.sum() == pytest.approx(1)
    assert egemaps_svm.fit_svm()[-1].n_support_.sum() > 0.9 * egemaps_svm.ROWS


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("transformers"), reason="transformers comes with the [bench] extra")
@pytest.mark.filterwarnings("ignore")  # of the exporter
@pytest.mark.parametrize("variant", ["wav2vec2-base", "wavlm-base-plus"])
def test_both_runtimes_return_equal_probabilities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variant: str
) -> None:
    from benchmarks.systems import transformer_onnx, transformer_torch

    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    small |= {"conv_dim": (16,) * 7, "num_conv_pos_embedding_groups": 4}
    name, _ = transformer_torch.CONFIGS[variant]
    monkeypatch.setitem(transformer_torch.CONFIGS, variant, (name, small))
    results = []
    for module in (transformer_torch, transformer_onnx):
        folder = tmp_path / module.__name__
        folder.mkdir()
        module.prepare(variant, folder)
        (probabilities,) = module.load(variant, folder)([CLIP])
        assert np.asarray(probabilities).shape == (transformer_torch.EMOTIONS,)
        results.append(np.asarray(probabilities))
    np.testing.assert_allclose(*results, atol=1e-5)
    assert results[0].sum() == pytest.approx(1, abs=1e-5)
