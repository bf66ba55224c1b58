"""The exported file gives the outputs of torch, contains its card, and reveals nothing of the exporting machine."""

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
import synthetic_audio
import tiny_model
import torch
from tiny_training import recipe, tiny_store, waveform

from overtone.datatypes import Waveform
from overtone.errors import ModelError
from overtone.inference.checksum import CHECKSUM_KEY, ENTRY_BYTES, check_intact, require_checksum
from overtone.inference.model_card import read_card
from overtone.models import build
from overtone.models.network import Network
from overtone.training import onnx_export
from overtone.training.batches import clean_batches
from overtone.training.onnx_export import TOLERANCE, Agreement, agreement, export_onnx

PROBABILITIES = ("probabilities", "mel_probabilities", "prosody_probabilities")
MEASUREMENTS = ("pitch_hz", "loudness_db", "tempo_bpm", "speech_rate_hz", "pause_ratio")  # tracks and rates
OUTPUTS = PROBABILITIES + MEASUREMENTS
CHECK_CLIPS = [waveform(0), Waveform(waveform(1).samples[:8000])]
pytestmark = pytest.mark.slow


class Exported(NamedTuple):
    """A network, its file, the returned difference, and the output on stdout, stderr and in the log."""

    network: Network
    path: Path
    difference: float
    printed: str


@pytest.fixture(scope="module")
def network() -> Network:
    """Return a network in a state as after training: normalisers fitted, running statistics and weights changed."""
    torch.manual_seed(0)
    network = build(recipe("base"), 8)
    (features,) = clean_batches(tiny_store(), range(16))
    network.fit_normalisers({"mel": [features], "prosody": [features]})
    with torch.no_grad():
        for _ in range(10):
            network.train().logits(network.inputs(features))
    return network


