"""A trained network -> one ONNX file, kept only if onnxruntime and torch agree on real clips."""

import contextlib
import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch

from overtone.errors import ModelError
from overtone.models.network import Network, Outputs
from overtone.outputs.whole import write_bytes
from overtone.tasks.card import CARD_KEY
from overtone.values import Waveform

TOLERANCE = 1e-4
OPSET = 20
EXAMPLE_SAMPLES = (2, 48_123)  # any batch and length: both are dynamic in the graph


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


def _graph(network: Network) -> onnx.ModelProto:
    """The network as ONNX with dynamic batch and time, without the exporter's notes on source files."""
    dynamic = {"waveform": {0: torch.export.Dim("batch"), 1: torch.export.Dim("samples", min=1024)}}
    with _quiet():
        program = torch.onnx.export(
            network,
            (torch.zeros(EXAMPLE_SAMPLES),),
            input_names=["waveform"],
            output_names=list(Outputs._fields),
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
    return model


def largest_difference(network: Network, model: bytes, waveforms: Sequence[Waveform]) -> float:
    """Largest absolute difference of any probability between onnxruntime and torch.

    Args:
        network: the trained network.
        model: the exported file.
        waveforms: real clips of different lengths; each is tried alone, and the first two as one batch.
    """
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    short = min(len(w.samples) for w in waveforms[:2])
    batches = [w.samples[None] for w in waveforms] + [np.stack([w.samples[:short] for w in waveforms[:2]])]
    names = list(Outputs._fields[:3])
    differences = []
    for batch in batches:
        with torch.inference_mode():
            expected = network(torch.from_numpy(batch))
        for name, found in zip(names, session.run(names, {"waveform": batch}), strict=True):
            differences.append(np.abs(found - getattr(expected, name).numpy()).max())
    return float(np.max(differences))  # unlike max(), NaN where any is


def export(network: Network, card: dict[str, Any], waveforms: Sequence[Waveform], path: Path) -> float:
    """Writes the network with its card as one ONNX file, whole or not at all.

    Args:
        network: trained, on the CPU.
        card: what the file says of itself, as `tasks.card` reads it; kept in the file's metadata.
        waveforms: at least two real clips of different lengths to check the file on.
        path: of the file.

    Returns:
        The largest difference between onnxruntime and torch that was seen.

    Raises:
        ModelError: the two differ by more than `TOLERANCE`; no file is written.
        OvertoneError: the file cannot be written.
    """
    network.eval()
    model = _graph(network)
    entry = model.metadata_props.add()
    entry.key, entry.value = CARD_KEY, json.dumps(card)
    content = model.SerializeToString()
    worst = largest_difference(network, content, waveforms)
    if not worst <= TOLERANCE:
        raise ModelError(f"{path}: not exported, onnxruntime and torch differ by {worst:.1e} > {TOLERANCE:.0e}")
    write_bytes(path, content)
    return worst
