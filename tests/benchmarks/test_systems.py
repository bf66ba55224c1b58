"""Peers run in a process of their own, one thread, no network; one that cannot run is left out with the reason."""

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
from benchmarks.systems import PEERS, Peer, served
from benchmarks.systems.__main__ import prepare, serve
from benchmarks.systems.served import LeftOutError, Served, last_line
from benchmarks.systems.sound import normalised, samples_of

PROJECT = Path(__file__).resolve().parents[2]
CLIP = PROJECT / "examples" / "speech" / "level.flac"


def test_every_row_names_a_module_that_loads() -> None:
    for name, peer in PEERS.items():
        source = (PROJECT / "benchmarks" / "peers" / f"{peer.module}.py").read_text("utf-8")
        assert "def load(variant: str, folder: Path) -> Way:" in source, name
        assert ("\ndef prepare(" in source) == peer.module.startswith("transformer"), name


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(systems.PEERS, "odd", Peer("Odd", "ours", ("overtone", "no-such-package")))
    with pytest.raises(LeftOutError, match=r"not installed: no-such-package$"):
        served.prepare("odd", tmp_path)
    monkeypatch.delenv("NKULULEKO_PYTHON", raising=False)
    with pytest.raises(LeftOutError, match="NKULULEKO_PYTHON names no Python"):
        served.prepare("nkululeko", tmp_path)
    monkeypatch.setenv("NKULULEKO_PYTHON", str(tmp_path / "gone"))
    with pytest.raises(LeftOutError, match=r"^NKULULEKO_PYTHON cannot be run: No such file"):
        served.prepare("nkululeko", tmp_path)


def test_every_list_of_clips_is_timed() -> None:
    taken, answers = [], io.StringIO()
    serve(lambda clips: taken.append(clips) or list(clips), ['["a.wav"]', '["b.wav", "c.wav"]'], answers)
    assert taken == [[Path("a.wav")], [Path("b.wav"), Path("c.wav")]]
    times = [json.loads(line) for line in answers.getvalue().splitlines()]
    assert [set(each) for each in times] == [{"wall_s", "cpu_s"}] * 2
    with pytest.raises(SystemExit, match="1 answers to 2 clips"):
        serve(lambda clips: ["one"], ['["b.wav", "c.wav"]'], answers)


def test_preparing_is_whole_or_not_at_all(tmp_path: Path) -> None:
    made = []

    def failing(variant: str, folder: Path) -> None:
        (folder / "half").touch()
        raise RuntimeError

    def whole(variant: str, folder: Path) -> None:
        (folder / variant).touch()
        made.append(folder)

    with pytest.raises(RuntimeError):
        prepare(SimpleNamespace(prepare=failing), "x", tmp_path / "made")
    assert not (tmp_path / "made").exists()
    for _ in range(2):
        prepare(SimpleNamespace(prepare=whole), "x", tmp_path / "made")
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["x"]
    assert len(made) == 1, "what is there is not made again"


def test_a_peer_answers_and_says_why_it_fails(tmp_path: Path) -> None:
    served.prepare("overtone-many", tmp_path)
    one = Served("overtone-many", tmp_path)
    try:
        taken = one.take([CLIP, CLIP])
        assert 0 < taken["cpu_s"] < 60
        assert taken["wall_s"] > 0
        with pytest.raises(LeftOutError, match=r"^failed: .*gone\.wav"):
            one.take([tmp_path / "gone.wav"])
    finally:
        one.close()


def test_peers_run_on_one_thread_without_network() -> None:
    environment = served.surroundings()["env"]
    assert {environment[name] for name in served.ONE_THREAD} == {"1"}
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert environment["PATH"] == os.environ["PATH"]


def test_reasons_tell_no_folders() -> None:
    assert last_line("Traceback\n  x\nOSError: no '/a/b-c/d.wav' here\n\n") == "OSError: no 'd.wav' here"
    assert last_line("") == "no word"
    assert len(last_line("x" * 500)) == 200


def test_sound_is_read_as_peers_expect_it(tmp_path: Path) -> None:
    time_s = np.arange(48_000) / 48_000
    stereo = np.stack([np.sin(2 * np.pi * 440 * time_s), np.zeros(48_000)], axis=1)
    soundfile.write(tmp_path / "x.wav", 0.5 * stereo, 48_000)
    samples = samples_of(tmp_path / "x.wav")
    inside = slice(1_000, -1_000)
    np.testing.assert_allclose(
        samples[inside], 0.25 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)[inside], atol=1e-3
    )
    batch = normalised(samples)
    assert batch.shape == (1, 16_000)
    assert batch.dtype == np.float32
    assert batch.mean() == pytest.approx(0, abs=1e-6)
    assert batch.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.skipif(not importlib.util.find_spec("opensmile"), reason="opensmile comes with the [bench] extra")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_machine_on_egemaps_answers(tmp_path: Path) -> None:
    from benchmarks.systems import egemaps_svm

    (shares,) = egemaps_svm.load("", tmp_path)([CLIP])
    assert shares.shape == (egemaps_svm.EMOTIONS,)
    assert shares.sum() == pytest.approx(1)
    assert egemaps_svm.fitted()[-1].n_support_.sum() > 0.9 * egemaps_svm.ROWS


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("transformers"), reason="transformers comes with the [bench] extra")
@pytest.mark.filterwarnings("ignore")  # of the exporter
@pytest.mark.parametrize("variant", ["wav2vec2-base", "wavlm-base-plus"])
def test_both_runtimes_answer_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variant: str) -> None:
    from benchmarks.systems import transformer_onnx, transformer_torch

    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    small |= {"conv_dim": (16,) * 7, "num_conv_pos_embedding_groups": 4}
    name, _ = transformer_torch.CONFIGS[variant]
    monkeypatch.setitem(transformer_torch.CONFIGS, variant, (name, small))
    answers = []
    for module in (transformer_torch, transformer_onnx):
        folder = tmp_path / module.__name__
        folder.mkdir()
        module.prepare(variant, folder)
        (shares,) = module.load(variant, folder)([CLIP])
        assert np.asarray(shares).shape == (transformer_torch.EMOTIONS,)
        answers.append(np.asarray(shares))
    np.testing.assert_allclose(*answers, atol=1e-5)
    assert answers[0].sum() == pytest.approx(1, abs=1e-5)
