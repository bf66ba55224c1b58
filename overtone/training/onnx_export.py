"""A trained network -> one ONNX file, written only if onnxruntime and torch agree on real clips."""

import contextlib
import json
import logging
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import onnxruntime
import torch

from overtone._internal import tensor_names
from overtone._internal.atomic_write import write_bytes
from overtone.datatypes import Waveform
from overtone.errors import ModelError
from overtone.inference.checksum import append_checksum
from overtone.inference.model_card import CARD_KEY
from overtone.models.network import Model
from overtone.training.onnx_batching import add_batch_axis

TOLERANCE = 1e-4  # of probabilities
TRACK_TOLERANCE = 1e-3  # of tracks and rates: relative, and absolute near 0
TRACK_SHARE = 0.99  # of their values within it: a tie in the pitch search may rarely be resolved differently
OPSET = 20
MIN_HALVED_WEIGHTS = 1024  # in smaller tensors a cast costs more than it saves
EXAMPLE_SAMPLES = (1, 48_123)  # one clip of an arbitrary length
HALF = ".half"  # suffix of the names of weights that are stored in half the space


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress warnings and log messages of the exporter about its internals."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def _inputs(network: Model, waveform: np.ndarray) -> dict[str, np.ndarray]:
    """Inputs of the graph by name; an adapter gets the statistics of a made-up speaker with three reference clips."""
    inputs = {tensor_names.WAVEFORM: waveform}
    if network.adapter is not None:
        inputs[tensor_names.SPEAKER_STATISTICS] = network.adapter.example_statistics().numpy()
        inputs[tensor_names.REFERENCE_CLIPS] = np.array([3.0], np.float32)
    return inputs


def _graph(network: Model) -> onnx.ModelProto:
    """The network as ONNX with dynamic batch and time, without the exporter's notes on source files.

    The exported graph processes one clip, as nearly every call does, and so needs no masks; a batch is processed clip
    by clip.
    """
    inputs = _inputs(network, np.zeros(EXAMPLE_SAMPLES, np.float32))
    dynamic: dict[str, Any] = dict.fromkeys(("waveform", "statistics", "reference_clips")[: len(inputs)])
    dynamic["waveform"] = {1: torch.export.Dim("samples", min=1024)}
    with _quiet():
        program = torch.onnx.export(
            network,
            tuple(map(torch.from_numpy, inputs.values())),
            input_names=list(inputs),
            output_names=list(network.output_names),
            dynamic_shapes=dynamic,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None  # it is None only if the exporter writes a file itself
    model = program.model_proto
    del model.metadata_props[:]
    for item in [*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output]:
        item.doc_string = ""
        del item.metadata_props[:]
    for initializer in model.graph.initializer:
        initializer.doc_string = ""
        del initializer.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.graph.value_info[:]
    _halve_weights(model.graph)
    return add_batch_axis(model)


def _halve_weights(graph: onnx.GraphProto) -> None:
    """Store large weights in float16 if that is lossless; the runtime converts them to float32 once, at load time."""
    initializers, casts = [], []
    for initializer in graph.initializer:
        values = onnx.numpy_helper.to_array(initializer)
        with np.errstate(over="ignore"):
            half = values.astype(np.float16) if values.dtype == np.float32 else values
        if values.dtype != np.float32 or values.size < MIN_HALVED_WEIGHTS or not np.array_equal(half, values):
            initializers.append(initializer)
            continue
        name = initializer.name + HALF
        initializers.append(onnx.numpy_helper.from_array(half, name))
        casts.append(onnx.helper.make_node("Cast", [name], [initializer.name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(initializers)
    graph.node.extend(nodes)


class Agreement(NamedTuple):
    """Differences between the outputs of onnxruntime and torch.

    Attributes:
        difference: the largest absolute difference of any probability; NaN if any is NaN.
        differing: track or rate -> number of its values that differ by more than `TRACK_TOLERANCE`.
        values: track or rate -> number of its values.
    """

    difference: float
    differing: dict[str, int]
    values: dict[str, int]

    @property
    def faults(self) -> list[str]:
        """Descriptions of differences beyond the tolerances; a single value of a track or rate may always differ."""
        faults = []
        if not self.difference <= TOLERANCE:
            faults.append(f"differ by {self.difference:.1e} > {TOLERANCE:.0e}")
        for name, count in self.differing.items():
            if count > max(1, (1 - TRACK_SHARE) * self.values[name]):
                faults.append(f"differ in {count} of {self.values[name]} values of {name}")
        return faults


def agreement(network: Model, model: bytes, waveforms: Sequence[Waveform]) -> Agreement:
    """Compare onnxruntime and torch on every output.

    Args:
        network: the trained network.
        model: the exported file.
        waveforms: real clips of different lengths; each is processed alone, and the first two as one batch.
    """
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    shortest = min(len(w.samples) for w in waveforms[:2])
    batches = [w.samples[None] for w in waveforms] + [np.stack([w.samples[:shortest] for w in waveforms[:2]])]
    differences: list[float] = []
    differing: defaultdict[str, int] = defaultdict(int)
    values: defaultdict[str, int] = defaultdict(int)
    for batch in batches:
        inputs, names = _inputs(network, batch), network.output_names
        with torch.inference_mode():
            expected = [output.numpy() for output in network(*map(torch.from_numpy, inputs.values()))]
        for name, from_torch, from_onnx in zip(names, expected, session.run(list(names), inputs), strict=True):
            if name == tensor_names.PROBABILITIES or name.endswith("_" + tensor_names.PROBABILITIES):
                differences.append(np.abs(from_onnx - from_torch).max())
                continue
            close = np.isclose(from_onnx, from_torch, rtol=TRACK_TOLERANCE, atol=TRACK_TOLERANCE, equal_nan=True)
            differing[name] += int((~close).sum())
            values[name] += close.size
    return Agreement(float(np.max(differences)), dict(differing), dict(values))  # np.max propagates NaN, max() does not


def export_onnx(network: Model, card: dict[str, Any], waveforms: Sequence[Waveform], path: Path) -> float:
    """Write the network with its card and a checksum as one ONNX file, atomically.

    Args:
        network: trained, on the CPU.
        card: the model card, as `overtone.inference.model_card` reads it; stored in the metadata of the file.
        waveforms: at least two real clips of different lengths to check the file on.
        path: of the file.

    Returns:
        The largest difference of any probability between onnxruntime and torch.

    Raises:
        ModelError: the two differ by more than `TOLERANCE`, or in more than a few values of a track or rate; no file is
            written.
        OvertoneError: the file cannot be written.
    """
    network.eval()
    model = _graph(network)
    entry = model.metadata_props.add()
    entry.key, entry.value = CARD_KEY, json.dumps(card)
    content = append_checksum(model.SerializeToString())
    compared = agreement(network, content, waveforms)
    if compared.faults:
        raise ModelError(f"{path}: not exported, onnxruntime and torch {', and '.join(compared.faults)}")
    write_bytes(path, content)
    return compared.difference
