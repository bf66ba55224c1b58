"""The exported file answers as torch does, carries its card, and says nothing of the machine it was made on."""

import hashlib
import io
import json
import logging
import re
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime
import pytest
import sounds
import tiny_model
import torch
from tiny_training import made_store, recipe, waveform

from overtone.datatypes import Waveform
from overtone.errors import ModelError
from overtone.inference.checksum import CHECKSUM_KEY, ENTRY_BYTES, check_intact, require_checksum
from overtone.inference.model_card import read_card
from overtone.models import build
from overtone.models.network import Network, Outputs
from overtone.training import onnx_export as export_module
from overtone.training.batches import clean_batches
from overtone.training.onnx_export import TOLERANCE, Agreement, agreement, export_onnx

CHECKED_ON = [waveform(0), Waveform(waveform(1).samples[:8000])]
pytestmark = pytest.mark.slow


class Exported(NamedTuple):
    """A network, its file, the difference that was seen, and what was printed meanwhile."""

    network: Network
    path: Path
    difference: float
    printed: str


@pytest.fixture(scope="module")
def network() -> Network:
    """Of the bundled recipe, as after a training: statistics fitted, weights away from their start."""
    torch.manual_seed(0)
    network = build(recipe("overtone"), 8)
    (features,) = clean_batches(made_store(), range(16))
    network.fit_normalisers({"mel": [features], "prosody": [features]})
    with torch.no_grad():
        for _ in range(10):
            network.train().logits(network.inputs(features))
    return network


