"""A trained network -> one ONNX file, kept only if onnxruntime and torch agree on real clips."""

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

from overtone._internal.atomic_write import write_bytes
from overtone.datatypes import Waveform
from overtone.errors import ModelError
from overtone.inference.checksum import append_checksum
from overtone.inference.model_card import CARD_KEY
from overtone.models.network import AdaptableOutputs, Model, Outputs
from overtone.training.onnx_batching import add_batch_axis

PROBABILITIES = (*Outputs._fields[:3], "adapted_probabilities")
TOLERANCE = 1e-4  # of probabilities
MEASURED_TOLERANCE = 1e-3  # of tracks and rates: relative, and absolute near 0
MEASURED_SHARE = 0.99  # of them within it: a tie in the search for the pitch may rarely fall the other way
OPSET = 20
WORTH_HALVING = 1024  # weights; below that a cast costs more than it saves
EXAMPLE_SAMPLES = (1, 48_123)  # one clip of any length


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the exporter from telling about its own insides, by warning or by log."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def _outputs(network: Model) -> tuple[str, ...]:
    """Names of what the graph gives."""
    return (*Outputs._fields, *(AdaptableOutputs._fields[1:] if network.adapter else ()))


def _inputs(network: Model, waveform: np.ndarray) -> dict[str, np.ndarray]:
    """What the graph takes, by name; an adapter hears of a speaker known by three clips, not the usual one."""
    if network.adapter is None:
        return {"waveform": waveform}
    usual = torch.stack([1.1 * network.adapter.centre, 0.9 * network.adapter.scale]).numpy()
    return {"waveform": waveform, "usual": usual, "usual_clips": np.array([3.0], np.float32)}


def _graph(network: Model) -> onnx.ModelProto:
    """The network as ONNX with dynamic batch and time, without the exporter's notes on source files.

    What is exported hears one clip, as nearly every call does, and so needs no masks; a batch is heard clip by clip.
    """
    inputs = _inputs(network, np.zeros(EXAMPLE_SAMPLES, np.float32))
    dynamic: dict[str, Any] = dict.fromkeys(inputs)
    dynamic["waveform"] = {1: torch.export.Dim("samples", min=1024)}
    with _quiet():
        program = torch.onnx.export(
            network,
            tuple(map(torch.from_numpy, inputs.values())),
            input_names=list(inputs),
            output_names=list(_outputs(network)),
            dynamic_shapes=dynamic,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None  # as it is only where the exporter is told to write a file itself
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
    _halve(model.graph)
    return add_batch_axis(model)


def _halve(graph: onnx.GraphProto) -> None:
    """Keeps large weights in half precision where that loses nothing; the runtime widens them once, when it loads."""
    kept, casts = [], []
    for initializer in graph.initializer:
        values = onnx.numpy_helper.to_array(initializer)
        with np.errstate(over="ignore"):
            half = values.astype(np.float16) if values.dtype == np.float32 else values
        if values.dtype != np.float32 or values.size < WORTH_HALVING or not np.array_equal(half, values):
            kept.append(initializer)
            continue
        name = f"{initializer.name}.half"
        kept.append(onnx.numpy_helper.from_array(half, name))
        casts.append(onnx.helper.make_node("Cast", [name], [initializer.name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)


class Agreement(NamedTuple):
    """How well onnxruntime and torch agree.

    Attributes:
        difference: the largest absolute one of any probability; NaN where any is.
        apart: track or rate -> how many of its values are further apart than `MEASURED_TOLERANCE`.
        values: track or rate -> how many values it has in all.
    """

    difference: float
    apart: dict[str, int]
    values: dict[str, int]

    @property
    def faults(self) -> list[str]:
        """What is wrong, in words; a single value of a track or rate is always forgiven."""
        found = []
        if not self.difference <= TOLERANCE:
            found.append(f"differ by {self.difference:.1e} > {TOLERANCE:.0e}")
        for name, apart in self.apart.items():
            if apart > max(1, (1 - MEASURED_SHARE) * self.values[name]):
                found.append(f"have {apart} of {self.values[name]} values of {name} apart")
        return found


def agreement(network: Model, model: bytes, waveforms: Sequence[Waveform]) -> Agreement:
    """How well onnxruntime and torch agree on every output.

    Args:
        network: the trained network.
        model: the exported file.
        waveforms: real clips of different lengths; each is tried alone, and the first two as one batch.
    """
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    short = min(len(w.samples) for w in waveforms[:2])
    batches = [w.samples[None] for w in waveforms] + [np.stack([w.samples[:short] for w in waveforms[:2]])]
    differences: list[float] = []
    apart: defaultdict[str, int] = defaultdict(int)
    values: defaultdict[str, int] = defaultdict(int)
    for batch in batches:
        inputs, names = _inputs(network, batch), _outputs(network)
        with torch.inference_mode():
            outputs = network(*map(torch.from_numpy, inputs.values()))
        flat = (*outputs.outputs, *outputs[1:]) if isinstance(outputs, AdaptableOutputs) else outputs
        for name, wanted, found in zip(names, flat, session.run(list(names), inputs), strict=True):
            expected = wanted.numpy()
            if name in PROBABILITIES:
                differences.append(np.abs(found - expected).max())
                continue
            close = np.isclose(found, expected, rtol=MEASURED_TOLERANCE, atol=MEASURED_TOLERANCE, equal_nan=True)
            apart[name] += int((~close).sum())
            values[name] += close.size
    return Agreement(float(np.max(differences)), dict(apart), dict(values))  # unlike max(), NaN where any is


def export_onnx(network: Model, card: dict[str, Any], waveforms: Sequence[Waveform], path: Path) -> float:
    """Writes the network with its card as one sealed ONNX file, whole or not at all.

    Args:
        network: trained, on the CPU.
        card: what the file says of itself, as `tasks.make_work.card` reads it; kept in the file's metadata.
        waveforms: at least two real clips of different lengths to check the file on.
        path: of the file.

    Returns:
        The largest difference of any probability between onnxruntime and torch that was seen.

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
    found = agreement(network, content, waveforms)
    if found.faults:
        raise ModelError(f"{path}: not exported, onnxruntime and torch {', and '.join(found.faults)}")
    write_bytes(path, content)
    return found.difference