@pytest.fixture(scope="module")
def exported(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Return the only export of this module, which takes half a minute."""
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    printed = io.StringIO()
    log = logging.StreamHandler(printed)
    logging.getLogger().addHandler(log)
    try:
        with redirect_stderr(printed), redirect_stdout(printed):
            difference = export_onnx(network, tiny_model.card(id="made"), CHECK_CLIPS, path)
    finally:
        logging.getLogger().removeHandler(log)
    return Exported(network, path, difference, printed.getvalue())


@pytest.fixture(scope="module")
def session(exported: Exported) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(exported.path, providers=["CPUExecutionProvider"])


def outputs(session: onnxruntime.InferenceSession, batch: np.ndarray) -> dict[str, np.ndarray]:
    """Return the outputs of the exported file, by name."""
    return dict(zip(OUTPUTS, session.run(list(OUTPUTS), {"waveform": batch}), strict=True))


def torch_outputs(network: Network, batch: np.ndarray) -> dict[str, np.ndarray]:
    """Return the outputs of the network in torch, by name."""
    with torch.inference_mode():
        values = network.eval()(torch.from_numpy(batch))
    return {name: value.numpy() for name, value in zip(network.output_names, values, strict=True)}


def test_outputs_are_named(exported: Exported) -> None:
    assert exported.network.output_names == OUTPUTS


def test_the_difference_is_returned_and_within_the_tolerance(exported: Exported) -> None:
    assert 0 <= exported.difference <= TOLERANCE
    found = agreement(exported.network, exported.path.read_bytes(), CHECK_CLIPS)
    assert exported.difference == found.difference
    assert list(found.values) == list(MEASUREMENTS)
    assert found.values["pitch_hz"] == found.values["loudness_db"] > 100
    assert found.values["tempo_bpm"] == 4  # two clips alone, and both as one batch
    assert found.faults == []


@pytest.mark.parametrize("duration_s", [0.5, 0.731, 3.0, 20.0])
@pytest.mark.parametrize("clips", [1, 3])
def test_any_length_and_batch_gives_the_outputs_of_torch(
    exported: Exported, session: onnxruntime.InferenceSession, duration_s: float, clips: int
) -> None:
    rng = np.random.default_rng(1)
    batch = np.stack([synthetic_audio.speech_like(rng, duration_s, padding_s=0.05) for _ in range(clips)])
    found, expected = outputs(session, batch), torch_outputs(exported.network, batch)
    for name, values in found.items():
        assert values.shape == expected[name].shape and values.dtype == np.float32, name
    for name in PROBABILITIES:
        np.testing.assert_allclose(found[name], expected[name], atol=TOLERANCE)
        np.testing.assert_allclose(found[name].sum(-1), 1, atol=1e-5)
    assert found["pitch_hz"].shape == (clips, synthetic_audio.frame_count(batch.shape[1]))
    np.testing.assert_allclose(found["loudness_db"], expected["loudness_db"], atol=1e-2)
    np.testing.assert_allclose(found["speech_rate_hz"], expected["speech_rate_hz"], atol=1e-3)


def test_real_speech_gives_the_outputs_of_torch(
    exported: Exported, session: onnxruntime.InferenceSession, ravdess_folder: Path
) -> None:
    for samples in synthetic_audio.random_clips(ravdess_folder, 5, seed=3):
        found, expected = outputs(session, samples[None]), torch_outputs(exported.network, samples[None])
        for name in PROBABILITIES:
            np.testing.assert_allclose(found[name], expected[name], atol=TOLERANCE)
        same_voicing = (found["pitch_hz"] > 0) == (expected["pitch_hz"] > 0)
        assert same_voicing.mean() > 0.99


@pytest.mark.parametrize("kind", ["zeros", "constant", "loud"])
def test_audio_without_speech_gives_finite_outputs(session: onnxruntime.InferenceSession, kind: str) -> None:
    batch = {
        "zeros": np.zeros((1, 8000)),
        "constant": np.full((1, 8000), 0.7),
        "loud": np.random.default_rng(0).choice([-1.0, 1.0], (1, 8000)),
    }[kind].astype(np.float32)
    assert all(np.isfinite(value).all() for value in outputs(session, batch).values())


def test_batch_and_samples_are_dynamic_and_outputs_named(exported: Exported) -> None:
    graph = onnx.load(exported.path).graph
    (waveform_input,) = graph.input
    assert waveform_input.name == "waveform"
    assert all(axis.dim_param for axis in waveform_input.type.tensor_type.shape.dim)
    assert [output.name for output in graph.output] == list(OUTPUTS)
    onnx.checker.check_model(onnx.load(exported.path), full_check=True)


def test_the_file_ends_with_its_checksum(exported: Exported, session: onnxruntime.InferenceSession) -> None:
    content = exported.path.read_bytes()
    digest = session.get_modelmeta().custom_metadata_map[CHECKSUM_KEY]
    assert digest == hashlib.sha256(content[:-ENTRY_BYTES]).hexdigest()
    check_intact(content, "model.onnx")
    require_checksum(content, "model.onnx")


def test_the_card_is_restored(exported: Exported, session: onnxruntime.InferenceSession) -> None:
    found = read_card(session.get_modelmeta().custom_metadata_map, "model.onnx")
    assert found == tiny_model.card(id="made")


def test_the_file_contains_no_paths_or_source_names(exported: Exported) -> None:
    content = exported.path.read_bytes()
    assert str(Path.home()).encode() not in content or Path.home() == Path("/")
    for folder in {Path(onnx_export.__file__).parents[2], Path(torch.__file__).parents[1], Path.cwd()}:
        assert str(folder).encode() not in content
    assert not re.search(rb"[\w-]+\.py\b|Traceback|site-packages|stack_trace", content)
    assert len(content) < 7e6


def test_nothing_is_printed_or_logged(exported: Exported) -> None:
    assert exported.printed == ""
    assert logging.getLogger("torch.onnx").level == logging.NOTSET


def test_a_file_with_other_probabilities_is_refused(
    exported: Exported, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The graph of one network is compared with another whose predictions differ slightly."""
    graph = onnx.load(exported.path)
    del graph.metadata_props[:]
    monkeypatch.setattr(onnx_export, "_graph", lambda network: graph)
    other = build(recipe("base"), 8)
    other.load_state_dict(exported.network.state_dict())
    with torch.no_grad():
        other.fusion.layers[-1].bias[2] += 0.01
    with pytest.raises(ModelError, match=r"model\.onnx: not exported, onnxruntime and torch differ by \d"):
        export_onnx(other, tiny_model.card(), CHECK_CLIPS, tmp_path / "model.onnx")
    with torch.no_grad():
        other.fusion.layers[-1].bias[2] = float("nan")
    with pytest.raises(ModelError, match="differ by nan"):
        export_onnx(other, tiny_model.card(), CHECK_CLIPS, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_a_file_with_other_tracks_or_rates_is_refused(
    name: str, exported: Exported, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The probabilities are correct, and one track or rate is 2 % too high."""
    graph = onnx.load(exported.path)
    del graph.metadata_props[:]
    for node in graph.graph.node:
        node.output[:] = [f"{name}_before" if output == name else output for output in node.output]
        node.input[:] = [f"{name}_before" if value == name else value for value in node.input]
    graph.graph.initializer.append(onnx.numpy_helper.from_array(np.array(1.02, np.float32), "factor"))
    graph.graph.node.append(onnx.helper.make_node("Mul", [f"{name}_before", "factor"], [name]))
    monkeypatch.setattr(onnx_export, "_graph", lambda network: graph)
    with pytest.raises(
        ModelError, match=rf"model\.onnx: not exported, .* torch differ in \d+ of \d+ values of {name}$"
    ):
        export_onnx(exported.network, tiny_model.card(), CHECK_CLIPS, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("differing", "values", "is_fault"),
    [(0, 4, False), (1, 4, False), (2, 4, True), (10, 1000, False), (11, 1000, True)],
)
def test_rare_differences_are_tolerated(differing: int, values: int, is_fault: bool) -> None:
    found = Agreement(1e-6, {"pitch_hz": differing}, {"pitch_hz": values})
    assert bool(found.faults) == is_fault


def test_the_same_network_gives_the_same_file_in_place_of_an_old_one(
    exported: Exported, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    graph = onnx.load(exported.path)
    del graph.metadata_props[:]
    monkeypatch.setattr(onnx_export, "_graph", lambda network: graph)
    path = tmp_path / "model.onnx"
    path.write_text("an old file")
    export_onnx(exported.network, tiny_model.card(id="made"), CHECK_CLIPS, path)
    assert path.read_bytes() == exported.path.read_bytes()
    assert json.loads(onnx.load(path).metadata_props[0].value)["id"] == "made"
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]