@pytest.fixture(scope="module")
def exported(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The one export of this file: it takes half a minute."""
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    printed = io.StringIO()
    log = logging.StreamHandler(printed)
    logging.getLogger().addHandler(log)
    try:
        with redirect_stderr(printed), redirect_stdout(printed):
            difference = export_onnx(network, tiny_model.card(id="made"), CHECKED_ON, path)
    finally:
        logging.getLogger().removeHandler(log)
    return Exported(network, path, difference, printed.getvalue())


@pytest.fixture(scope="module")
def session(exported: Exported) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(exported.path, providers=["CPUExecutionProvider"])


def outputs(session: onnxruntime.InferenceSession, batch: np.ndarray) -> Outputs:
    return Outputs(*session.run(list(Outputs._fields), {"waveform": batch}))


def test_difference_is_told_and_within_the_tolerance(exported: Exported) -> None:
    assert 0 <= exported.difference <= TOLERANCE
    found = agreement(exported.network, exported.path.read_bytes(), CHECKED_ON)
    assert exported.difference == found.difference
    assert list(found.values) == list(Outputs._fields[3:])
    assert found.values["pitch_hz"] == found.values["loudness_db"] > 100
    assert found.values["tempo_bpm"] == 4  # two clips alone, and both as one batch
    assert found.faults == []


@pytest.mark.parametrize("duration_s", [0.5, 0.731, 3.0, 20.0])
@pytest.mark.parametrize("clips", [1, 3])
def test_any_length_and_batch_as_torch(
    exported: Exported, session: onnxruntime.InferenceSession, duration_s: float, clips: int
) -> None:
    rng = np.random.default_rng(1)
    batch = np.stack([sounds.speech_like(rng, duration_s, around_s=0.05) for _ in range(clips)])
    found = outputs(session, batch)
    with torch.inference_mode():
        expected = exported.network.eval()(torch.from_numpy(batch))
    for name, value in found._asdict().items():
        wanted = getattr(expected, name).numpy()
        assert value.shape == wanted.shape and value.dtype == np.float32, name
        if "probabilities" in name:
            np.testing.assert_allclose(value, wanted, atol=TOLERANCE)
            np.testing.assert_allclose(value.sum(-1), 1, atol=1e-5)
    assert found.pitch_hz.shape == (clips, sounds.frame_count(batch.shape[1]))
    np.testing.assert_allclose(found.loudness_db, expected.loudness_db, atol=1e-2)
    np.testing.assert_allclose(found.speech_rate_hz, expected.speech_rate_hz, atol=1e-3)


def test_real_speech_as_torch(exported: Exported, session: onnxruntime.InferenceSession, ravdess_folder: Path) -> None:
    for samples in sounds.some_clips(ravdess_folder, 5, seed=3):
        with torch.inference_mode():
            expected = exported.network.eval()(torch.from_numpy(samples[None]))
        found = outputs(session, samples[None])
        for name in Outputs._fields[:3]:
            np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=TOLERANCE)
        same_voicing = (found.pitch_hz > 0) == (expected.pitch_hz.numpy() > 0)
        assert same_voicing.mean() > 0.99


@pytest.mark.parametrize("kind", ["zeros", "constant", "loud"])
def test_any_sound_gives_finite_answers(session: onnxruntime.InferenceSession, kind: str) -> None:
    batch = {
        "zeros": np.zeros((1, 8000)),
        "constant": np.full((1, 8000), 0.7),
        "loud": np.random.default_rng(0).choice([-1.0, 1.0], (1, 8000)),
    }[kind].astype(np.float32)
    assert all(np.isfinite(value).all() for value in outputs(session, batch))


def test_batch_and_samples_are_free_and_outputs_named(exported: Exported) -> None:
    graph = onnx.load(exported.path).graph
    (waveform_input,) = graph.input
    assert waveform_input.name == "waveform"
    assert all(axis.dim_param for axis in waveform_input.type.tensor_type.shape.dim)
    assert [output.name for output in graph.output] == list(Outputs._fields)
    onnx.checker.check_model(onnx.load(exported.path), full_check=True)


def test_file_is_sealed(exported: Exported, session: onnxruntime.InferenceSession) -> None:
    content = exported.path.read_bytes()
    digest = session.get_modelmeta().custom_metadata_map[CHECKSUM_KEY]
    assert digest == hashlib.sha256(content[:-ENTRY_BYTES]).hexdigest()
    check_intact(content, "model.onnx")
    require_checksum(content, "model.onnx")


def test_card_is_read_again(exported: Exported, session: onnxruntime.InferenceSession) -> None:
    found = read_card(session.get_modelmeta().custom_metadata_map, "model.onnx")
    assert found == tiny_model.card(id="made")


def test_file_says_nothing_of_the_machine(exported: Exported) -> None:
    content = exported.path.read_bytes()
    assert str(Path.home()).encode() not in content or Path.home() == Path("/")
    for folder in {Path(export_module.__file__).parents[2], Path(torch.__file__).parents[1], Path.cwd()}:
        assert str(folder).encode() not in content
    assert not re.search(rb"[\w-]+\.py\b|Traceback|site-packages|stack_trace", content)
    assert len(content) < 7e6


def test_nothing_is_printed_or_logged(exported: Exported) -> None:
    assert exported.printed == ""
    assert logging.getLogger("torch.onnx").level == logging.NOTSET


def test_a_file_that_answers_otherwise_is_refused(
    exported: Exported, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The graph of one network, checked against another whose answers differ by little."""
    graph = onnx.load(exported.path)
    del graph.metadata_props[:]
    monkeypatch.setattr(export_module, "_graph", lambda network: graph)
    other = build(recipe("overtone"), 8)
    other.load_state_dict(exported.network.state_dict())
    with torch.no_grad():
        other.fusion.layers[-1].bias[2] += 0.01
    with pytest.raises(ModelError, match=r"model\.onnx: not exported, onnxruntime and torch differ by \d"):
        export_onnx(other, tiny_model.card(), CHECKED_ON, tmp_path / "model.onnx")
    with torch.no_grad():
        other.fusion.layers[-1].bias[2] = float("nan")
    with pytest.raises(ModelError, match="differ by nan"):
        export_onnx(other, tiny_model.card(), CHECKED_ON, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", Outputs._fields[3:])
def test_a_file_that_measures_otherwise_is_refused(
    name: str, exported: Exported, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Probabilities as they should be, one track or rate 2 % too high."""
    graph = onnx.load(exported.path)
    del graph.metadata_props[:]
    for node in graph.graph.node:
        node.output[:] = [f"{name}_before" if output == name else output for output in node.output]
        node.input[:] = [f"{name}_before" if entry == name else entry for entry in node.input]
    graph.graph.initializer.append(onnx.numpy_helper.from_array(np.array(1.02, np.float32), "more"))
    graph.graph.node.append(onnx.helper.make_node("Mul", [f"{name}_before", "more"], [name]))
    monkeypatch.setattr(export_module, "_graph", lambda network: graph)
    with pytest.raises(
        ModelError, match=rf"model\.onnx: not exported, .* torch have \d+ of \d+ values of {name} apart$"
    ):
        export_onnx(exported.network, tiny_model.card(), CHECKED_ON, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("apart", "values", "is_fault"), [(0, 4, False), (1, 4, False), (2, 4, True), (10, 1000, False), (11, 1000, True)]
)
def test_a_rare_tie_is_forgiven(apart: int, values: int, is_fault: bool) -> None:
    found = Agreement(1e-6, {"pitch_hz": apart}, {"pitch_hz": values})
    assert bool(found.faults) == is_fault


def test_same_network_same_file_beside_the_one_before(
    exported: Exported, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    graph = onnx.load(exported.path)
    del graph.metadata_props[:]
    monkeypatch.setattr(export_module, "_graph", lambda network: graph)
    path = tmp_path / "model.onnx"
    path.write_text("the one before")
    export_onnx(exported.network, tiny_model.card(id="made"), CHECKED_ON, path)
    assert path.read_bytes() == exported.path.read_bytes()
    assert json.loads(onnx.load(path).metadata_props[0].value)["id"] == "made"
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]
